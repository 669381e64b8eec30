"""The end of an undo: what we made for the batch goes, the manifest says what happened, the batch is CANCELLED.

Every step finds what the one before left, so an end that was cut off is simply taken again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app.db import assets, batches, deliveries, journal, kept_copies, made_folders, members, moves
from app.db import roots as root_rows
from app.db.clock import now
from app.db.connection import Connection
from app.files.prune import remove_empty_folders
from app.files.roots import check_roots
from app.files.way_back import PRESENT
from app.model import Asset, AssetStatus, Batch, BatchStatus, Failure, Report, Root, RootKind
from app.model.counting import counted
from app.model.undo import IN_BATCH, Act
from app.pipeline import manifest_store
from app.pipeline.failing import failure, give_up
from app.pipeline.finished_folders import clean_batch
from app.pipeline.manifest import manifest_bytes
from app.pipeline.room import in_words
from app.pipeline.undo.drawn import settle_drawn
from app.pipeline.undo.taking_back import PURPOSE, TakingBack, reason_in_row
from app.pipeline.whereabouts import is_there
from app.services import Services


def close(work: TakingBack, peer: str) -> Report:
    """Tidy up behind the files, and end the batch. Raises RootUnavailable."""
    services, batch = work.services, work.batch
    clean_batch(services, work.step, batch, _batch_roots(services))
    _remove_made_folders(services, batch)
    _note_in_manifest(services, batch, work.look.returns_as)
    return _end(work, peer)


# --- what we made


def _batch_roots(services: Services) -> list[Root]:
    """Every batch and staging folder that is there: the batch stays where it was published when the setting moves."""
    with services.db.reading() as conn:
        known = [root for root in root_rows.list_all(conn) if root.kind in IN_BATCH]
    return [root for root in known if is_there(services, root)]


def _remove_made_folders(services: Services, batch: Batch) -> None:
    """Folders of the archive that were made for files and that the last file has left."""
    with services.db.reading() as conn:
        roots = {root.id: root for root in root_rows.list_all(conn) if root.kind not in IN_BATCH}
        left = {i: f for i, f in moves.list_left(conn, batch.id, PURPOSE).items() if i in roots}
        made = {i: made_folders.choose(conn, i, _with_parents(folders)) for i, folders in left.items()}
    for root_id, folders in made.items():
        removed = remove_empty_folders(roots[root_id], folders)
        with services.db.transaction() as conn:
            made_folders.forget(conn, root_id, removed)


def _with_parents(folders: Iterable[bytes]) -> set[bytes]:
    found: set[bytes] = set()
    for below in folders:
        folder = below
        while folder:
            found.add(folder)
            folder = folder.rpartition(b"/")[0]
    return found


def _note_in_manifest(services: Services, batch: Batch, returned_as: AssetStatus) -> None:
    """A new revision of the manifest in the archive tells whoever rebuilds a lost database that this was undone, and
    whether its files wait for a person or for the next batch."""
    archive = services.root(RootKind.ARCHIVE)
    check_roots(services.db, [archive])
    newest = manifest_store.load_newest(archive, batch)
    if newest is None or newest.undone_at is not None:
        return
    undone = replace(newest, revision=newest.revision + 1, undone_at=now(), returned_as=returned_as.value)
    path = manifest_store.save(services.disk, archive, undone, manifest_bytes(undone))
    with services.db.transaction() as conn:
        batches.set_columns(conn, batch.id, manifest_path=path)


# --- the rows


def _end(work: TakingBack, peer: str) -> Report:
    services, step = work.services, work.step
    with services.db.transaction() as conn:
        batch = batches.get(conn, work.batch.id)
        roots = {root.id: root for root in root_rows.list_all(conn)}
        left = [*work.left, *_give_up_lost(conn, work)]
        found = members.list_of(conn, batch.id, PRESENT)
        back = [a for a in found if a.status in (work.look.returns_as, AssetStatus.UNIQUE)]
        back = [a for a in back if roots[a.root_id].kind not in IN_BATCH]
        kept_copies.remove_at(conn, [(a.root_id, a.path) for a in back])
        # Those in staging are holds, which are dropped when the files are seen to be back.
        known = [root.id for root in roots.values() if root.kind in (RootKind.INGEST, RootKind.STAGING)]
        kept_copies.forget_outside(conn, batch.id, known)
        _settle(conn, batch, back, found, work.look.returns_as)
        deliveries.forget_batch(conn, batch.id)
        size_bytes = sum(a.size_bytes for a in back)
        drawn = settle_drawn(conn, work, roots)
        words = _in_words(batch, len(back), size_bytes, len(left), drawn + peer, work.look.returns_as)
        batches.change(conn, batch, BatchStatus.CANCELLED, undone_at=now(), sync_detail=words, next_look_at=None)
        kind = "batch.undone" if work.look.returns_as is AssetStatus.SET_ASIDE else "batch.cancelled"
        detail = {"files": len(back), "size_bytes": size_bytes, "left": len(left), "peer": peer, "reason": words}
        journal.record(conn, kind, words, level="warning" if left else "info", run_id=step.run_id, batch_id=batch.id,
                       detail=detail)
    return Report("done", words, len(back), len(left), size_bytes, batch.id, left, {"batch_name": batch.name})


def _give_up_lost(conn: Connection, work: TakingBack) -> list[Failure]:
    """Lost files stay where their rows say, as failed."""
    left = []
    for verdict in work.look.of(Act.LEAVE):
        asset = assets.get(conn, verdict.facts.asset.id)
        if asset.status is not AssetStatus.FAILED:
            give_up(conn, asset, verdict.reason, work.step.run_id)
        left.append(failure(asset, verdict.reason))
    return left


def _settle(
    conn: Connection, batch: Batch, back: list[Asset], found: list[Asset], returns_as: AssetStatus
) -> None:
    """What was bound to the batch and never moved is treated like what is back; what a scan took again is let go."""
    if returns_as is AssetStatus.SET_ASIDE:
        waiting = [a for a in back if a.status is AssetStatus.UNIQUE]
        assets.mark(conn, waiting, AssetStatus.SET_ASIDE)
        untold = [a for a in back if a.reason is None]
        columns = {"reason": reason_in_row(batch), "attempts": 0, "original_id": None}
        assets.set_columns(conn, [(a.id, columns) for a in untold])
    unbound = back if returns_as is AssetStatus.UNIQUE else []
    unbound = unbound + [a for a in found if a.status is AssetStatus.DISCOVERED]
    assets.set_columns(conn, [(a.id, {"batch_id": None, "attempts": 0}) for a in unbound])


def _in_words(
    batch: Batch, files: int, size_bytes: int, left: int, peer: str, returns_as: AssetStatus
) -> str:
    held = f"{counted(files, 'file', 'files')}, {in_words(size_bytes)},"
    one = files == 1
    if returns_as is AssetStatus.UNIQUE:
        words = f"Batch {batch.name} was cancelled: {held} {'waits' if one else 'wait'} for the next batch."
    else:
        are = "is where it came from and is" if one else "are where they came from and are"
        words = f"Batch {batch.name} was taken back: {held} {are} set aside."
    behind = counted(left, "lost or changed file stays where it is", "lost or changed files stay where they are")
    lost = f" {behind}, as failed." if left else ""
    return f"{words}{lost} {peer}"
