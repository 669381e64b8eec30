"""The groups table: files that belong together, by folder and stem."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from app.db.tables import assets, groups
from app.model import AssetStatus

#: Groups asked for in one statement.
CHUNK = 5_000

#: One that is gone without a batch was taken away by a person; one with a batch left this disk on purpose.
CAME_IN = (
    "SELECT assets.origin_path FROM groups JOIN assets ON assets.group_id = groups.id "
    "WHERE groups.root_id = ? AND groups.folder = ? AND (assets.status != 'gone' OR assets.batch_id IS NOT NULL)"
)
MEMBERS = (
    "SELECT a.id, a.group_id, a.status, a.batch_id, COALESCE(a.origin_path, a.path), "
    "COALESCE(a.content_identifier, o.content_identifier) FROM groups JOIN assets AS a ON a.group_id = groups.id "
    "LEFT JOIN assets AS o ON o.id = a.original_id AND a.status = 'duplicate' "
    "WHERE groups.root_id = ? AND groups.folder = ? AND a.status NOT IN ('gone', 'failed') ORDER BY a.id"
)


def ensure(conn: Connection, root_id: int, keys: Iterable[tuple[bytes, bytes]]) -> dict[tuple[bytes, bytes], int]:
    """The id of the group of each (folder, stem), made where it is not there."""
    wanted = list(dict.fromkeys(keys))
    if wanted:
        conn.exec_driver_sql(
            "INSERT INTO groups (root_id, folder, stem) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [(root_id, folder, stem) for folder, stem in wanted],
        )
    found: dict[tuple[bytes, bytes], int] = {}
    for start in range(0, len(wanted), CHUNK):
        part = wanted[start : start + CHUNK]
        values = [value for key in part for value in key]
        rows = conn.exec_driver_sql(_find_sql(len(part)), (*values, root_id))
        found.update({(folder, stem): group_id for folder, stem, group_id in rows})
    return {key: found[key] for key in wanted}


def list_names_in(conn: Connection, root_id: int, folder: bytes) -> list[bytes]:
    """The names of the files that came into a folder under a root and are accounted for, wherever they are now."""
    split = ((path or b"").rpartition(b"/") for (path,) in conn.exec_driver_sql(CAME_IN, (root_id, folder)))
    return [name for head, _, name in split if head == folder]


def list_folders_with_identifiers(conn: Connection, group_ids: Sequence[int]) -> list[tuple[int, bytes]]:
    """(root id, folder) of those of these groups that have a member with a content identifier."""
    found: set[tuple[int, bytes]] = set()
    for start in range(0, len(group_ids), CHUNK):
        part = groups.c.id.in_(group_ids[start : start + CHUNK])
        joined = groups.join(assets, assets.c.group_id == groups.c.id)
        query = select(groups.c.root_id, groups.c.folder).select_from(joined).distinct()
        rows = conn.execute(query.where(part, assets.c.content_identifier.is_not(None)))
        found.update((row[0], row[1]) for row in rows)
    return sorted(found)


class Member(NamedTuple):
    """A file of a group. The identifier of one that was not inspected, being a duplicate, is that of its original."""

    asset_id: int
    group_id: int
    status: AssetStatus
    batch_id: int | None
    name: bytes
    identifier: str | None


def list_members_in(conn: Connection, root_id: int, folder: bytes) -> list[Member]:
    """The members of all groups of a folder that are accounted for, in id order."""
    rows = conn.exec_driver_sql(MEMBERS, (root_id, folder))
    return [
        Member(asset_id, group_id, AssetStatus(status), batch_id, (path or b"").rpartition(b"/")[2], identifier)
        for asset_id, group_id, status, batch_id, path, identifier in rows
    ]


def _find_sql(count: int) -> str:
    # A join with the list, because an IN over pairs does not use the index.
    pairs = ", ".join(["(?, ?)"] * count)
    return (
        f"WITH wanted (folder, stem) AS (VALUES {pairs}) SELECT wanted.folder, wanted.stem, groups.id FROM wanted "
        "JOIN groups ON groups.root_id = ? AND groups.folder = wanted.folder AND groups.stem = wanted.stem"
    )
