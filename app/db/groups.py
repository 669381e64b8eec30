"""The groups table: files that belong together, by folder and stem."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from app.db.tables import groups


def ensure(conn: Connection, root_id: int, keys: Iterable[tuple[bytes, bytes]]) -> dict[tuple[bytes, bytes], int]:
    """The id of the group of each (folder, stem), made where it is not there."""
    wanted = list(dict.fromkeys(keys))
    if wanted:
        conn.exec_driver_sql(
            "INSERT INTO groups (root_id, folder, stem) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [(root_id, folder, stem) for folder, stem in wanted],
        )
    found: dict[tuple[bytes, bytes], int] = {}
    for folder in {folder for folder, _ in wanted}:
        query = select(groups.c.stem, groups.c.id).where(groups.c.root_id == root_id, groups.c.folder == folder)
        found.update({(folder, stem): group_id for stem, group_id in conn.execute(query)})
    return {key: found[key] for key in wanted}
