"""Trying again what failed: a run, a batch, a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.db import assets, batches, confirmation, deliveries, journal, members, roots, runs
from app.db.connection import Connection
from app.errors import Conflict, IllegalTransition, printable
from app.files.kinds import is_own
from app.jobs.wake import wake_worker
from app.model import (
    Asset,
    AssetStatus,
    Batch,
    BatchStatus,
    Place,
    Root,
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
    BatchStatus.UNDOING: (Stage.UNDO,),
}
#: What a person may have tried again.
RETRIED = (AssetStatus.FAILED, AssetStatus.SET_ASIDE)
#: Where the files of a batch lie.
IN_BATCH = (RootKind.STAGING, RootKind.BATCH)


def retry_run(services: Services, run_id: int) -> Run:
    """Queue a failed run again; it goes on where it stopped. In place of a failed verification a new one is queued:
    what was read long ago says nothing of today.

    Raises NotFound, IllegalTransition when it has not failed, RunInProgress, and Conflict for a rebuild when no
    confirmation is awaited any more.
    """
    with services.db.transaction() as conn:
        run = runs.get(conn, run_id)
        if run.status is not RunStatus.FAILED:
            raise IllegalTransition(f"Run {run.id}", run.status, "retried")
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
            raise IllegalTransition(f"Batch {batch.name}", batch.status, "retried")
        before = BatchStatus(batch.error_from) if batch.error_from else BatchStatus.PENDING
        batch = batches.change(conn, batch, before, error=None, error_from=None, next_look_at=None)
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
            raise IllegalTransition(f"File {asset.id}", asset.status, "retried")
        reason = why_not(conn, asset, known)
        if reason is not None:
            raise Conflict(reason)
        reopen(conn, [asset], known)
        return assets.get(conn, asset_id)


def why_not(conn: Connection, asset: Asset, known: Mapping[int, Root]) -> str | None:
    """Why no run could take the file up from where it is, in a sentence; None when one can."""
    kind = known[asset.root_id].kind
    where = printable(Place(known[asset.root_id], asset.path).absolute)
    if is_ours(asset.path):
        return (
            f"File {asset.id} lies in our trash, or is a copy that was cut off, at {where}. Move it to the ingest "
            "folder under a name with its ending, such as photo.jpg, to have it taken in as a new one."
        )
    if asset.status is AssetStatus.SET_ASIDE:
        if kind is RootKind.INGEST:
            return None
        what = "waits for a review in" if kind is RootKind.ARCHIVE else "was set aside in"
        return (
            f"File {asset.id} {what} the {kind} folder, at {where}; move it to the ingest folder to have it taken in."
        )
    if kind is RootKind.ARCHIVE:
        return (
            f"The place of file {asset.id} is in the archive, at {where}, and no run takes files from there. Put the "
            "file into the ingest folder to have it taken in as a new one."
        )
    if kind in IN_BATCH and _missed_its_batch(conn, asset):
        return (
            f"File {asset.id} was not delivered with its batch, which has gone on without it. Put the file into the "
            f"ingest folder to have it taken in as a new one; its place was {where}."
        )
    return None


def is_ours(path: bytes) -> bool:
    """Whether a path is one of our private names, or lies below one: neither name nor ending say what it is."""
    return any(is_own(part) for part in path.split(b"/"))


def _missed_its_batch(conn: Connection, asset: Asset) -> bool:
    """Whether the delivery of the asset's batch is over, and the asset had no part in it."""
    batch = batches.find(conn, asset.batch_id) if asset.batch_id is not None else None
    if batch is None or (batch.synced_at is None and batch.status is not BatchStatus.CANCELLED):
        return False
    return batch.target != "none" and not deliveries.is_delivered(conn, batch.id, asset.id)


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
    for batch_id in {asset.batch_id for asset in by_status.get(AssetStatus.BATCHED, ()) if asset.batch_id is not None}:
        members.recount(conn, batch_id)
    told = [(f"File {asset.id} is tried again.", asset.batch_id, asset.id) for asset in reopened]
    journal.record_of_assets(conn, "asset.retried", told)


def _status_before(batch: Batch | None, kind: RootKind) -> AssetStatus:
    """A file that never left ingest starts afresh; one in a batch goes on from where the batch is."""
    if kind not in IN_BATCH:
        return AssetStatus.DISCOVERED
    if batch is None or batch.status is BatchStatus.CANCELLED:
        return AssetStatus.SET_ASIDE
    return AssetStatus.DELIVERED if batch.synced_at is not None else AssetStatus.BATCHED
