"""Dropping copied sources from the trash after some days, one by one, each only while its copy is certainly there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from app.db import assets, moves, roots
from app.db.clock import later
from app.db.connection import Database
from app.db.moves import MoveRow
from app.errors import RootUnavailable
from app.files import content, faults, lock
from app.files.directory import Folders, is_regular, look, signature_of, split
from app.files.lock import mover_lock, refuse_rehearsal
from app.files.moving import SIDECAR
from app.files.recover_facts import is_in_trash_folder
from app.model import Asset, AssetStatus, Place, Root

SECONDS_PER_DAY = 86_400
ROWS_AT_ONCE = 500

#: An asset in one of these has no certain place.
WITHOUT_PLACE = (AssetStatus.GONE, AssetStatus.FAILED)


@dataclass(frozen=True)
class TrashReport:
    """What became of the trash that was due: dropped, and kept because the copy was not certain."""

    dropped: int = 0
    dropped_bytes: int = 0
    kept: int = 0


def drop_expired_trash(db: Database, days: float) -> TrashReport:
    """Remove sources that were copied more than `days` ago, by the journal's clock.

    One is dropped only when it still holds what was planned and its asset's file, re-checked now by signature or
    else by content, is another file that holds the same; or it is a sidecar that we wrote. All else stays, also what
    lies under a root that is away: it may be a former one that never comes back. Raises MoverBusy, and StateError for
    the database of a preview.
    """
    refuse_rehearsal(db)
    before = later(-days * SECONDS_PER_DAY)
    last_id, dropped, size, kept = 0, 0, 0, 0
    with mover_lock(os.path.dirname(os.path.abspath(db.path))), lock.moving:
        while True:
            with db.reading() as conn:
                rows, known = moves.list_trash(conn, before, last_id, ROWS_AT_ONCE), roots.list_all(conn)
                owners = {row.id: assets.find(conn, row.asset_id) for row in rows if row.asset_id is not None}
            if not rows:
                return TrashReport(dropped, size, kept)
            last_id = rows[-1].id
            gone = _drop_some(db, rows, {root.id: root for root in known}, owners)
            dropped, size = dropped + len(gone), size + sum(row.size_bytes for row in gone)
            kept += len(rows) - len(gone)


def _drop_some(
    db: Database, rows: Sequence[MoveRow], known: dict[int, Root], owners: dict[int, Asset | None]
) -> list[MoveRow]:
    gone: list[MoveRow] = []
    with Folders() as folders:
        for row in rows:
            try:
                if _drop(folders, row, known, owners.get(row.id)):
                    gone.append(row)
            except RootUnavailable:
                continue
            except OSError as error:
                raise faults.of_root(error, known[row.trash_root_id or row.src_root_id]) from error
        folders.flush()
    with db.transaction() as conn:
        moves.mark_dropped(conn, [row.id for row in gone])
    return gone


def _drop(folders: Folders, row: MoveRow, known: dict[int, Root], asset: Asset | None) -> bool:
    """True when the trash of this row is gone."""
    if row.trash_root_id is None or row.trash_path is None:
        return False
    trash = Place(known[row.trash_root_id], row.trash_path)
    if not is_in_trash_folder(trash):
        return False
    folder, name = split(trash)
    try:
        fd = folders.open(trash.root, folder)
    except FileNotFoundError:
        return True
    seen = look(fd, name)
    if seen is None:
        return True
    if asset is None or not _holds_what_was_planned(fd, name, seen, row):
        return False
    # What we wrote ourselves needs no copy.
    if row.purpose != SIDECAR and not _copy_is_certain(folders, known, asset, row, seen):
        return False
    os.unlink(name, dir_fd=folders.open(trash.root, folder))
    folders.changed(trash.root, folder)
    return True


def _holds_what_was_planned(folder: int, name: bytes, seen: os.stat_result, row: MoveRow) -> bool:
    if not is_regular(seen) or seen.st_size != row.size_bytes:
        return False
    if (seen.st_ino, seen.st_mtime_ns) == (row.src_inode, row.src_mtime_ns):
        return True
    found = content.read_digest(folder, name, row.digest_algorithm or "blake3")
    return found is not None and found[0] == row.digest


def _copy_is_certain(
    folders: Folders, known: dict[int, Root], asset: Asset, row: MoveRow, trashed: os.stat_result
) -> bool:
    if asset.status in WITHOUT_PLACE or (asset.digest, asset.digest_algorithm) != (row.digest, row.digest_algorithm):
        return False
    place = Place(known[asset.root_id], asset.path)
    folder, name = split(place)
    try:
        fd = folders.open(place.root, folder)
    except FileNotFoundError:
        return False
    seen = look(fd, name)
    if seen is None or not is_regular(seen) or seen.st_size != row.size_bytes:
        return False
    if (seen.st_dev, seen.st_ino) == (trashed.st_dev, trashed.st_ino):
        return False
    if signature_of(seen) == asset.signature:
        return True
    found = content.read_digest(fd, name, row.digest_algorithm or "blake3")
    return found is not None and found[0] == row.digest
