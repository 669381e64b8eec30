"""The last step of every delivery: batch SYNCED and its assets delivered, in one transaction."""

from __future__ import annotations

from app.db import assets, batches, journal, members
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
            files, size_bytes = members.count(conn, batch.id).get(AssetStatus.BATCHED, (0, 0))
            batches.change(
                conn,
                batch,
                BatchStatus.SYNCED,
                confirmed_count=files,
                confirmed_bytes=size_bytes,
                sync_detail=message,
                next_look_at=later(wait_seconds) if wait_seconds else None,
            )
            members.mark_all(conn, batch.id, AssetStatus.BATCHED, AssetStatus.DELIVERED)
            told = f"Batch {batch.name}: {files} files delivered. {message}"
            detail = {"target": batch.target, "files": files, "size_bytes": size_bytes}
            journal.record(conn, "batch.synced", told, run_id=run_id, batch_id=batch.id, detail=detail)
    except IllegalTransition:
        return _finished_elsewhere(services, batch)
    outcome = "waiting" if wait_seconds else "done"
    return Report(outcome, message, done=files, size_bytes=size_bytes, batch_id=batch.id)


def _finished_elsewhere(services: Services, batch: Batch) -> Report:
    with services.db.reading() as conn:
        found = batches.get(conn, batch.id)
    if found.status is not BatchStatus.SYNCED:
        raise IllegalTransition(f"Batch {batch.name}", found.status, BatchStatus.SYNCED)
    return Report("done", f"Batch {batch.name} is delivered.", done=found.confirmed_count, batch_id=batch.id)


def list_changed(services: Services, batch: Batch) -> list[Asset]:
    """The batch's undelivered assets whose files are gone or not as their rows say."""
    with services.db.reading() as conn:
        expected = assets.list_in_batch(conn, batch.id, AssetStatus.BATCHED)
        roots = {root.id: root for root in root_rows.list_all(conn)}
    return [asset for asset in expected if not _is_unchanged(roots[asset.root_id], asset)]


def _is_unchanged(root: Root, asset: Asset) -> bool:
    found = signature_at(root, asset.path)
    return found is not None and (found.size_bytes, found.mtime_ns) == (asset.size_bytes, asset.mtime_ns)
