"""Where every file of the archive would go, while it is worked out: which folder and name, before names are kept apart.

Kept in a private temporary database of SQLite, which spills to disk when it grows and vanishes with its connection.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

FILES = """
CREATE TABLE files (
  asset_id INTEGER PRIMARY KEY, group_key INTEGER, turn INTEGER, taken TEXT, came_as BLOB, first_id INTEGER,
  number INTEGER, folder BLOB, name BLOB, needs_review INTEGER, now_folder BLOB, now_path BLOB, status TEXT,
  size_bytes INTEGER, stays TEXT
)
"""

IN_TURN = "folder, turn, taken, came_as, first_id, group_key, number"


class FiledFile(NamedTuple):
    """One file; `turn`, `taken`, `came_as` and `first_id` are those of the first of its group, by which groups take
    turns, and `number` is its own turn. `stays` says why the group cannot move; empty when it can."""

    asset_id: int
    group_key: int
    turn: int
    taken: str
    came_as: bytes
    first_id: int
    number: int
    folder: bytes
    name: bytes
    needs_review: int
    now_folder: bytes
    now_path: bytes
    status: str
    size_bytes: int
    stays: str


INSERT = f"INSERT INTO files VALUES ({', '.join('?' * len(FiledFile._fields))})"

IN_TURN = "folder, turn, taken, came_as, first_id, group_key, number"


class FiledFiles:
    """All files that are filed anew. For one thread."""

    def __init__(self) -> None:
        self._conn = sqlite3.connect("", isolation_level=None)
        # Nothing of this outlives the connection: there is nothing to protect from a crash.
        self._conn.execute("PRAGMA journal_mode=OFF")
        self._conn.execute("PRAGMA cache_size=-32768")
        self._conn.execute(FILES)

    def add(self, files: Sequence[FiledFile]) -> None:
        """Note these."""
        self._conn.execute("BEGIN")
        self._conn.executemany(INSERT, files)
        self._conn.execute("COMMIT")

    def end_adding(self) -> None:
        """All are noted."""
        self._conn.execute(f"CREATE INDEX by_target ON files ({IN_TURN})")
        self._conn.execute("CREATE INDEX by_now ON files (now_folder)")

    def list_groups(self) -> Iterator[tuple[bytes, Iterator[list[FiledFile]]]]:
        """Folder by folder, the groups that go there and are not to stay, in turn."""
        query = f"SELECT * FROM files WHERE stays = '' ORDER BY {IN_TURN}"
        rows = (FiledFile(*row) for row in self._conn.execute(query))
        for folder, inside in groupby(rows, key=lambda file: file.folder):
            yield folder, (list(group) for _, group in groupby(inside, key=lambda file: file.group_key))

    def list_now_in(self, folder: bytes) -> list[tuple[int, bytes, str]]:
        """(asset id, path, why it stays) of those that lie in a folder now."""
        query = "SELECT asset_id, now_path, stays FROM files WHERE now_folder = ?"
        return self._conn.execute(query, (folder,)).fetchall()

    def list_staying(self) -> Iterator[FiledFile]:
        """Those that cannot move, group by group."""
        query = "SELECT * FROM files WHERE stays <> '' ORDER BY group_key, number"
        return (FiledFile(*row) for row in self._conn.execute(query))

    def close(self) -> None:
        """Forget everything."""
        self._conn.close()
