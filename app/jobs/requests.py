"""Asking for work: each request inserts a queued run in one transaction and wakes the worker.

At most one run is in flight. A request that cannot be served now raises a Conflict that says why and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.db import batches, journal, peer_room, runs
from app.db.connection import Connection
from app.errors import Conflict, IllegalTransition
from app.jobs.actor import works_for
from app.jobs.wake import wake_worker
from app.model import WORKFLOW_STAGES, Batch, BatchStatus, Run, RunKind, RunStatus, Stage, Trigger
from app.services import Services

SYNCABLE = (BatchStatus.PENDING, BatchStatus.SYNCING, BatchStatus.SYNCED)
#: A sorted batch may hold files that failed then and are tried again now.
SORTABLE = (BatchStatus.SYNCED, BatchStatus.SORTING, BatchStatus.SORTED)


def start_workflow(services: Services, trigger: Trigger) -> Run:
    """Ask for the whole job; it takes over from a workflow run that waits for a delivery. Raises RunInProgress."""
    run = request_run(services, RunKind.WORKFLOW, trigger, WORKFLOW_STAGES, "The whole workflow was asked for.")
    with services.db.transaction() as conn:
        for waiting in runs.list_by_status(conn, [RunStatus.WAITING]):
            if waiting.kind is RunKind.WORKFLOW:
                message = f"Run {run.id} takes over from run {waiting.id}, which waited."
                runs.change(conn, waiting, RunStatus.DONE, wish=None)
                journal.record(conn, "run.finished", message, run_id=waiting.id, batch_id=waiting.batch_id)
    return run


def start_stage(
    services: Services, stages: Stage | Sequence[Stage], trigger: Trigger, batch_id: int | None = None
) -> Run:
    """Ask for one stage, or a few in this order, on one batch where they need one.

    Raises RunInProgress; NotFound when there is no such batch.
    """
    wanted = (stages,) if isinstance(stages, Stage) else tuple(stages)
    message = f"{', '.join(wanted).capitalize()} was asked for."
    return request_run(services, RunKind.STAGE, trigger, wanted, message, batch_id)


def start_dedup(services: Services, trigger: Trigger) -> Run:
    """Ask for a scan of ingest and the search for duplicates. Raises RunInProgress."""
    return start_stage(services, (Stage.SCAN, Stage.DEDUP), trigger)


def start_cleanup(services: Services, trigger: Trigger) -> Run:
    """Ask for cleanup. Raises RunInProgress."""
    return start_stage(services, Stage.CLEANUP, trigger)


def start_sync(services: Services, batch_id: int, trigger: Trigger) -> Run:
    """Ask for the delivery of a batch.

    Raises NotFound, RunInProgress, and IllegalTransition when the batch is past delivery or failed.
    """
    _require(services, batch_id, SYNCABLE, BatchStatus.SYNCED)
    return start_stage(services, Stage.SYNC, trigger, batch_id)


def start_sort(services: Services, batch_id: int, trigger: Trigger) -> Run:
    """Ask for a delivered batch to be filed into the archive.

    Raises NotFound, RunInProgress, and IllegalTransition when the batch is not delivered.
    """
    _require(services, batch_id, SORTABLE, BatchStatus.SORTING)
    return start_stage(services, Stage.SORT, trigger, batch_id)


def create_batch(services: Services, trigger: Trigger) -> tuple[Batch, Run]:
    """Reserve the next batch and ask for it to be built; its id and name are known at once.

    Raises OpenBatchExists (naming the batch in the way), Conflict when the room at the peer is full, and RunInProgress.
    """
    config = services.config
    with services.db.transaction() as conn:
        room = peer_room.measure(conn, config) if config.sync_target == "syncthing" else None
        if room is not None and room.free_bytes == 0 and config.batch.allow_parallel:
            raise Conflict(room.full_words())
        batch = batches.reserve(
            conn,
            naming_pattern=config.batch.naming_pattern,
            allow_parallel=config.batch.allow_parallel,
            target=config.sync_target,
            transfer_mode=config.batch.transfer_mode,
            peer_policy=config.sync.peer_policy,
            device_id=config.syncthing.device_id or None,
        )
        stages = (Stage.INSPECT, Stage.BATCH)
        run = runs.insert_queued(conn, RunKind.STAGE, trigger, stages, batch.id, services.revision)
        batches.set_columns(conn, batch.id, run_id=run.id)
        note_request(conn, run, f"Batch {batch.name} was asked for.")
        batch = batches.get(conn, batch.id)
    wake_worker(services, run.id)
    return batch, run


def request_run(
    services: Services,
    kind: RunKind,
    trigger: Trigger,
    stages: Sequence[Stage],
    message: str,
    batch_id: int | None = None,
    arguments: Mapping[str, Any] | None = None,
    actor: str = "",
) -> Run:
    """Insert a queued run, with its event, and wake the worker. The actor is, if not given, who this thread works for.

    Raises RunInProgress; NotFound when there is no such batch.
    """
    with services.db.transaction() as conn:
        if batch_id is not None:
            batches.get(conn, batch_id)
        run = runs.insert_queued(conn, kind, trigger, stages, batch_id, services.revision, arguments)
        note_request(conn, run, message, actor)
    wake_worker(services, run.id)
    return run


def note_request(conn: Connection, run: Run, message: str, actor: str = "") -> None:
    """Tell the journal who asked for a run."""
    who = actor or works_for() or run.trigger
    detail = {"trigger": run.trigger, "actor": who, "kind": run.kind, "stages": list(run.stages)}
    journal.record(conn, "run.requested", message, run_id=run.id, batch_id=run.batch_id, detail=detail)


def _require(services: Services, batch_id: int, statuses: Sequence[BatchStatus], wanted: BatchStatus) -> None:
    with services.db.reading() as conn:
        batch = batches.get(conn, batch_id)
    if batch.status not in statuses:
        raise IllegalTransition(f"Batch {batch.name}", batch.status, wanted)
