"""Archived files of other batches that a batch took along to the day of its group: may they go back where they lay?

A still that comes after its film takes the film, which is archived under a day of its own, along. When the still is
taken back, the film goes back too, unless that would part it from others: it never stands in the way of the undo.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from app.db import assets, members, moves
from app.db.connection import Connection
from app.files.spots import Names, spot_at
from app.model import Asset, Batch, Place, Root
from app.model.undo import GOOD, Drawn, Spot

ELSEWHERE = "it has been filed elsewhere since"
WITH_OTHERS = "other files of its group, which came later, lie beside it"
WITH_GROUP = "others of its group stay"
TAKEN = "its former place is taken"
NOT_IT = "it is not the file that was put there"


def look_at_drawn(conn: Connection, batch: Batch, roots: Mapping[int, Root]) -> list[Drawn]:
    """Every file that the batch took along, with where it goes or why it stays. Looks at names and sizes."""
    ways = members.list_drawn_ways(conn, batch.id)
    found = [assets.get(conn, asset_id) for asset_id in ways]
    parted = _parted(conn, batch, found)
    held = _held(conn, found, ways)
    names = Names()
    try:
        drawn = [_drawn(names, asset, roots[asset.root_id], ways[asset.id], parted, held) for asset in found]
    finally:
        names.close()
    staying = {one.asset.group_id for one in drawn if one.stays_because}
    return [_with_its_group(one) if one.goes_back and one.asset.group_id in staying else one for one in drawn]


def _with_its_group(drawn: Drawn) -> Drawn:
    return replace(drawn, stays_because=WITH_GROUP)


def _parted(conn: Connection, batch: Batch, drawn: Sequence[Asset]) -> set[int]:
    """The groups of which yet other members are in the archive now: those that the batch neither took along nor
    brought."""
    own = {asset.id for asset in drawn}
    by_archive: dict[int, list[int]] = {}
    for asset in drawn:
        by_archive.setdefault(asset.root_id, []).append(asset.group_id or 0)
    return {
        member.group_id or 0
        for root_id, group_ids in by_archive.items()
        for member in members.list_archived_of_groups(conn, group_ids, root_id)
        if member.id not in own and member.batch_id != batch.id
    }


def _held(conn: Connection, drawn: Sequence[Asset], ways: Mapping[int, tuple[bytes, bytes]]) -> set[tuple[int, bytes]]:
    """The former places at which other assets are known now."""
    return set(_holders(conn, drawn, ways))


def _holders(
    conn: Connection, drawn: Sequence[Asset], ways: Mapping[int, tuple[bytes, bytes]]
) -> Iterator[tuple[int, bytes]]:
    for root_id in {asset.root_id for asset in drawn}:
        former = {ways[asset.id][0]: asset.id for asset in drawn if asset.root_id == root_id}
        for path, asset_id in moves.holders(conn, root_id, list(former)).items():
            if asset_id != former[path]:
                yield root_id, path


def _drawn(
    names: Names, asset: Asset, root: Root, way: tuple[bytes, bytes], parted: set[int], held: set[tuple[int, bytes]]
) -> Drawn:
    place, before = Place(root, asset.path), Place(root, way[0])
    if place == before:
        return Drawn(asset, place, before)
    if asset.path != way[1]:
        return Drawn(asset, place, before, ELSEWHERE)
    if asset.group_id in parted:
        return Drawn(asset, place, before, WITH_OTHERS)
    if spot_at(names, place, asset.signature) not in GOOD:
        return Drawn(asset, place, before, NOT_IT)
    is_free = (root.id, before.path) not in held and spot_at(names, before, None, asset.size_bytes) is Spot.FREE
    return Drawn(asset, place, before, "" if is_free else TAKEN)
