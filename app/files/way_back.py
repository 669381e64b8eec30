"""Looking, file by file, whether a batch can be taken back: what lies where its files are, and where they came from.

Only names and signatures are looked at. Where only the content can tell, `holds` reads it; without `holds` such a
file counts as it should be, and the move itself decides.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import Connection

from app.db import kept_copies, members, moves
from app.db import roots as root_rows
from app.db.connection import Database
from app.errors import RootUnavailable
from app.files import faults
from app.files.directory import is_regular, look, signature_of
from app.files.roots import check_roots
from app.files.walk import open_folder
from app.model import Asset, AssetStatus, Batch, Place, Root, Signature
from app.model.undo import IN_BATCH, Copy, Facts, Spot, UndoLook, decide, refuse_shared_origins

#: Every status of an asset that is somewhere.
PRESENT = tuple(status for status in AssetStatus if status is not AssetStatus.GONE)

#: Whether the file at a place, read now, has an asset's content.
Holds = Callable[[Place, Asset], bool]
Kept = dict[tuple[int, bytes], Signature]


def look_at_way_back(
    db: Database, batch: Batch, returns_as: AssetStatus, *, without_lost: bool = False, holds: Holds | None = None
) -> UndoLook:
    """What taking this batch back would do now. Changes nothing."""
    with db.reading() as conn:
        roots = {root.id: root for root in root_rows.list_all(conn)}
        found = members.list_of(conn, batch.id, PRESENT)
        kept = kept_copies.list_of_batch(conn, batch.id)
        holders = _holders(conn, found)
    places = {(root_id, path): signature for _, root_id, path, signature in kept}
    looking = _Looking(db, roots, places, holders, holds)
    facts = [looking.at(asset) for asset in found]
    looking.close()
    verdicts = refuse_shared_origins(decide(one, returns_as, without_lost=without_lost) for one in facts)
    return UndoLook(batch, returns_as, verdicts, list(_copies(kept, roots)))


def _holders(conn: Connection, found: Sequence[Asset]) -> dict[tuple[int, bytes], int]:
    """Which asset is known at the place that each of these came from."""
    origins: dict[int, list[bytes]] = {}
    for asset in found:
        root_id, path = _origin(asset)
        origins.setdefault(root_id, []).append(path)
    return {
        (root_id, path): asset_id
        for root_id, paths in origins.items()
        for path, asset_id in moves.holders(conn, root_id, paths).items()
    }


def _origin(asset: Asset) -> tuple[int, bytes]:
    return asset.origin_root_id or asset.root_id, asset.origin_path or asset.path


def _copies(kept: Sequence[tuple[int, int, bytes, Signature]], roots: dict[int, Root]) -> Iterator[Copy]:
    """The copies that stayed in the batch folder. One that was changed there is not ours to take away."""
    names = Names()
    for asset_id, root_id, path, signature in kept:
        if roots[root_id].kind not in IN_BATCH:
            continue
        place = Place(roots[root_id], path)
        spot = spot_at(names, place, signature)
        if spot in (Spot.SAME, Spot.FREE):
            yield Copy(asset_id, place, signature, spot is Spot.SAME)
    names.close()


class Names:
    """What lies at names below a root. The folder of the last name stays open, since names come folder by folder."""

    def __init__(self) -> None:
        self._folder: tuple[int, bytes] | None = None
        self._descriptor: int | None = None

    def find(self, place: Place) -> os.stat_result | None:
        """What is at the name itself (a link is not followed); None when there is certainly nothing.

        Raises OSError for every other answer, and when a part of the path is not a folder.
        """
        folder, _, name = place.path.rpartition(b"/")
        if self._folder != (place.root.id, folder):
            self.close()
            try:
                self._descriptor = open_folder(place.root, folder)
            except FileNotFoundError:
                self._descriptor = None
            self._folder = (place.root.id, folder)
        return None if self._descriptor is None else look(self._descriptor, name)

    def close(self) -> None:
        """Let go of the folder."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._folder = self._descriptor = None


def spot_at(names: Names, place: Place, expected: Signature | None, size_bytes: int | None = None) -> Spot:
    """What lies at a place, where a file with this signature, or at least of this size, is expected."""
    try:
        seen = names.find(place)
    except OSError as error:
        return Spot.BLOCKED if error.errno in faults.NOT_A_FOLDER else Spot.UNKNOWN
    if seen is None:
        return Spot.FREE
    wanted = expected.size_bytes if expected is not None else size_bytes
    if not is_regular(seen) or seen.st_size != wanted:
        return Spot.OTHER
    is_known = expected is not None and seen.st_mtime_ns == expected.mtime_ns
    return Spot.SAME if is_known else Spot.UNREAD


class _Looking:
    """One look at the files of one batch."""

    def __init__(
        self,
        db: Database,
        roots: dict[int, Root],
        kept: Kept,
        holders: dict[tuple[int, bytes], int],
        holds: Holds | None,
    ) -> None:
        self._db, self._roots, self._kept, self._holders, self._holds = db, roots, kept, holders, holds
        self._away: dict[int, bool] = {}
        self._here, self._there = Names(), Names()

    def at(self, asset: Asset) -> Facts:
        """What is known of one file and of its former place."""
        origin_root, path = _origin(asset)
        place, origin = Place(self._roots[asset.root_id], asset.path), Place(self._roots[origin_root], path)
        if place == origin:
            return Facts(asset, place, origin, Spot.SAME, Spot.SAME)
        here = self._read(place, asset, self._spot(self._here, place, asset.signature, asset))
        expected = self._kept.get((origin_root, path))
        there = self._spot(self._there, origin, expected, asset)
        if there in (Spot.SAME, Spot.UNREAD) and self._is_one_file(place, origin):
            there = Spot.SECOND_NAME
        holder = self._holders.get((origin_root, path))
        return Facts(asset, place, origin, here, self._read(origin, asset, there),
                     holder if holder != asset.id else None)

    def close(self) -> None:
        """Let go of open folders."""
        self._here.close()
        self._there.close()

    def _spot(self, names: Names, place: Place, expected: Signature | None, asset: Asset) -> Spot:
        if self._is_away(place.root):
            return Spot.AWAY
        return spot_at(names, place, expected, asset.size_bytes)

    def _is_away(self, root: Root) -> bool:
        """An unmounted share also lacks every file: its marker is looked for before anything is believed."""
        if root.id not in self._away:
            try:
                check_roots(self._db, [root])
                self._away[root.id] = False
            except RootUnavailable:
                self._away[root.id] = True
        return self._away[root.id]

    def _read(self, place: Place, asset: Asset, spot: Spot) -> Spot:
        if spot is not Spot.UNREAD or self._holds is None:
            return spot
        return Spot.SAME if self._holds(place, asset) else Spot.OTHER

    def _is_one_file(self, place: Place, origin: Place) -> bool:
        try:
            mine, other = self._here.find(place), self._there.find(origin)
        except OSError:
            return False
        if mine is None or other is None:
            return False
        one, two = signature_of(mine), signature_of(other)
        return (one.device, one.inode) == (two.device, two.inode)
