"""Looking, file by file, whether a batch can be taken back: what lies where its files are, and where they came from.

Only names and signatures are looked at. Where only the content can tell, `holds` reads it; without `holds` such a
file counts as it should be, and the move itself decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from app.db import kept_copies, members, moves
from app.db import roots as root_rows
from app.db.connection import Database
from app.db.moves import Met
from app.errors import RootUnavailable
from app.files.directory import signature_of
from app.files.drawn_back import look_at_drawn
from app.files.holds import is_hold
from app.files.roots import check_roots
from app.files.spots import Names, spot_at
from app.model import Asset, AssetStatus, Batch, Place, Root, Signature
from app.model.undo import GOOD, IN_BATCH, LOST, Copy, Facts, Spot, UndoLook, decide, refuse_shared_origins

#: Every status of an asset that is somewhere.
PRESENT = tuple(status for status in AssetStatus if status is not AssetStatus.GONE)

#: Whether the file at a place, read now, has an asset's content.
Holds = Callable[[Place, Asset], bool]
#: (asset id, root id, path, signature) of copies that were kept.
Kept = Sequence[tuple[int, int, bytes, Signature]]


def look_at_way_back(
    db: Database, batch: Batch, returns_as: AssetStatus, *, without_lost: bool = False, holds: Holds | None = None
) -> UndoLook:
    """What taking this batch back would do now. Raises RootUnavailable when copies are out of reach."""
    with db.reading() as conn:
        roots = {root.id: root for root in root_rows.list_all(conn)}
        found = members.list_of(conn, batch.id, PRESENT)
        kept = kept_copies.list_of_batch(conn, batch.id)
        holders, met = _holders(conn, found), moves.list_met(conn, batch.id)
        drawn = look_at_drawn(conn, batch, roots)
    looking = _Looking(db, roots, kept, holders, met, holds)
    facts = [looking.at(asset) for asset in found]
    looking.close()
    verdicts = refuse_shared_origins(decide(one, returns_as, without_lost=without_lost) for one in facts)
    going = {(one.source.root.id, one.source.path) for one in facts if one.source is not None}
    copies = [copy for copy in _copies(db, kept, roots) if (copy.place.root.id, copy.place.path) not in going]
    return UndoLook(batch, returns_as, verdicts, copies, drawn)


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


def _copies(db: Database, kept: Kept, roots: dict[int, Root]) -> Iterator[Copy]:
    """The copies that stayed in the batch folder. One that was changed there is not ours to take away, and a hold is
    dropped when its file is back."""
    names = Names()
    inside = [one for one in kept if roots[one[1]].kind in IN_BATCH and not is_hold(Place(roots[one[1]], one[2]))]
    check_roots(db, [roots[root_id] for root_id in {one[1] for one in inside}])
    for asset_id, root_id, path, signature in inside:
        place = Place(roots[root_id], path)
        spot = spot_at(names, place, signature)
        if spot in (Spot.SAME, Spot.FREE):
            yield Copy(asset_id, place, signature, spot is Spot.SAME)
    names.close()


class _Looking:
    """One look at the files of one batch."""

    def __init__(
        self,
        db: Database,
        roots: dict[int, Root],
        kept: Kept,
        holders: dict[tuple[int, bytes], int],
        met: dict[int, Met],
        holds: Holds | None,
    ) -> None:
        self._db, self._roots, self._holders, self._met, self._holds = db, roots, holders, met, holds
        self._kept = {(root_id, path): signature for _, root_id, path, signature in kept}
        self._in_batch = {one[0]: one for one in kept if roots[one[1]].kind in IN_BATCH}
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
        facts = Facts(asset, place, origin, here, self._read(origin, asset, there),
                      holder if holder != asset.id else None)
        return self._take_the_copy_of_what_is_lost(self._keep_what_was_met(facts))

    def _take_the_copy_of_what_is_lost(self, facts: Facts) -> Facts:
        """A file that is lost goes back from the copy in the batch folder, unless it lies where it came from still."""
        is_back = facts.there is Spot.SAME and facts.holder is None
        if facts.here not in LOST or is_back or facts.asset.id not in self._in_batch:
            return facts
        _, root_id, path, signature = self._in_batch[facts.asset.id]
        copy = Place(self._roots[root_id], path)
        spot = self._read(copy, facts.asset, self._spot(self._here, copy, signature, facts.asset))
        return replace(facts, source=copy, here=spot, stays=False) if spot in GOOD else facts

    def _keep_what_was_met(self, facts: Facts) -> Facts:
        """What lay in the archive before the batch stays there; what the batch brought goes back, or a copy of it."""
        met = self._met.get(facts.asset.id)
        if met is None or (met.root_id, met.path) != (facts.asset.root_id, facts.asset.path):
            return facts
        source = self._brought(facts.asset, met) if facts.there is Spot.FREE else None
        if source is None:
            return replace(facts, stays=True)
        return replace(facts, source=source, here=Spot.SAME)

    def _brought(self, asset: Asset, met: Met) -> Place | None:
        """The very file that the batch brought: in the trash still, or kept in the batch folder."""
        looked_at = []
        if met.trash_root_id is not None and met.trash_path is not None:
            expected = asset.signature._replace(mtime_ns=met.src_mtime_ns or 0)
            looked_at.append((Place(self._roots[met.trash_root_id], met.trash_path), expected))
        if asset.id in self._in_batch:
            _, root_id, path, signature = self._in_batch[asset.id]
            looked_at.append((Place(self._roots[root_id], path), signature))
        found = (place for place, expected in looked_at if self._spot(self._here, place, expected, asset) is Spot.SAME)
        return next(found, None)

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
