"""Taking a batch back: what that would do, doing it, cancelling a batch in time, taking its files in again."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, Field

from app import jobs
from app.errors import RunInProgress
from app.model.counting import counted
from app.overview.batches import batch_summary
from app.overview.undo import undo_summary
from app.web.answers import accepted, answer_start, done, not_started
from app.web.context import services, trigger
from app.web.models import BatchPath, Started, responses

api = APIBlueprint(
    "undo", __name__, url_prefix="/api/batches", abp_tags=[Tag(name="batches", description="Batches")]
)


class UndoQuery(BaseModel):
    """What is done about files that are lost or were changed."""

    without_lost: bool = Field(False, description="Leave lost and changed files behind, as failed.")


@api.get("/<int:batch_id>/undo", responses=responses(404, 409, 503), summary="What taking a batch back would do")
def look(path: BatchPath, query: UndoQuery) -> Response:
    """Which files would go back, what happens at the peer, and what stands in the way. Nothing is changed."""
    found = services()
    seen = jobs.look_at_undo(found, path.batch_id, without_lost=query.without_lost)
    with found.db.reading() as conn:
        return jsonify(undo_summary(conn, seen))


@api.post(
    "/<int:batch_id>/undo", responses=responses(404, 409, 503, ok=Started, ok_status=202), summary="Take a batch back"
)
def start(path: BatchPath, query: UndoQuery) -> Response:
    """Every file goes back to where it came from and is set aside; the batch is CANCELLED. Refused, with nothing
    moved, while a file cannot go back. One that was begun and not finished is gone on with."""
    return answer_start(
        lambda: jobs.start_undo(services(), path.batch_id, trigger(), without_lost=query.without_lost),
        f"Batch {path.batch_id} is taken back",
        batch_id=path.batch_id,
    )


@api.post(
    "/<int:batch_id>/cancel", responses=responses(404, 409, ok=Started, ok_status=202), summary="Cancel a batch in time"
)
def cancel(path: BatchPath) -> Response:
    """Only a batch that nobody has received yet; its files wait for the next batch again. One without files ends at
    once, which is answered with 200 and no run."""
    try:
        batch, run = jobs.cancel_batch(services(), path.batch_id, trigger())
    except RunInProgress as error:
        return not_started(error, batch_id=path.batch_id)
    if run is None:
        return done({"started": False, "batch": batch_summary(batch)}, f"Batch {batch.name} is cancelled.")
    body = {"started": True, "run_id": run.id, "batch_id": batch.id}
    return accepted(body, f"Batch {batch.name} is being cancelled (run {run.id}).")


@api.post("/<int:batch_id>/take-in", responses=responses(404, 409), summary="Take in what an undo brought back")
def take_in(path: BatchPath) -> Response:
    """The next run looks at every file that the batch brought back and that is still set aside."""
    files = jobs.take_in_again(services(), path.batch_id)
    many = counted(files, "file is", "files are")
    return done({"batch_id": path.batch_id, "count": files}, f"{many} taken in by the next run.")
