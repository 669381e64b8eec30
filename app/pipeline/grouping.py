"""Groups, once the files themselves were read: the halves of Live Photos say in their content which belong together.

Names come first (app/files/belonging.py). A still and a film of one folder with the same content identifier are one
group whatever they are called; a film whose identifier is that of no photo of its group, when all of these have one,
belongs to another photo of that name and is a group of its own. It does not matter which half came first: one that is
archived, or labelled a duplicate, is found as well. Halves in different folders are not joined: a folder and its copy
hold the same pairs twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.db import assets, groups
from app.db.connection import Connection
from app.db.groups import Member
from app.files.belonging import group_key
from app.files.kinds import VIDEO_SUFFIXES, suffix
from app.files.walk import is_media
from app.model import AssetStatus

GONE_ON = (AssetStatus.BATCHED, AssetStatus.DELIVERED, AssetStatus.ARCHIVED)


# --- decide


@dataclass(frozen=True, slots=True)
class Join:
    """All of one group goes to another; `halves` are the still and the film that say so."""

    moved: int
    target: int
    halves: tuple[Member, Member]


@dataclass(frozen=True, slots=True)
class Split:
    """These leave their group for one of their own, by this key."""

    members: tuple[Member, ...]
    key: bytes


def plan_splits(folder: Sequence[Member]) -> list[Split]:
    """Films that share no more than a name with the photos of their group, with the sidecars called after them."""
    return [split for members in _by_group(folder).values() for split in _splits_of(members)]


def _splits_of(members: Sequence[Member]) -> Iterator[Split]:
    known = {m.identifier for m in members if is_media(m.name) and not _is_film(m)}
    if not known or None in known:
        return
    for film in members:
        if _is_film(film) and film.identifier is not None and film.identifier not in known and _is_waiting(film):
            sidecars = [m for m in members if m.name.startswith(film.name + b".") and _is_waiting(m)]
            yield Split((film, *sidecars), group_key(film.name) + b"\0" + film.identifier.encode())


def plan_joins(folder: Sequence[Member]) -> list[Join]:
    """Groups of one folder that hold a half each. A group is joined at most once."""
    by_identifier: dict[str, list[Member]] = {}
    for member in sorted(folder, key=lambda m: (len(m.name), m.name)):
        if member.identifier is not None and is_media(member.name):
            by_identifier.setdefault(member.identifier, []).append(member)
    joins: list[Join] = []
    used: set[int] = set()
    for halves in by_identifier.values():
        join = _join_of(halves)
        if join is not None and used.isdisjoint({join.moved, join.target}):
            used |= {join.moved, join.target}
            joins.append(join)
    return joins


def _join_of(halves: Sequence[Member]) -> Join | None:
    stills, films = [m for m in halves if not _is_film(m)], [m for m in halves if _is_film(m)]
    if {m.group_id for m in stills} & {m.group_id for m in films}:
        return None
    if not stills or not films or not any(map(_is_waiting, (stills[0], films[0]))):
        return None
    still, film = stills[0], films[0]
    if film.status in GONE_ON:
        return Join(still.group_id, film.group_id, (still, film))
    return Join(film.group_id, still.group_id, (still, film))


def _by_group(folder: Sequence[Member]) -> dict[int, list[Member]]:
    found: dict[int, list[Member]] = {}
    for member in folder:
        found.setdefault(member.group_id, []).append(member)
    return found


def _is_film(member: Member) -> bool:
    return suffix(member.name) in VIDEO_SUFFIXES


def _is_waiting(member: Member) -> bool:
    return member.status is AssetStatus.UNIQUE and member.batch_id is None


# --- do


def regroup(conn: Connection, group_ids: Sequence[int]) -> set[int]:
    """Part these groups, and join them with others in their folders; returns the files that are to be inspected anew
    for it."""
    again: dict[int, int] = {}
    for (root_id, folder), found in groups.list_kindred(conn, group_ids).items():
        parted = _split(conn, root_id, folder, found)
        again |= parted
        members = [m._replace(group_id=parted.get(m.asset_id, m.group_id)) for m in found]
        by_group = _by_group(members)
        for join in plan_joins(members):
            again |= _join(conn, join, by_group)
    assets.set_columns(conn, [(i, {"group_id": group_id, "inspected_at": None}) for i, group_id in again.items()])
    return set(again)


def _split(conn: Connection, root_id: int, folder: bytes, members: Sequence[Member]) -> dict[int, int]:
    """By file, the group that it is parted to."""
    splits = plan_splits(members)
    ids = groups.ensure(conn, root_id, [(folder, split.key) for split in splits])
    return {m.asset_id: ids[folder, split.key] for split in splits for m in split.members}


def _join(conn: Connection, join: Join, by_group: Mapping[int, Sequence[Member]]) -> dict[int, int]:
    """By file, the group of both. A half that was labelled a duplicate before its other half was known is none: the
    pair stays whole."""
    for half in join.halves:
        if half.status is AssetStatus.DUPLICATE:
            asset = assets.get(conn, half.asset_id)
            assets.mark(conn, [asset], AssetStatus.DISCOVERED, original_id=None, batch_id=None)
            assets.mark(conn, [assets.get(conn, half.asset_id)], AssetStatus.UNIQUE)
    stays = [m for m in by_group[join.target] if m.status not in GONE_ON]
    return {m.asset_id: join.target for m in (*by_group[join.moved], *stays)}
