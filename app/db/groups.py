"""The groups table: files that belong together, by folder and stem."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

#: Groups asked for in one statement.
CHUNK = 5_000

#: One that is gone without a batch was taken away by a person; one with a batch left this disk on purpose.
CAME_IN = (
    "SELECT assets.origin_path FROM groups JOIN assets ON assets.group_id = groups.id "
    "WHERE groups.root_id = ? AND groups.folder = ? AND (assets.status != 'gone' OR assets.batch_id IS NOT NULL)"
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


def _find_sql(count: int) -> str:
    # A join with the list, because an IN over pairs does not use the index.
    pairs = ", ".join(["(?, ?)"] * count)
    return (
        f"WITH wanted (folder, stem) AS (VALUES {pairs}) SELECT wanted.folder, wanted.stem, groups.id FROM wanted "
        "JOIN groups ON groups.root_id = ? AND groups.folder = wanted.folder AND groups.stem = wanted.stem"
    )
