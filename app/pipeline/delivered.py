"""The last step of every delivery: batch SYNCED and its assets delivered, in one transaction.

Files that failed on the way stay behind and are told of. A batch of which every file failed is not delivered at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from app.db import assets, batches, deliveries, journal, members, releases
from app.db import roots as root_rows
from app.db.clock import later, now
from app.db.connection import Connection
from app.errors import IllegalTransition
from app.files.walk import Looks, signature_at
from app.model import Asset, AssetStatus, Batch, BatchStatus, Failure, Place, Report, Signature
from app.model.counting import counted
from app.pipeline.failing import failure
from app.pipeline.whereabouts import Whereabouts, look_at
from app.services import Services

NOTHING_LEFT = "None of its files could be delivered; each says why."


def finish(services: Services, batch: Batch, run_id: int | None, message: str, *, wait_seconds: float = 0) -> Report:
    """Mark the batch and its assets delivered; sorting has to wait for `wait_seconds`.

    When somebody else finished the same batch meanwhile, that counts and nothing is done twice. A delivery through
    Syncthing goes on instead when a file is not proven: one that had failed may be tried again at any moment.
    """
    try:
        with services.db.transaction() as conn:
            left_out = [failure(a, a.reason or "") for a in assets.list_in_batch(conn, batch.id, AssetStatus.FAILED)]
            files, size_bytes = members.count(conn, batch.id).get(AssetStatus.BATCHED, (0, 0))
            if not files:
                return _come_to_nothing(conn, batch, run_id, left_out)
            unproven = deliveries.count_unproven(conn, batch.id) if batch.target == "syncthing" else 0
            if unproven:
                return _go_on(conn, batch, unproven)
            columns = {"sync_detail": message, "next_look_at": later(wait_seconds) if wait_seconds else None}
            _mark(conn, batch, files, size_bytes, columns)
            _tell(conn, batch, run_id, message, (files, size_bytes, len(left_out)))
    except IllegalTransition:
        return _finished_elsewhere(services, batch)
    outcome = "waiting" if wait_seconds else "done"
    return Report(outcome, message, done=files, size_bytes=size_bytes, batch_id=batch.id, failures=left_out)


def _go_on(conn: Connection, batch: Batch, unproven: int) -> Report:
    files = counted(unproven, "file is", "files are")
    message = f"{files} not confirmed yet; the batch is looked at again."
    batches.set_columns(conn, batch.id, sync_detail=message, next_look_at=now())
    return Report("waiting", message, batch_id=batch.id)


def _mark(conn: Connection, batch: Batch, files: int, size_bytes: int, columns: dict[str, str | None]) -> None:
    held = {"file_count": files, "size_bytes": size_bytes, "confirmed_count": files, "confirmed_bytes": size_bytes}
    batches.change(conn, batch, BatchStatus.SYNCED, **held, **columns)
    members.mark_all(conn, batch.id, AssetStatus.BATCHED, AssetStatus.DELIVERED)


def _tell(conn: Connection, batch: Batch, run_id: int | None, message: str, held: tuple[int, int, int]) -> None:
    files, size_bytes, failed = held
    more = f" {failed} more failed and were left out." if failed else ""
    detail = {"target": batch.target, "files": files, "size_bytes": size_bytes, "failed": failed}
    words = f"Batch {batch.name}: {counted(files, 'file', 'files')} delivered. {message}{more}"
    journal.record(conn, "batch.synced", words,
                   level="warning" if failed else "info", run_id=run_id, batch_id=batch.id, detail=detail)


def _come_to_nothing(conn: Connection, batch: Batch, run_id: int | None, failures: list[Failure]) -> Report:
    """Every file failed: nothing was delivered, so nothing may say so. Cleanup removes the folder once it is empty."""
    batches.change(conn, batch, BatchStatus.CANCELLED, error=NOTHING_LEFT, file_count=0, size_bytes=0)
    words = f"Batch {batch.name} was cancelled: {NOTHING_LEFT}"
    journal.record(conn, "batch.cancelled", words, level="warning", run_id=run_id, batch_id=batch.id,
                   detail={"reason": NOTHING_LEFT})
    return Report("done", words, batch_id=batch.id, failures=failures)


def _finished_elsewhere(services: Services, batch: Batch) -> Report:
    with services.db.reading() as conn:
        found = batches.get(conn, batch.id)
    if found.status is not BatchStatus.SYNCED:
        raise IllegalTransition(f"Batch {batch.name}", found.status, BatchStatus.SYNCED)
    return Report("done", f"Batch {batch.name} is delivered.", done=found.confirmed_count, batch_id=batch.id)


def list_changed(services: Services, batch: Batch) -> list[Asset]:
    """The batch's undelivered assets whose files are gone, not as their rows say, or out of reach; not those that
    the peer has released."""
    with services.db.reading() as conn:
        released = releases.released_ids(conn, batch.id)
        expected = [a for a in assets.list_in_batch(conn, batch.id, AssetStatus.BATCHED) if a.id not in released]
        roots = {root.id: root for root in root_rows.list_all(conn)}
    changed = []
    with ExitStack() as open_looks:
        looks = {root_id: open_looks.enter_context(Looks(roots[root_id])) for root_id in {a.root_id for a in expected}}
        # Neighbours one after the other: a folder is opened once for all of its files.
        for asset in sorted(expected, key=lambda a: a.path):
            if not _is_unchanged(services, Place(roots[asset.root_id], asset.path), asset, looks[asset.root_id]):
                changed.append(asset)
    return changed


def _is_unchanged(services: Services, place: Place, asset: Asset, looks: Looks) -> bool:
    """Whether nothing tells that the file was written since; its change time is what no program can set back."""
    try:
        found = looks.signature_at(place.path)
    except OSError:
        return False
    times = (asset.size_bytes, asset.mtime_ns, asset.ctime_ns)
    if found is None or (found.size_bytes, found.mtime_ns, found.ctime_ns) != times:
        return False
    return found.inode == asset.inode or _is_renumbered(services, place, asset, found)


def is_only_touched(services: Services, changed: Sequence[Asset]) -> bool:
    """Whether these files, whose change time is another, are otherwise as their rows say: their permissions, their
    owner or their names were changed, as far as can be told without reading them."""
    with services.db.reading() as conn:
        roots = {root.id: root for root in root_rows.list_all(conn)}
    return all(_is_as_written(Place(roots[asset.root_id], asset.path), asset) for asset in changed)


def _is_as_written(place: Place, asset: Asset) -> bool:
    try:
        found = signature_at(place.root, place.path)
    except OSError:
        return False
    as_written = (asset.size_bytes, asset.mtime_ns, asset.inode)
    return found is not None and (found.size_bytes, found.mtime_ns, found.inode) == as_written


def _is_renumbered(services: Services, place: Place, asset: Asset, found: Signature) -> bool:
    """Whether a file of the same times under another inode has its content still: some file systems number anew."""
    if look_at(place, asset) is not Whereabouts.HERE:
        return False
    with services.db.transaction() as conn:
        latest = assets.get(conn, asset.id)
        if (latest.root_id, latest.path, latest.inode) == (asset.root_id, asset.path, asset.inode):
            assets.set_columns(conn, [(asset.id, {"device": found.device, "inode": found.inode})])
    return True
