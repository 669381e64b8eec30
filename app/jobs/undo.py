"""Taking a batch back: what that would do, asking for it, cancelling a batch in time, and taking its files in again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.db import assets, batches, journal, members, moves, roots, runs
from app.db.cancelling import refuse_delivered, status_on_return
from app.db.connection import Connection
from app.errors import Conflict, IllegalTransition, RunInProgress
from app.files.way_back import look_at_way_back
from app.jobs.requests import note_request
from app.jobs.wake import wake_worker
from app.model import AssetStatus, Batch, BatchStatus, RootKind, Run, RunKind, RunStatus, Stage, Trigger
from app.model.counting import counted
from app.model.undo import Act, UndoLook, obstacles_in_words
from app.services import Services

TAKEN_BACK = "only one that was not taken back or cancelled before can be taken back"
TAKEN_IN = "only the files of a batch that was taken back can be taken in again"


def look_at_undo(services: Services, batch_id: int, *, without_lost: bool = False) -> UndoLook:
    """What taking a batch back would do, by names and sizes alone; changes nothing.

    Raises NotFound, and IllegalTransition for a batch that has ended otherwise.
    """
    with services.db.reading() as conn:
        batch = _require_undoable(conn, batch_id)
        returns_as = status_on_return(conn, batch, AssetStatus.SET_ASIDE)
    return look_at_way_back(services.db, batch, returns_as, without_lost=without_lost)


def start_undo(services: Services, batch_id: int, trigger: Trigger, *, without_lost: bool = False) -> Run:
    """Ask for a batch to be taken back; its files become `set_aside`. One that was begun to be is gone on with.

    Files that are lost or were changed are in the way, unless `without_lost`: then they stay behind, as failed.
    Raises NotFound, IllegalTransition, RunInProgress, and Conflict naming what stands in the way.
    """
    with services.db.reading() as conn:
        batch, is_moving, busy = _require_undoable(conn, batch_id), moves.has_open(conn), runs.find_in_flight(conn)
    if busy is not None:
        raise RunInProgress(busy.id, busy.status)
    if not is_moving:  # else only the run, which finishes those moves first, can tell
        _refuse_obstacles(look_at_undo(services, batch_id, without_lost=without_lost))
    arguments = {"returns_as": AssetStatus.SET_ASIDE.value, "without_lost": without_lost}
    return _ask(services, batch, trigger, arguments, f"Batch {batch.name} is to be taken back.")


def cancel_batch(services: Services, batch_id: int, trigger: Trigger) -> tuple[Batch, Run | None]:
    """End a batch that nobody has received yet; its files wait for the next batch again.

    One that holds no file ends at once, and there is no run. Raises NotFound, RunInProgress, and Conflict: for a
    delivered batch it says that undo is meant.
    """
    with services.db.transaction() as conn:
        batch = batches.get(conn, batch_id)
        refuse_delivered(conn, batch)
        if not members.count(conn, batch_id):
            return _end_empty(conn, batch), None
    arguments = {"returns_as": AssetStatus.UNIQUE.value}
    run = _ask(services, batch, trigger, arguments, f"Batch {batch.name} is to be cancelled.")
    return batch, run


def take_in_again(services: Services, batch_id: int) -> int:
    """Let the next run take up every file that a batch brought back when it was taken back; returns how many.

    Raises NotFound, and IllegalTransition for a batch that was not taken back.
    """
    with services.db.transaction() as conn:
        batch = batches.get(conn, batch_id)
        if batch.undone_at is None:
            raise IllegalTransition(f"Batch {batch.name}", batch.status, "taken in again", TAKEN_IN)
        ingest = [root.id for root in roots.list_all(conn) if root.kind is RootKind.INGEST]
        back = members.list_of(conn, batch_id, [AssetStatus.SET_ASIDE], ingest)
        assets.mark(conn, back, AssetStatus.DISCOVERED, attempts=0, batch_id=None, original_id=None)
        files = counted(len(back), "file is", "files are")
        words = f"{files} looked at again by the next run: batch {batch.name}, which had them, was taken back."
        journal.record(conn, "batch.taken_in_again", words, batch_id=batch_id, detail={"files": len(back)})
    return len(back)


def _require_undoable(conn: Connection, batch_id: int) -> Batch:
    batch = batches.get(conn, batch_id)
    if batch.status is BatchStatus.CANCELLED:
        raise IllegalTransition(f"Batch {batch.name}", batch.status, "taken back", TAKEN_BACK)
    return batch


def _refuse_obstacles(look: UndoLook) -> None:
    if look.of(Act.REFUSE):
        more = f" GET /api/batches/{look.batch.id}/undo and `media-pipeline undo {look.batch.id}` list all of them."
        raise Conflict(obstacles_in_words(look) + " Nothing was moved." + more)


def _end_empty(conn: Connection, batch: Batch) -> Batch:
    """A batch that was reserved and has no file: nothing has to move. Raises RunInProgress while one may fill it."""
    busy = runs.find_in_flight(conn)
    if busy is not None:
        raise RunInProgress(busy.id, busy.status)
    journal.record(conn, "batch.cancelled", f"Batch {batch.name} was cancelled; it held no file.", batch_id=batch.id,
                   detail={"reason": "It held no file.", "files": 0})
    return batches.change(conn, batch, BatchStatus.CANCELLED)


def _ask(
    services: Services, batch: Batch, trigger: Trigger, arguments: Mapping[str, Any], message: str
) -> Run:
    """Insert the run, and end those that wait for the batch: what they wait for will never come."""
    with services.db.transaction() as conn:
        run = runs.insert_queued(conn, RunKind.UNDO, trigger, [Stage.UNDO], batch.id, services.revision, arguments)
        note_request(conn, run, message)
        for waiting in runs.list_by_status(conn, [RunStatus.WAITING]):
            if waiting.batch_id == batch.id:
                runs.change(conn, waiting, RunStatus.CANCELLED, wish=None)
                words = f"Run {waiting.id}, which waited for batch {batch.name}, ends: the batch is taken back."
                journal.record(conn, "run.cancelled", words, run_id=waiting.id, batch_id=batch.id)
    wake_worker(services, run.id)
    return run
