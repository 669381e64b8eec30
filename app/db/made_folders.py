"""The made_folders table: folders that were not there before files were moved into them, written before they are made.

Only such a folder may be removed when it is empty again; one that a person made stays, empty or not.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select

from app.db.assets import CHUNK
from app.db.tables import made_folders


def note(conn: Connection, root_id: int, paths: Collection[bytes]) -> None:
    """Write down that these folders of a root are about to be made."""
    if paths:
        conn.exec_driver_sql(
            "INSERT INTO made_folders (root_id, path) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(root_id, path) for path in paths],
        )


def choose(conn: Connection, root_id: int, paths: Collection[bytes]) -> list[bytes]:
    """Those of these folders of a root that were made for files."""
    c, asked = made_folders.c, sorted(paths)
    found: list[bytes] = []
    for start in range(0, len(asked), CHUNK):
        query = select(c.path).where(c.root_id == root_id, c.path.in_(asked[start : start + CHUNK]))
        found += conn.execute(query).scalars()
    return found


def forget(conn: Connection, root_id: int, paths: Collection[bytes]) -> None:
    """These folders of a root are gone again."""
    if paths:
        conn.exec_driver_sql(
            "DELETE FROM made_folders WHERE root_id = ? AND path = ?", [(root_id, path) for path in paths]
        )
