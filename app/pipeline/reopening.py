"""Labels that no longer hold are taken back: an original does not stand for its content any more, or a file that could
not be sent has a new name. The files are judged again."""

from __future__ import annotations

from collections.abc import Sequence

from app.db import assets, journal, new_content, reference_files, undecided, waiting
from app.db.connection import Connection
from app.errors import printable
from app.files.walk import signature_at
from app.model import Asset, AssetStatus, Root, RootKind, Signature
from app.pipeline.unsendable import take_up_again
from app.services import Services


def reopen_orphaned(services: Services, run_id: int, references: Sequence[Root]) -> int:
    """Make such files `discovered`, or `gone` when they too are gone; returns how many.

    What waits with the number of a batch that has ended waits for the next one from now on. The roots must have been
    checked. A file under a root that is not configured keeps its label; `references` are the reference folders.
    """
    roots = {root.id: root for of_kind in services.roots.values() for root in of_kind}
    with services.db.transaction() as conn:
        reopened = take_up_again(conn)
        waiting.leave_ended_batches(conn)
        orphaned = undecided.list_orphaned_labels(conn, services.config.dedup.remember_removed)
        orphaned += reference_files.list_orphaned_labels(conn, [root.id for root in references])
        labelled = [assets.get(conn, asset_id) for asset_id in orphaned]
        for asset in labelled:
            root = roots.get(asset.root_id)
            reopened += root is not None and _reopen(conn, asset, root, run_id)
    return reopened


def _reopen(conn: Connection, asset: Asset, root: Root, run_id: int) -> bool:
    try:
        seen = signature_at(root, asset.path)
    except OSError:
        return False  # the disk gives no answer: the next run asks again
    if seen is None:
        assets.mark(conn, [asset], AssetStatus.GONE, reason="no longer where it was left")
        words = f"{printable(asset.path)} was the duplicate of a file that is lost, and is not there any more itself."
        journal.record(conn, "asset.vanished", words, level="warning", run_id=run_id, asset_id=asset.id)
        return False
    asset = _as_it_is_now(conn, asset, root, seen)
    assets.mark(conn, [asset], AssetStatus.DISCOVERED, original_id=None, batch_id=None)
    return True


def _as_it_is_now(conn: Connection, asset: Asset, root: Root, seen: Signature) -> Asset:
    """No scan looks at the duplicates folder: a file that was changed there is noticed here, and read again."""
    if root.kind is RootKind.INGEST or seen._replace(device=asset.device) == asset.signature:
        return asset
    new_content.take_content(conn, asset, seen)
    return assets.get(conn, asset.id)
