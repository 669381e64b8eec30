"""Filing the archive anew: the plan first, then the moves, and taking them back."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.request_body import RequestBody
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.jobs import refile as jobs
from app.overview.refile import list_files, newest_plan, refile_summary
from app.web.answers import answer_start
from app.web.context import services, trigger
from app.web.models import MAX_ID, RunPath, Started, responses
from app.web.unknown import read_body

api = APIBlueprint(
    "refile", __name__, url_prefix="/api/refile",
    abp_tags=[Tag(name="refile", description="Archived files go to where they belong now")],
)  # fmt: skip

Id = Annotated[int, Field(ge=1, le=MAX_ID)]
Instant = Annotated[str, StringConstraints(max_length=40, pattern=r"^[0-9T:.+Zz -]+$")]


class WhichBody(BaseModel):
    """Which archived files; without either all of them."""

    model_config = ConfigDict(extra="forbid", strict=True)

    asset_ids: list[Id] = Field(default=[], max_length=jobs.MAX_FILES, description="These files and their groups.")
    decided_since: Instant | None = Field(
        default=None, description="Files whose dates a person decided at this instant or later, and their groups."
    )


class RefileBody(WhichBody):
    """Which archived files are moved."""

    plan: Id | None = Field(
        default=None, description="The run of the plan that was shown; the report tells what differs from it."
    )


class UndoBody(BaseModel):
    """Whether files go back, or only the plan of that is made."""

    model_config = ConfigDict(extra="forbid", strict=True)

    dry_run: bool = Field(default=False, description="Only plan it; nothing is moved.")


class FilesQuery(BaseModel):
    """Which files of a plan or run."""

    state: Literal["planned", "done", "failed", "stays"] | None = Field(None, description="Only files in this state.")
    after_id: int = Field(0, ge=0, le=MAX_ID, description="Show what comes after this id.")
    limit: int = Field(100, ge=1, le=1000, description="At most so many.")


def _body(model: type[BaseModel], example: dict[str, object]) -> RequestBody:
    content = {"application/json": {"schema": model.model_json_schema(), "example": example}}
    return RequestBody.model_validate({"description": (model.__doc__ or "").strip(), "content": content})


WHICH = _body(WhichBody, {"decided_since": "2026-05-06T07:08:09+00:00"})
MOVED = _body(RefileBody, {"plan": 12})
UNDONE = _body(UndoBody, {"dry_run": True})


@api.post("/plan", responses=responses(400, 422, ok=Started, ok_status=202), request_body=WHICH,
          summary="Plan to file the archive anew")
def plan() -> Response:
    """Starts a run that works out which archived files belong elsewhere by today's dates, patterns and settings, and
    moves nothing. Look at it with GET /api/refile/{run_id}."""
    asked = read_body(WhichBody)
    wish = jobs.RefileWish(asked.asset_ids, asked.decided_since)
    return answer_start(lambda: jobs.plan_refile(services(), wish, trigger()), "A plan was started")


@api.get("/plan", responses=responses(), summary="The newest plan")
def newest() -> Response:
    """The newest plan that is finished, in numbers and by folders; `run` is null before the first."""
    with services().db.reading() as conn:
        return jsonify(newest_plan(conn))


@api.post("", responses=responses(400, 404, 422, ok=Started, ok_status=202), request_body=MOVED,
          summary="File the archive anew")
def start() -> Response:
    """Starts a run that plans again and moves archived files to where they belong, group by group. It can be taken
    back. Files whose place has changed since `plan` are counted in `differing`."""
    asked = read_body(RefileBody)
    wish = jobs.RefileWish(asked.asset_ids, asked.decided_since, asked.plan)
    return answer_start(lambda: jobs.start_refile(services(), wish, trigger()), "Filing anew was started")


@api.get("/<int:run_id>", responses=responses(404), summary="One plan or run")
def show(path: RunPath) -> Response:
    """In numbers, and by folders: the 200 pairs with most files."""
    with services().db.reading() as conn:
        return jsonify(refile_summary(conn, path.run_id))


@api.get("/<int:run_id>/files", responses=responses(404), summary="The files of a plan or run")
def files(path: RunPath, query: FilesQuery) -> Response:
    """From where to where each goes, what became of it, and why one stays. Those of the newest three are kept."""
    with services().db.reading() as conn:
        found = list_files(conn, path.run_id, state=query.state, after_id=query.after_id, limit=query.limit)
    return jsonify(found)


@api.post("/<int:run_id>/undo", responses=responses(404, 409, 422, ok=Started, ok_status=202), request_body=UNDONE,
          summary="Take back what a run filed anew")
def undo(path: RunPath) -> Response:
    """Starts a run that brings files back to where they lay before; with `dry_run` it only plans that. What was moved
    again since stays, with its group. Dates that were decided stay decided."""
    dry_run = read_body(UndoBody).dry_run
    return answer_start(
        lambda: jobs.undo_refile(services(), path.run_id, trigger(), dry_run=dry_run), "Taking it back was started"
    )
