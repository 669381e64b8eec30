"""Findings: what verifications found, and a person's word about each."""

from __future__ import annotations

from typing import Literal

from flask import Response, jsonify, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.request_body import RequestBody
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app import jobs
from app.model import FindingKind
from app.overview.verification import find_finding, find_findings
from app.web.answers import done
from app.web.context import services
from app.web.errors import answer_validation
from app.web.models import MAX_ID, responses
from app.web.queries import Page

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


class AcceptBody(BaseModel):
    """How a foreign file is accepted; for all other kinds there is one way only."""

    model_config = ConfigDict(extra="forbid", strict=True)

    how: Literal["ignore", "adopt"] | None = Field(
        default=None, description="A foreign file: ignore it (also when left out), or adopt it as an archived file."
    )


BODY = RequestBody.model_validate(
    {
        "description": "May be left out.",
        "content": {"application/json": {"schema": AcceptBody.model_json_schema(), "example": {}}},
        "required": False,
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
    sent = request.get_data(cache=False) if request.is_json else b""
    try:
        wanted = AcceptBody.model_validate_json(sent) if sent.strip() else AcceptBody()
    except ValidationError as error:
        return answer_validation(error)
    accepted = jobs.accept_finding(services(), path.finding_id, wanted.how)
    return done(accepted.as_json(), accepted.done)


@api.post("/<int:finding_id>/report", responses=responses(404, 409), summary="Report an ignored file again")
def report(path: FindingPath) -> Response:
    """Takes back that a foreign file is ignored."""
    reported = jobs.report_again(services(), path.finding_id)
    return done(reported.as_json(), reported.done)
