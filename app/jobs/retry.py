"""Trying again what failed: a run, a batch, a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.db import assets, batches, confirmation, deliveries, journal, members, roots, runs
from app.db.connection import Connection
from app.errors import Conflict, IllegalTransition
from app.jobs.wake import wake_worker
from app.model import (
    Asset,
    AssetStatus,
    Batch,
    BatchStatus,
    Root,
    RootKind,
    Run,
    RunKind,
    RunStatus,
    Stage,
    Trigger,
)
from app.overview.retrying import IN_BATCH, why_not
from app.services import Services
from app.syncthing import notes

#: What carries a batch to its end from the status that it had before it failed.
WAY_ON: dict[BatchStatus, tuple[Stage, ...]] = {
    BatchStatus.PENDING: (Stage.BATCH, Stage.SYNC, Stage.SORT, Stage.CLEANUP),
    BatchStatus.SYNCING: (Stage.SYNC, Stage.SORT, Stage.CLEANUP),
    BatchStatus.SYNCED: (Stage.SORT, Stage.CLEANUP),
    BatchStatus.SORTING: (Stage.SORT, Stage.CLEANUP),
    BatchStatus.UNDOING: (Stage.UNDO,),
}
#: What a person may have tried again.
RETRIED = (AssetStatus.FAILED, AssetStatus.SET_ASIDE)
ONLY_BATCHES = "only a batch in ERROR can be retried"
ONLY_FILES = "only a file that failed or was set aside can be retried"


def retry_run(services: Services, run_id: int) -> Run:
    """Queue a failed run again; it goes on where it stopped. In place of a failed verification a new one is queued:
    what was read long ago says nothing of today.

    Raises NotFound, IllegalTransition when it has not failed, RunInProgress, and Conflict for a rebuild when no
    confirmation is awaited any more.
    """
    with services.db.transaction() as conn:
        run = runs.get(conn, run_id)
        if run.status is not RunStatus.FAILED:
            raise IllegalTransition(f"Run {run.id}", run.status, "retried", "only a run that failed can be retried")
        if run.kind is RunKind.REBUILD:
            confirmation.refuse_rebuild(conn)
        if run.kind is RunKind.VERIFY:
            run = runs.insert_queued(
                conn, run.kind, run.trigger, run.stages, None, services.revision, arguments=run.arguments
            )
            message = f"Run {run_id} is tried again from the beginning, as run {run.id}."
        else:
            run = runs.change(conn, run, RunStatus.QUEUED, error=None, wish=None, ended_at=None, attempts=0)
            message = f"Run {run.id} is tried again."
        journal.record(conn, "run.resumed", message, run_id=run.id, batch_id=run.batch_id)
    wake_worker(services, run.id)
    return run


def retry_batch(services: Services, batch_id: int, trigger: Trigger = Trigger.API) -> Run:
    """Bring a failed batch back to the status it had, and ask for a run that carries it to its end.

    Raises NotFound, IllegalTransition when it has not failed, RunInProgress.
    """
    with services.db.transaction() as conn:
        batch = batches.get(conn, batch_id)
        if batch.status is not BatchStatus.ERROR:
            raise IllegalTransition(f"Batch {batch.name}", batch.status, "retried", ONLY_BATCHES)
        before = BatchStatus(batch.error_from) if batch.error_from else BatchStatus.PENDING
        # The time until which a peer's copies stay is a promise; every other wait a retry ends.
        is_grace = before is BatchStatus.SYNCED and batch.peer_policy == "mirror"
        due = batch.next_look_at if is_grace else None
        batch = batches.change(conn, batch, before, error=None, error_from=None, next_look_at=due)
        kind = RunKind.UNDO if before is BatchStatus.UNDOING else RunKind.STAGE
        run = runs.insert_queued(conn, kind, trigger, _way_on(services, batch), batch.id, services.revision)
        message = f"Batch {batch.name} is tried again from {before}."
        journal.record(conn, "batch.retried", message, run_id=run.id, batch_id=batch.id)
    wake_worker(services, run.id)
    return run


def _way_on(services: Services, batch: Batch) -> tuple[Stage, ...]:
    way = WAY_ON[batch.status]
    if batch.published_at is not None:
        way = tuple(s for s in way if s is not Stage.BATCH)
    if Stage.SYNC in way and not services.config.syncthing.auto_sort_after_sync:
        way = way[: way.index(Stage.SYNC) + 1]
    return way


def retry_asset(services: Services, asset_id: int) -> Asset:
    """Let the next run take up again a file that failed, or one that was set aside and is still in an ingest folder.

    Raises NotFound, IllegalTransition for another status, and Conflict when no run could take it up from where it is.
    """
    with services.db.transaction() as conn:
        asset = assets.get(conn, asset_id)
        known = {root.id: root for root in roots.list_all(conn)}
        if asset.status not in RETRIED:
            raise IllegalTransition(f"File {asset.id}", asset.status.replace("_", " "), "retried", ONLY_FILES)
        reason = why_not(conn, asset, known)
        if reason is not None:
            raise Conflict(reason)
        reopen(conn, [asset], known)
        return assets.get(conn, asset_id)


def reopen(conn: Connection, reopened: Sequence[Asset], known: Mapping[int, Root]) -> None:
    """Give files that can be taken up again the status from which they are, and tell of each. Raises as `mark` does."""
    by_status: dict[AssetStatus, list[Asset]] = {}
    in_batch = {asset.batch_id for asset in reopened if asset.batch_id is not None}
    found = {batch_id: batches.find(conn, batch_id) for batch_id in in_batch}
    for asset in reopened:
        batch = found.get(asset.batch_id) if asset.batch_id is not None else None
        by_status.setdefault(_status_before(batch, known[asset.root_id].kind), []).append(asset)
    for status, alike in by_status.items():
        columns = {"batch_id": None, "original_id": None} if status is AssetStatus.DISCOVERED else {}
        assets.mark(conn, alike, status, attempts=0, **columns)
    _prove_anew(conn, by_status.get(AssetStatus.BATCHED, ()))
    told = [(f"File {asset.id} is tried again.", asset.batch_id, asset.id) for asset in reopened]
    journal.record_of_assets(conn, "asset.retried", told)


def _prove_anew(conn: Connection, batched: Sequence[Asset]) -> None:
    """What was found of these files before they failed says nothing of what lies there now."""
    of_batch = [(asset.batch_id, asset.id) for asset in batched if asset.batch_id is not None]
    for batch_id, asset_id in of_batch:
        deliveries.forget(conn, batch_id, asset_id)
    for batch_id in {batch_id for batch_id, _ in of_batch}:
        notes.ask_scan(conn, batch_id)
        members.recount(conn, batch_id)


def _status_before(batch: Batch | None, kind: RootKind) -> AssetStatus:
    """A file that never left ingest starts afresh; one in a batch goes on from where the batch is."""
    if kind not in IN_BATCH:
        return AssetStatus.DISCOVERED
    if batch is None or batch.status is BatchStatus.CANCELLED:
        return AssetStatus.SET_ASIDE
    return AssetStatus.DELIVERED if batch.synced_at is not None else AssetStatus.BATCHED
