"""What the worker's tick does for the pipeline: look at deliveries under way, and wake the runs that wait for them."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.db import batches, confirmation, root_waits, runs
from app.db.clock import now
from app.db.connection import Connection
from app.errors import Conflict
from app.model import OPEN_BATCH, Batch, BatchStatus, Run, RunKind, RunStatus
from app.pipeline import away, deliver_folder, left_behind, order, pairing, protecting, silence, staging_ground, sync
from app.pipeline.execution import DEBUG, wake
from app.services import Services


def look_at_deliveries(services: Services) -> None:
    """Take one look at every delivery to a peer whose next look is due.

    At most it puts a lost file back from a kept copy, or makes holds, for which the mover takes its own lock. While a
    rebuild waits to be confirmed, nothing is looked at.
    """
    protecting.protect_at_rest(services)
    with services.db.reading() as conn:
        under_way = list_under_way(conn)
    for batch in under_way:
        if _is_due(batch):
            try:
                sync.look(services, batch)
            except Conflict:
                # A run took the same look at the same time, and its result is stored.
                continue
    staging_ground.look_when_due(services)
    pairing.look_when_due(services)
    silence.listen_when_due(services)
    left_behind.look_when_due(services)


def list_under_way(conn: Connection) -> list[Batch]:
    """Every delivery to a peer that looks alone bring forward; none while a rebuild waits to be confirmed."""
    if confirmation.awaited_since(conn) is not None:
        return []
    statuses = [BatchStatus.PENDING, BatchStatus.SYNCING, BatchStatus.SYNCED]
    return [batch for batch in batches.list_by_status(conn, statuses) if _is_under_way(batch)]


def wake_waiting(services: Services) -> list[int]:
    """Queue a run whose wait is over, unless another is in flight; returns its id, in a list."""
    with services.db.reading() as conn:
        if runs.find_in_flight(conn) is not None:
            return []
        # A verification that rests goes on by the clock (worker/timetable.py).
        waiting = [run for run in runs.list_by_status(conn, [RunStatus.WAITING]) if run.kind is not RunKind.VERIFY]
        open_batches = batches.list_by_status(conn, OPEN_BATCH)
        may_batch = not staging_ground.is_waited_for(conn)
    for run in waiting:
        if _wake(services, run, open_batches, may_batch):
            return [run.id]
    return []


def _wake(services: Services, run: Run, open_batches: list[Batch], may_batch: bool) -> bool:
    with services.db.reading() as conn:
        wait = root_waits.find(conn, run.id)
    if wait is None or wait.is_over:
        message = f"Run {run.id} goes on; its wait is over."
        return _wait_is_over(services, run, open_batches, may_batch) and wake(services, run, message)
    words = away.words_when_back(services, run, wait)
    return words is not None and wake(services, run, words)


def advance_debug_pause(services: Services) -> list[int]:
    """Queue the run that debug mode paused after a step, once the longest pause is over; returns its id, in a list."""
    seconds = services.config.workflow.debug.step_timeout_sec
    with services.db.reading() as conn:
        run = runs.find_in_flight(conn)
        if not seconds or run is None or run.status is not RunStatus.PAUSED or run.wish != DEBUG:
            return []
        ended_at = [step.ended_at for step in runs.list_steps(conn, run.id) if step.ended_at]
    if _age_seconds(max(ended_at, default=run.requested_at)) < seconds:
        return []
    return [run.id] if wake(services, run, f"Run {run.id} goes on; its pause is over.") else []


def _age_seconds(instant: str) -> float:
    return (datetime.fromisoformat(now()) - datetime.fromisoformat(instant)) / timedelta(seconds=1)


def _wait_is_over(services: Services, run: Run, open_batches: list[Batch], may_batch: bool) -> bool:
    """A stage run waits for its batch; a workflow run for any that it can take further, or until it may make one."""
    if run.kind is RunKind.PAIRING:
        return pairing.may_go_on(services, run.id)
    if run.kind is RunKind.WORKFLOW:
        pending = [b for b in open_batches if not order.waits_for_a_person(services, b)]
        if not pending:
            return may_batch
    else:
        pending = [b for b in open_batches if b.id == run.batch_id and b.status is not BatchStatus.ERROR]
    return not pending or any(not _is_under_way(b) and _is_due(b) and _can_go_on(services, b) for b in pending)


def _can_go_on(services: Services, batch: Batch) -> bool:
    """Whether a run would find the folder of a delivery there, and room in it. A disk that is away for a week thus
    leaves neither steps nor events behind; only the batch's row says, from look to look, what it waits for."""
    has_waited = batch.status in sync.UNDELIVERED and batch.next_look_at is not None
    return batch.target != "folder" or not has_waited or not deliver_folder.still_waits(services, batch)


def _is_under_way(batch: Batch) -> bool:
    """Whether a delivery was begun, or a release is awaited, so that looks alone bring it forward. Only a run can go
    on with a folder's."""
    was_begun = batch.status is BatchStatus.SYNCING or (
        batch.status is BatchStatus.PENDING and batch.next_look_at is not None
    )
    return batch.target == "syncthing" and (was_begun or batch.awaits_release)


def _is_due(batch: Batch) -> bool:
    return batch.next_look_at is None or batch.next_look_at <= now()
