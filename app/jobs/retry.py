"""Trying again what failed: a run, a batch, a file, or every failed file."""

from __future__ import annotations

from collections.abc import Iterable

from app.db import assets, batches, journal, roots, runs
from app.db.connection import Connection
from app.errors import IllegalTransition
from app.jobs.wake import wake_worker
from app.model import (
    Asset,
    AssetStatus,
    Batch,
    BatchStatus,
    RootKind,
    Run,
    RunKind,
    RunStatus,
    Stage,
    Trigger,
)
from app.services import Services

#: What carries a batch to its end from the status that it had before it failed.
WAY_ON: dict[BatchStatus, tuple[Stage, ...]] = {
    BatchStatus.PENDING: (Stage.BATCH, Stage.SYNC, Stage.SORT, Stage.CLEANUP),
    BatchStatus.SYNCING: (Stage.SYNC, Stage.SORT, Stage.CLEANUP),
    BatchStatus.SYNCED: (Stage.SORT, Stage.CLEANUP),
    BatchStatus.SORTING: (Stage.SORT, Stage.CLEANUP),
}


def retry_run(services: Services, run_id: int) -> Run:
    """Queue a failed run again; it goes on where it stopped.

    Raises NotFound, IllegalTransition when it has not failed, RunInProgress.
    """
    with services.db.transaction() as conn:
        run = runs.get(conn, run_id)
        run = runs.change(conn, run, RunStatus.QUEUED, error=None, wish=None, ended_at=None, attempts=0)
        journal.record(conn, "run.resumed", f"Run {run.id} is tried again.", run_id=run.id, batch_id=run.batch_id)
    wake_worker(services, run.id)
    return run


def retry_batch(services: Services, batch_id: int, trigger: Trigger = Trigger.API) -> Run:
    """Bring a failed batch back to the status it had, and ask for a run that carries it to its end.

    Raises NotFound, IllegalTransition when it has not failed, RunInProgress.
    """
    with services.db.transaction() as conn:
        batch = batches.get(conn, batch_id)
        if batch.status is not BatchStatus.ERROR:
            raise IllegalTransition(f"Batch {batch.name}", batch.status, "retried")
        before = BatchStatus(batch.error_from) if batch.error_from else BatchStatus.PENDING
        batch = batches.change(conn, batch, before, error=None, error_from=None, next_look_at=None)
        run = runs.insert_queued(conn, RunKind.STAGE, trigger, _way_on(services, batch), batch.id, services.revision)
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
    """Let the next run take a failed file up again. Raises NotFound, IllegalTransition when it has not failed."""
    with services.db.transaction() as conn:
        asset = assets.get(conn, asset_id)
        if asset.status is not AssetStatus.FAILED:
            raise IllegalTransition(f"File {asset.id}", asset.status, "retried")
        _reopen(conn, [asset])
        return assets.get(conn, asset_id)


def retry_failed_assets(services: Services) -> int:
    """Let the next run take every failed file up again; returns how many there are."""
    after_id = count = 0
    while True:
        with services.db.transaction() as conn:
            failed = assets.list_by_status(conn, AssetStatus.FAILED, after_id)
            _reopen(conn, failed)
        if not failed:
            return count
        after_id, count = failed[-1].id, count + len(failed)


def _reopen(conn: Connection, failed: Iterable[Asset]) -> None:
    kinds = {root.id: root.kind for root in roots.list_all(conn)}
    for asset in failed:
        status = _status_before(conn, asset, kinds[asset.root_id])
        assets.mark(conn, [asset], status, attempts=0)
        journal.record(
            conn, "asset.retried", f"File {asset.id} is tried again.", batch_id=asset.batch_id, asset_id=asset.id
        )


def _status_before(conn: Connection, asset: Asset, kind: RootKind) -> AssetStatus:
    """A file that never left ingest starts afresh; one in a batch goes on from where the batch is."""
    if kind not in (RootKind.STAGING, RootKind.BATCH):
        return AssetStatus.DISCOVERED
    batch = batches.find(conn, asset.batch_id) if asset.batch_id is not None else None
    if batch is None or batch.status is BatchStatus.CANCELLED:
        return AssetStatus.SET_ASIDE
    return AssetStatus.DELIVERED if batch.synced_at is not None else AssetStatus.BATCHED
