"""The rebuild: what it found, and the person's word that files may move again."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, Field

from app import jobs
from app.overview.rebuild import WORTH_A_LOOK, list_found, list_line, list_missing, rebuild_overview
from app.web.answers import answer_start, done
from app.web.context import services, trigger
from app.web.models import MAX_ID, Started, responses

api = APIBlueprint(
    "rebuild", __name__, url_prefix="/api/rebuild",
    abp_tags=[Tag(name="rebuild", description="Rows made again from the disk")],
)  # fmt: skip


class AfterId(BaseModel):
    """A page of a list in id order."""

    after_id: int = Field(0, ge=0, le=MAX_ID, description="Show what comes after this id.")
    limit: int = Field(100, ge=1, le=1000, description="At most so many.")


class FindingQuery(AfterId):
    """Which of the files worth a look."""

    finding: str = Field("", max_length=40, description=f"Only these: {', '.join(list(WORTH_A_LOOK)[2:])}.")
    line: str = Field("", max_length=40, description="All files of this line of the report, whatever was found.")


@api.get("", responses=responses(), summary="What the last rebuild found")
def show() -> Response:
    """`state` is none, running, unconfirmed or confirmed; `report` is there when a rebuild has ended."""
    with services().db.reading() as conn:
        return jsonify(rebuild_overview(conn))


@api.get("/files", responses=responses(), summary="Files that are worth a look")
def files(query: FindingQuery) -> Response:
    """Files that no manifest names, copies that stayed, trash, leftovers, and what could not be read."""
    with services().db.reading() as conn:
        if query.line:
            return jsonify(list_line(conn, query.line, query.after_id, query.limit))
        return jsonify(list_found(conn, query.finding or None, query.after_id, query.limit))


@api.get("/missing", responses=responses(), summary="Files that were found nowhere")
def missing(query: AfterId) -> Response:
    """Lines of manifests whose file is not on disk; each has an asset with the status gone."""
    with services().db.reading() as conn:
        return jsonify(list_missing(conn, query.after_id, query.limit))


@api.post("", responses=responses(409, ok=Started, ok_status=202), summary="Compare the rows with the disk")
def start() -> Response:
    """Looks at every manifest and every file and puts rows right; nothing moves until that is confirmed."""
    return answer_start(lambda: jobs.start_comparison(services(), trigger()), "The rows are compared with the disk")


@api.post("/confirm", responses=responses(409), summary="Confirm what a rebuild found")
def confirm() -> Response:
    """Lets files move again. Refused with 409 while no rebuild waits for it, or before it has ended."""
    jobs.confirm_rebuild(services())
    with services().db.reading() as conn:
        return done(rebuild_overview(conn), "Files may move again.")
