"""Taking a batch back: its files return to where they came from, and the batch is CANCELLED.

First every file is looked at. When one cannot go back, nothing is moved and the report says what stands in the way.
Then the batch is UNDOING until the last file is back: a run that was stopped, killed or failed is followed by another
one, which finds what is left to do. Files that come back are set aside, so that no run takes them again by itself;
those of a batch that nobody has received yet wait again, when it was cancelled.
"""

from __future__ import annotations

from collections.abc import Callable

from app.db import batches, confirmation, deliveries, journal
from app.db.cancelling import refuse_delivered, status_on_return
from app.db.connection import Connection
from app.errors import IllegalTransition, NoSpace, RootUnavailable
from app.files.way_back import look_at_way_back
from app.model import Asset, AssetStatus, Batch, BatchStatus, Failure, Place, Report
from app.model.counting import counted
from app.model.undo import Act, UndoLook, Verdict, obstacles_in_words, peer_in_words
from app.pipeline.failing import finish_interrupted_moves, holds
from app.pipeline.step import StepContext
from app.pipeline.undo.closing import close
from app.pipeline.undo.drawn import bring_drawn_back
from app.pipeline.undo.taking_back import TakingBack, require_room_to_return, take_back
from app.services import Services

__all__ = ["run"]

#: Sees to it that the peer keeps its copies; a report when that has to be waited for.
Retain = Callable[[Services, Batch], Report | None]

UNDOABLE = (
    BatchStatus.PENDING,
    BatchStatus.SYNCING,
    BatchStatus.SYNCED,
    BatchStatus.SORTING,
    BatchStatus.SORTED,
    BatchStatus.UNDOING,
    BatchStatus.ERROR,
)


def run(services: Services, step: StepContext, retain: Retain) -> Report:
    """Take the step's batch back. Raises IllegalTransition when it has ended otherwise, and Conflict when it was
    to be cancelled and has been delivered meanwhile; it stays as it is then.
    """
    finish_interrupted_moves(services.db)
    if step.batch_id is None:
        return Report("idle", "No batch was named that is to be taken back.")
    with services.db.reading() as conn:
        batch = batches.get(conn, step.batch_id)
    if batch.undone_at is not None:
        return Report("done", f"Batch {batch.name} is taken back already.", batch_id=batch.id)
    if batch.status not in UNDOABLE:
        raise IllegalTransition(f"Batch {batch.name}", batch.status, BatchStatus.UNDOING)
    look = _look(services, step, batch)
    if look.of(Act.REFUSE):
        return _refuse(services, step, look)
    try:
        return _take_back(services, step, look, retain)
    except (NoSpace, RootUnavailable) as error:
        return _stop(services, step, batch, str(error), [])


def _look(services: Services, step: StepContext, batch: Batch) -> UndoLook:
    wanted = AssetStatus(step.arguments.get("returns_as", AssetStatus.SET_ASIDE))
    with services.db.reading() as conn:
        returns_as = status_on_return(conn, batch, wanted)
        if returns_as is AssetStatus.UNIQUE:
            refuse_delivered(conn, batch)

    def reads_as(place: Place, asset: Asset) -> bool:
        step.safe_point(0, batch.file_count)
        return holds(place, asset)

    without_lost = bool(step.arguments.get("without_lost"))
    return look_at_way_back(services.db, batch, returns_as, without_lost=without_lost, holds=reads_as)


def _take_back(services: Services, step: StepContext, look: UndoLook, retain: Retain) -> Report:
    require_room_to_return(services, look)
    with services.db.transaction() as conn:
        # Counted in the same transaction: a look at the delivery may store proofs up to the change of the status.
        confirmed = deliveries.count(conn, look.batch.id)
        peer = peer_in_words(look.batch, look.in_batch_folder, confirmed, confirmation.lost_at(conn))
        batch = _begin(conn, step, look, peer)
    if confirmed and look.in_batch_folder:
        waiting = retain(services, batch)
        if waiting is not None:
            return waiting
    work = TakingBack(services, step, batch, look)
    failures = take_back(work) + bring_drawn_back(work)
    if failures:
        more = f" ({len(failures):,} files in all)" if len(failures) > 1 else ""
        words = f"Batch {batch.name} is not taken back yet: {failures[0].path}: {failures[0].reason}{more}"
        return _stop(services, step, batch, words, failures)
    return close(work, peer)


def _begin(conn: Connection, step: StepContext, look: UndoLook, peer: str) -> Batch:
    batch, returns_as = look.batch, look.returns_as.value
    if batch.status is BatchStatus.UNDOING:
        batches.set_columns(conn, batch.id, returns_as=returns_as)
        return batch
    if look.returns_as is AssetStatus.UNIQUE:  # the worker's look at the delivery may have seen the proof just now
        refuse_delivered(conn, batches.get(conn, batch.id))
    files = len(look.of(Act.GO_BACK)) + len(look.of(Act.ADOPT))
    back = counted(files, "file goes back to where it", "files go back to where they")
    words = f"Batch {batch.name} is taken back: {back} came from. {peer}"
    detail = {"from": batch.status.value, "files": files, "becomes": returns_as}
    journal.record(conn, "batch.undo_started", words, run_id=step.run_id, batch_id=batch.id, detail=detail)
    return batches.change(conn, batch, BatchStatus.UNDOING, returns_as=returns_as, error=None,
                          error_from=None, next_look_at=None, sync_detail=None)


def _refuse(services: Services, step: StepContext, look: UndoLook) -> Report:
    """Nothing is moved. A batch that was begun to be taken back waits for a person, any other stays as it is."""
    words, failures = obstacles_in_words(look), [_failure(verdict) for verdict in look.of(Act.REFUSE)]
    if look.batch.status is BatchStatus.UNDOING:
        return _stop(services, step, look.batch, words, failures)
    return Report("failed", words, batch_id=look.batch.id, failures=failures)


def _failure(verdict: Verdict) -> Failure:
    path, _, reason = verdict.reason.partition(": ")
    return Failure(path, f"{reason}. {verdict.remedy}", verdict.facts.asset.id)


def _stop(services: Services, step: StepContext, batch: Batch, reason: str, failures: list[Failure]) -> Report:
    """What is back stays back; the batch is ERROR, from where a retry goes on."""
    with services.db.transaction() as conn:
        found = batches.get(conn, batch.id)
        if found.status is BatchStatus.UNDOING:
            batches.change(conn, found, BatchStatus.ERROR, error=reason, error_from=found.status.value)
            journal.record(conn, "batch.failed", reason, level="error", run_id=step.run_id, batch_id=batch.id,
                           detail={"reason": reason, "from": found.status.value})
    return Report("failed", reason, batch_id=batch.id, failures=failures)
