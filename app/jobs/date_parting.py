"""Files that a person parts from those of their name, because they do not belong together, and their way back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from app.db import alone, assets, capture_records, journal
from app.db.capture_records import CaptureRecord
from app.db.connection import Connection
from app.db.date_decisions import DateDecision
from app.db.dated_groups import COUNTED
from app.db.doubtful_dates import list_assets
from app.errors import Conflict, printable
from app.files.walk import is_media
from app.filing.companions import companions_of
from app.filing.group_values import came_as, kind_rank
from app.filing.numbering import group_key
from app.filing.redating import redate
from app.model import Asset, AssetStatus

ON_ITS_WAY = (AssetStatus.BATCHED, AssetStatus.DELIVERED)


@dataclass
class Parted:
    """The groups about which is decided, those that leave theirs by the negative id of the file that does, and what
    these leave behind."""

    groups: dict[int, list[Asset]] = field(default_factory=dict)
    chosen: dict[int, Asset] = field(default_factory=dict)
    rests: list[list[Asset]] = field(default_factory=list)


def part(groups: Mapping[int, Sequence[Asset]], chosen: Mapping[int, Asset], meant: Iterable[Asset]) -> Parted:
    """Let each of these files leave its group, with the sidecars that are its own; the last photo or film of a group
    stays. Raises Conflict when a group is on its way."""
    ids, found = {asset.id for asset in meant}, Parted()
    for key, members in groups.items():
        media = sorted((a for a in members if is_media(came_as(a))), key=lambda a: (kind_rank(came_as(a)), a.id))
        leaving = [a for a in media if a.id in ids]
        stays = leaving[:1] if len(leaving) == len(media) else []
        leaving = leaving[len(stays) :]
        rest = list(members)
        for asset in leaving:
            _refuse_on_its_way(members)
            found.groups[-asset.id] = [asset, *companions_of(asset, rest)]
            found.chosen[-asset.id] = asset
            gone = {a.id for a in found.groups[-asset.id]}
            rest = [a for a in rest if a.id not in gone]
        if stays or not leaving:
            found.groups[key], found.chosen[key] = rest, stays[0] if stays else chosen[key]
        else:
            found.rests.append(rest)
    return found


def _refuse_on_its_way(members: Sequence[Asset]) -> None:
    moving = next((a for a in members if a.status in ON_ITS_WAY), None)
    if moving is not None:
        raise Conflict(f"{printable(moving.path)} is on its way. Part it from the others once it is in the archive.")


def write_parted(conn: Connection, target: Asset, members: Sequence[Asset]) -> None:
    """Give what leaves its group one of its own."""
    assert target.group_id is not None
    group_id = alone.part(conn, target.group_id, target.id)
    assets.set_columns(conn, [(asset.id, {"group_id": group_id}) for asset in members])


def date_rest(
    conn: Connection,
    rests: Sequence[Sequence[Asset]],
    decided: Mapping[int, DateDecision],
    records: Mapping[int, CaptureRecord],
    zone: tzinfo,
    by: str,
) -> None:
    """Give what was left behind the date that it tells by itself, unless a person decided about it."""
    present = datetime.now(UTC)
    for rest in rests:
        again = None if any(asset.id in decided for asset in rest) else redate(rest, records, zone, present)
        if again is None:
            continue
        assets.set_columns(conn, [(a.id, _of_status(a, again.columns[a.id])) for a in rest])
        capture_records.write(conn, again.records)
        words = f"{by} parted it from a file of its name. Its date is"
        told = [
            (f"{words} {again.columns[a.id]['taken_local']}, before {a.taken_local}.", a.batch_id, a.id)
            for a in rest if again.columns[a.id]["taken_local"] != a.taken_local
        ]  # fmt: skip
        journal.record_of_assets(conn, "asset.date_decided", told)


def _of_status(asset: Asset, columns: Mapping[str, str | None]) -> dict[str, str | None]:
    """Why a file waits is told of those that wait only."""
    return {n: v for n, v in columns.items() if n != "reason" or asset.status is AssetStatus.UNIQUE}


# --- back again


@dataclass(frozen=True)
class Homes:
    """Groups with what goes back to them; `moved` is the group to which a file goes, `visited` are groups that nobody
    named: what was decided about them stands."""

    groups: Mapping[int, Sequence[Asset]]
    moved: Mapping[int, int]
    visited: frozenset[int]


def bring_home(conn: Connection, groups: Mapping[int, Sequence[Asset]]) -> Homes:
    """Join what a person parted with the group that it left. Raises Conflict when one of both is on its way."""
    left = alone.list_left(conn, groups)
    merged = {key: list(members) for key, members in groups.items() if key not in left}
    visited = frozenset(left.values()) - merged.keys()
    for asset in list_assets(conn, alone.list_member_ids(conn, sorted(visited))):
        if asset.status in COUNTED and asset.taken_local is not None:
            merged.setdefault(group_key(asset), []).append(asset)
    moved: dict[int, int] = {}
    for key, home in left.items():
        merged.setdefault(home, []).extend(groups[key])
        _refuse_on_its_way(merged[home])
        moved |= {asset.id: home for asset in groups[key]}
    return Homes(merged, moved, visited)
