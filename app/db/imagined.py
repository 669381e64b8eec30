"""What would lie where after moves that were only rehearsed: places, and where their content really lies now.

Kept in a private temporary database of SQLite, which spills to disk when it grows and vanishes with its connection.
"""

from __future__ import annotations

import sqlite3

PLACES = """
CREATE TABLE places (
  root_id INTEGER, path BLOB, real_root_id INTEGER, real_path BLOB, PRIMARY KEY (root_id, path)
) WITHOUT ROWID
"""


class ImaginedPlaces:
    """Only places that a rehearsal has changed are known here. For one thread."""

    def __init__(self) -> None:
        self._conn = sqlite3.connect("", isolation_level=None)
        # Nothing of this outlives the connection: there is nothing to protect from a crash.
        self._conn.execute("PRAGMA journal_mode=OFF")
        self._conn.execute("PRAGMA cache_size=-32768")
        self._conn.execute(PLACES)

    def find(self, root_id: int, path: bytes) -> tuple[int, bytes] | tuple[None, None] | None:
        """(root id, path) where the content of this place lies now, (None, None) when it would be empty; None when no
        move was rehearsed to or from it."""
        query = "SELECT real_root_id, real_path FROM places WHERE root_id = ? AND path = ?"
        found: tuple[int, bytes] | tuple[None, None] | None = self._conn.execute(query, (root_id, path)).fetchone()
        return found

    def put(self, root_id: int, path: bytes, real_root_id: int | None, real_path: bytes | None) -> None:
        """What lies at the real place would lie at this one; with None, nothing would."""
        values = (root_id, path, real_root_id, real_path)
        self._conn.execute("INSERT OR REPLACE INTO places VALUES (?, ?, ?, ?)", values)

    def close(self) -> None:
        """Forget everything."""
        self._conn.close()
