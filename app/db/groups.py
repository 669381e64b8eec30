"""The groups table: files that belong together, by folder and stem."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

#: Groups asked for in one statement.
CHUNK = 5_000


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


def _find_sql(count: int) -> str:
    # A join with the list, because an IN over pairs does not use the index.
    pairs = ", ".join(["(?, ?)"] * count)
    return (
        f"WITH wanted (folder, stem) AS (VALUES {pairs}) SELECT wanted.folder, wanted.stem, groups.id FROM wanted "
        "JOIN groups ON groups.root_id = ? AND groups.folder = wanted.folder AND groups.stem = wanted.stem"
    )
