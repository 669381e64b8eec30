"""What a scan compares the ingest folder with: the rows of the files of one folder after the other, without a query
for each file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from app.db.assets import CHUNK
from app.db.connection import Connection, Database
from app.model import AssetStatus

COLUMNS = "path, id, status, device, inode, size_bytes, mtime_ns, ctime_ns"
BETWEEN = (
    f"SELECT {COLUMNS} FROM assets WHERE root_id = ? AND path >= ? AND path <= ? AND status != 'gone' LIMIT ?"
)
#: So many rows more than there are files may lie between two names of a folder: those below its subfolders.
MORE = 100


class SeenFiles:
    """The rows of one root; made by `open_seen_files`."""

    def __init__(self, connection: Any, root_id: int) -> None:
        self._execute, self._root_id = connection.execute, root_id

    def at(self, prefix: bytes, names: Sequence[bytes]) -> Mapping[bytes, tuple[Any, ...]]:
        """(path, id, status, device, inode, size, mtime, ctime) by name, of those assets that lie there and are not
        gone. The names are of one folder, the prefix is what stands before them; there may be other names among
        those returned."""
        if not names:
            return {}
        most = 2 * len(names) + MORE
        rows = self._execute(BETWEEN, (self._root_id, prefix + min(names), prefix + max(names), most)).fetchall()
        if len(rows) == most:
            parts = (names[start : start + CHUNK] for start in range(0, len(names), CHUNK))
            rows = [row for part in parts for row in self._named([prefix + name for name in part])]
        behind = len(prefix)
        return {row[0][behind:]: row for row in rows}

    def _named(self, paths: Sequence[bytes]) -> Iterator[tuple[Any, ...]]:
        marks = ", ".join("?" * len(paths))
        sql = f"SELECT {COLUMNS} FROM assets WHERE root_id = ? AND path IN ({marks}) AND status != 'gone'"
        yield from self._execute(sql, (self._root_id, *paths))


@contextmanager
def open_seen_files(db: Database, root_id: int) -> Iterator[SeenFiles]:
    """Each look sees what is committed then: no snapshot is kept over a long walk."""
    with db.engine.connect() as conn:
        yield SeenFiles(conn.connection.driver_connection, root_id)


def list_unseen(conn: Connection, root_id: int, seen: bytearray) -> list[tuple[bytes, AssetStatus]]:
    """(path, status) of the assets under a root that are not gone, and of which the byte at their id is not set."""
    sql = "SELECT id FROM assets WHERE root_id = ? AND status != 'gone' AND id < ?"
    # Past SQLAlchemy, which takes longer for each row than SQLite does.
    rows: Any = conn.connection.cursor().execute(sql, (root_id, len(seen)))
    ids = [asset_id for (asset_id,) in rows if not seen[asset_id]]
    found: list[tuple[bytes, AssetStatus]] = []
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        query = f"SELECT path, status FROM assets WHERE id IN ({', '.join('?' * len(part))}) ORDER BY id"
        found += [(row[0], AssetStatus(row[1])) for row in conn.exec_driver_sql(query, tuple(part))]
    return found
