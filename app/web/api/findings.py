"""Findings: what verifications found, and a person's word about each."""

from __future__ import annotations

from typing import Literal

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.request_body import RequestBody
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field

from app import jobs
from app.model import FindingKind
from app.model.counting import counted
from app.overview.verification import find_finding, find_findings
from app.web.answers import done
from app.web.context import services
from app.web.models import MAX_ID, responses
from app.web.queries import Page
from app.web.unknown import read_body

api = APIBlueprint(
    "findings",
    __name__,
    url_prefix="/api/findings",
    abp_tags=[Tag(name="verify", description="Is every file as it was?")],
)


class FindingPath(BaseModel):
    """The finding in a path."""

    finding_id: int = Field(ge=1, le=MAX_ID, description="The id of a finding.")


class FindingsQuery(Page):
    """Which findings."""

    kind: FindingKind | None = Field(None, description="Only this kind; left out: all that wait for a person.")


HOW = "A foreign file: ignore it (also when left out), or adopt it as an archived file."


class AcceptBody(BaseModel):
    """What was seen, and how a foreign file is accepted; for all other kinds there is one way only."""

    model_config = ConfigDict(extra="forbid", strict=True)

    how: Literal["ignore", "adopt"] | None = Field(default=None, description=HOW)
    kind: Literal["altered", "missing", "unreadable", "moved", "foreign", "ignored"] | None = Field(
        default=None, description="The kind that was seen: 409 when it is of another one now."
    )


class AcceptAllBody(BaseModel):
    """Which findings are accepted, and how."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Literal["altered", "missing", "moved", "foreign"] = Field(description="All of this kind.")
    how: Literal["ignore", "adopt"] | None = Field(default=None, description=HOW)
    after_id: int = Field(default=0, ge=0, le=MAX_ID, description="`next_after_id` of the answer before.")


BODY = RequestBody.model_validate(
    {
        "description": "May be left out.",
        "content": {"application/json": {"schema": AcceptBody.model_json_schema(), "example": {}}},
        "required": False,
    }
)


BODY_OF_ALL = RequestBody.model_validate(
    {
        "description": "The kind, and how.",
        "content": {"application/json": {"schema": AcceptAllBody.model_json_schema(), "example": {"kind": "moved"}}},
        "required": True,
    }
)


@api.get("", responses=responses(), summary="What verifications found")
def index(query: FindingsQuery) -> Response:
    """In id order, each with its reason and what to do; `counts` are of all that wait for a person."""
    with services().db.reading() as conn:
        return jsonify(find_findings(conn, query.kind, query.after_id, query.limit))


@api.get("/<int:finding_id>", responses=responses(404), summary="One finding")
def show(path: FindingPath) -> Response:
    """The place, what is wrong there, what lies there now, and what to do."""
    with services().db.reading() as conn:
        return jsonify(find_finding(conn, path.finding_id))


@api.post(
    "/<int:finding_id>/accept",
    responses=responses(400, 404, 409, 422, 503),
    request_body=BODY,
    summary="Take what was found for right",
)
def accept(path: FindingPath) -> Response:
    """Altered: the new content is right. Missing: it is gone. Moved: its new place is right. Foreign: ignored, adopted.

    No file is touched. 409 when it is not as it was found any more, or when a run is at work.
    """
    wanted = read_body(AcceptBody)
    kind = FindingKind(wanted.kind) if wanted.kind else None
    accepted = jobs.accept_finding(services(), path.finding_id, wanted.how, kind)
    return done(accepted.as_json(), accepted.done)


@api.post(
    "/accept", responses=responses(400, 409, 422, 503), request_body=BODY_OF_ALL, summary="Accept all of a kind"
)
def accept_all() -> Response:
    """As if each of them were accepted by itself: one that is refused does not stop the others.

    500 in one request; ask again with `after_id` set to `next_after_id` until that is null.
    """
    wanted = read_body(AcceptAllBody)
    accepted = jobs.accept_findings(services(), FindingKind(wanted.kind), wanted.how, wanted.after_id)
    words = f"{counted(accepted.accepted, 'finding was', 'findings were')} accepted, {accepted.refused:,} refused."
    return done(accepted.as_json(), words)


@api.post("/<int:finding_id>/report", responses=responses(404, 409), summary="Report an ignored file again")
def report(path: FindingPath) -> Response:
    """Takes back that a foreign file is ignored."""
    reported = jobs.report_again(services(), path.finding_id)
    return done(reported.as_json(), reported.done)
