"""The groups table: files that belong together, by folder and stem."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, select

from app.db.plans import unindexed
from app.db.tables import assets, groups
from app.model import AssetStatus

#: Groups asked for in one statement.
CHUNK = 5_000
#: Files that are no members any more.
LOST = (AssetStatus.GONE, AssetStatus.FAILED)
#: In the key of a group that a person parted from another one (alone.py).
ALONE = b"\0alone\0"

#: One that is gone without a batch was taken away by a person; one with a batch left this disk on purpose.
CAME_IN = (
    "SELECT assets.origin_path FROM groups JOIN assets ON assets.group_id = groups.id "
    "WHERE groups.root_id = ? AND groups.folder = ? AND (assets.status != 'gone' OR assets.batch_id IS NOT NULL)"
)

#: Groups whose keys begin with one key.
PARTED = (
    "SELECT groups.id, COALESCE(assets.origin_path, assets.path) FROM groups "
    "JOIN assets ON assets.group_id = groups.id "
    "WHERE groups.root_id = ? AND groups.folder = ? AND groups.stem >= ? AND groups.stem < ? "
    "AND groups.id <> ? AND assets.status NOT IN ('gone', 'failed')"
)


def ensure(conn: Connection, root_id: int, keys: Iterable[tuple[bytes, bytes]]) -> dict[tuple[bytes, bytes], int]:
    """The id of the group of each (folder, stem), made where it is not there."""
    wanted = list(dict.fromkeys(keys))
    if not wanted:
        return {}
    first = int(conn.exec_driver_sql("SELECT COALESCE(MAX(id), 0) + 1 FROM groups").scalar_one())
    # As byte arrays: for bytes the driver looks for an adapter first, which takes longer than the row.
    made = conn.exec_driver_sql(
        "INSERT INTO groups (id, root_id, folder, stem) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [(number, root_id, bytearray(folder), bytearray(stem)) for number, (folder, stem) in enumerate(wanted, first)],
    )
    if made.rowcount == len(wanted):
        return {key: number for number, key in enumerate(wanted, first)}
    found: dict[tuple[bytes, bytes], int] = {}
    for start in range(0, len(wanted), CHUNK):
        part = wanted[start : start + CHUNK]
        values = [value for key in part for value in key]
        rows = conn.exec_driver_sql(_find_sql(len(part)), (*values, root_id))
        found.update({(folder, stem): group_id for folder, stem, group_id in rows})
    return {key: found[key] for key in wanted}


def begin_anew(conn: Connection, group_id: int) -> int:
    """A new group with the key of this one, which keeps its members and gets a key that no name has; the id of the new
    one, to which all belongs that comes from now on."""
    root_id, folder, stem = conn.exec_driver_sql(
        "SELECT root_id, folder, stem FROM groups WHERE id = ?", (group_id,)
    ).one()
    former = b"%b\0%d" % (stem, group_id)
    conn.exec_driver_sql("UPDATE groups SET stem = ? WHERE id = ?", (former, group_id))
    return ensure(conn, root_id, [(folder, stem)])[folder, stem]


def of_day(conn: Connection, group_id: int, day: str) -> int:
    """The group of what has the key of this one and was taken on another day."""
    root_id, folder, stem = conn.exec_driver_sql(
        "SELECT root_id, folder, stem FROM groups WHERE id = ?", (group_id,)
    ).one()
    key = (folder, b"%b\0%b" % (stem.partition(b"\0")[0], day.encode()))
    return ensure(conn, root_id, [key])[key]


def list_parted(conn: Connection, group_id: int) -> list[tuple[int, bytes]]:
    """(group id, file name) of what came under the key of this group and is in another group since."""
    root_id, folder, stem = conn.exec_driver_sql(
        "SELECT root_id, folder, stem FROM groups WHERE id = ?", (group_id,)
    ).one()
    key = stem.partition(b"\0")[0]
    rows = conn.exec_driver_sql(PARTED, (root_id, folder, key + b"\0", key + b"\1", group_id))
    return [(row[0], row[1].rpartition(b"/")[2]) for row in rows]


def list_names_in(conn: Connection, root_id: int, folder: bytes) -> list[bytes]:
    """The names of the files that came into a folder under a root and are accounted for, wherever they are now."""
    split = ((path or b"").rpartition(b"/") for (path,) in conn.exec_driver_sql(CAME_IN, (root_id, folder)))
    return [name for head, _, name in split if head == folder]


class Member(NamedTuple):
    """A file of a group. The identifier of one that was not inspected, being a duplicate, is that of its original."""

    asset_id: int
    group_id: int
    status: AssetStatus
    batch_id: int | None
    name: bytes
    identifier: str | None


def list_kindred(conn: Connection, group_ids: Sequence[int]) -> dict[tuple[int, bytes], list[Member]]:
    """By (root id, folder), the members of those of these groups that have a content identifier, and of the groups
    beside them that share one of theirs; not what a person parted. Only what is accounted for counts, in id order."""
    identifiers, folders = _list_identifiers(conn, group_ids)
    kindred: dict[int, tuple[int, bytes]] = {}
    for start in range(0, len(identifiers), CHUNK):
        rows = conn.execute(_holding(identifiers[start : start + CHUNK]))
        known = ((row[0], (row[1], row[2])) for row in rows if ALONE not in row[3])
        kindred.update({group_id: folder for group_id, folder in known if folder in folders})
    found: dict[tuple[int, bytes], list[Member]] = {}
    for member in _list_members(conn, list(kindred)):
        found.setdefault(kindred[member.group_id], []).append(member)
    return {folder: sorted(members) for folder, members in sorted(found.items())}


def _list_identifiers(conn: Connection, group_ids: Sequence[int]) -> tuple[list[str], set[tuple[int, bytes]]]:
    """The content identifiers in these groups, and the folders of those that have one."""
    found: dict[str, None] = {}
    folders: set[tuple[int, bytes]] = set()
    joined = groups.join(assets, assets.c.group_id == groups.c.id)
    for start in range(0, len(group_ids), CHUNK):
        part = groups.c.id.in_(group_ids[start : start + CHUNK])
        query = select(assets.c.content_identifier, groups.c.root_id, groups.c.folder).select_from(joined)
        for identifier, root_id, folder in conn.execute(query.where(part, assets.c.content_identifier.is_not(None))):
            found[identifier] = None
            folders.add((root_id, folder))
    return list(found), folders


def _holding(identifiers: Sequence[str]) -> Select[Any]:
    """The groups with a file that has one of these identifiers, or is a duplicate of one that has."""
    c, original = assets.c, assets.alias()
    own = select(c.group_id).where(c.content_identifier.in_(identifiers))
    of_original = (
        select(c.group_id)
        .select_from(assets.join(original, original.c.id == c.original_id))
        .where(original.c.content_identifier.in_(identifiers), unindexed(c.status) == AssetStatus.DUPLICATE)
    )
    columns = (groups.c.id, groups.c.root_id, groups.c.folder, groups.c.stem)
    return select(*columns).where(groups.c.id.in_(own.union(of_original)))


def _list_members(conn: Connection, group_ids: Sequence[int]) -> Iterator[Member]:
    c, original = assets.c, assets.alias()
    identifier = func.coalesce(c.content_identifier, original.c.content_identifier)
    is_copy = (original.c.id == c.original_id) & (c.status == AssetStatus.DUPLICATE)
    columns = (c.id, c.group_id, c.status, c.batch_id, func.coalesce(c.origin_path, c.path), identifier)
    query = select(*columns).select_from(assets.outerjoin(original, is_copy)).where(unindexed(c.status).not_in(LOST))
    for start in range(0, len(group_ids), CHUNK):
        for row in conn.execute(query.where(c.group_id.in_(group_ids[start : start + CHUNK]))):
            name = row[4].rpartition(b"/")[2]
            yield Member(row[0], row[1], AssetStatus(row[2]), row[3], name, row[5])


def _find_sql(count: int) -> str:
    # A join with the list, because an IN over pairs does not use the index.
    pairs = ", ".join(["(?, ?)"] * count)
    return (
        f"WITH wanted (folder, stem) AS (VALUES {pairs}) SELECT wanted.folder, wanted.stem, groups.id FROM wanted "
        "JOIN groups ON groups.root_id = ? AND groups.folder = wanted.folder AND groups.stem = wanted.stem"
    )
