"""The last step of every delivery: batch SYNCED and its assets delivered, in one transaction."""

from __future__ import annotations

from app.db import assets, batches, journal
from app.db import roots as root_rows
from app.db.clock import later
from app.errors import IllegalTransition
from app.files.walk import signature_at
from app.model import Asset, AssetStatus, Batch, BatchStatus, Report, Root
from app.services import Services


def finish(services: Services, batch: Batch, run_id: int | None, message: str, *, wait_seconds: float = 0) -> Report:
    """Mark the batch and its assets delivered; sorting has to wait for `wait_seconds`.

    When somebody else finished the same batch meanwhile, that counts and nothing is done twice.
    """
    try:
        with services.db.transaction() as conn:
            delivered = assets.list_in_batch(conn, batch.id, AssetStatus.BATCHED)
            batches.change(
                conn,
                batch,
                BatchStatus.SYNCED,
                confirmed_count=len(delivered),
                confirmed_bytes=_size(delivered),
                sync_detail=message,
                next_look_at=later(wait_seconds) if wait_seconds else None,
            )
            assets.mark(conn, delivered, AssetStatus.DELIVERED)
            told = f"Batch {batch.name}: {len(delivered)} files delivered. {message}"
            detail = {"target": batch.target, "files": len(delivered), "size_bytes": _size(delivered)}
            journal.record(conn, "batch.synced", told, run_id=run_id, batch_id=batch.id, detail=detail)
    except IllegalTransition:
        return _finished_elsewhere(services, batch)
    outcome = "waiting" if wait_seconds else "done"
    return Report(outcome, message, done=len(delivered), size_bytes=_size(delivered), batch_id=batch.id)


def _finished_elsewhere(services: Services, batch: Batch) -> Report:
    with services.db.reading() as conn:
        found = batches.get(conn, batch.id)
    if found.status is not BatchStatus.SYNCED:
        raise IllegalTransition(f"Batch {batch.name}", found.status, BatchStatus.SYNCED)
    return Report("done", f"Batch {batch.name} is delivered.", done=found.confirmed_count, batch_id=batch.id)


def _size(delivered: list[Asset]) -> int:
    return sum(asset.size_bytes for asset in delivered)


def list_changed(services: Services, batch: Batch) -> list[Asset]:
    """The batch's undelivered assets whose files are gone or not as their rows say."""
    with services.db.reading() as conn:
        expected = assets.list_in_batch(conn, batch.id, AssetStatus.BATCHED)
        roots = {root.id: root for root in root_rows.list_all(conn)}
    return [asset for asset in expected if not _is_unchanged(roots[asset.root_id], asset)]


def _is_unchanged(root: Root, asset: Asset) -> bool:
    found = signature_at(root, asset.path)
    return found is not None and (found.size_bytes, found.mtime_ns) == (asset.size_bytes, asset.mtime_ns)
