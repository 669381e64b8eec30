"""The tables of reference folders: what lies there, as far as it was compared, and which duplicates lean on it.

An original in a reference folder is handled as an asset whose id is minus that of its row here: it has no row among
the assets, so nothing that moves or marks files can ever reach it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection

from app.model import Asset, AssetStatus, Signature

T = TypeVar("T")

#: Values in one statement.
CHUNK = 2_000
#: The id of no root: a list in SQL may not be empty everywhere.
NO_ROOT = 0

FACTS = "size_bytes, mtime_ns, ctime_ns, device, inode"
COLUMNS = f"id, root_id, path, {FACTS}, digest, digest_algorithm, sha256, head_digest"

INSERT = f"INSERT INTO reference_files (root_id, path, {FACTS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
RENEW = (
    "UPDATE reference_files SET size_bytes = ?, mtime_ns = ?, ctime_ns = ?, device = ?, inode = ?, "
    "head_digest = NULL, digest = NULL, digest_algorithm = NULL, sha256 = NULL WHERE id = ?"
)
WRITE_HEAD = "UPDATE reference_files SET head_digest = ? WHERE id = ?"
WRITE = "UPDATE reference_files SET head_digest = ?, digest = ?, digest_algorithm = ?, sha256 = ? WHERE id = ?"

#: Files with the size and the ends of something that has no verdict yet, and that were not read whole.
ALIKE = """
SELECT DISTINCT r.id, r.root_id, r.path, r.device, r.inode, r.size_bytes, r.mtime_ns, r.ctime_ns
FROM assets AS a JOIN reference_files AS r ON r.size_bytes = a.size_bytes AND r.head_digest = a.head_digest
WHERE a.status = 'discovered' AND r.digest IS NULL AND r.id > ? ORDER BY r.id LIMIT ?
"""

#: Labels whose file is not there any more, or is another one, or lies in a folder that is no reference any more.
ORPHANED = """
SELECT l.asset_id FROM reference_labels AS l JOIN assets AS a ON a.id = l.asset_id
LEFT JOIN reference_files AS r ON r.id = l.reference_id
WHERE a.status IN ('duplicate', 'set_aside') AND a.original_id IS NULL
  AND (r.id IS NULL OR COALESCE(r.sha256, '') <> COALESCE(a.sha256, '') OR r.root_id NOT IN ({marks}))
"""


#: A label counts only while the file is a duplicate of no asset.
LABELLED = """
SELECT r.id, r.root_id, r.path, r.size_bytes, COUNT(*)
FROM reference_files AS r JOIN reference_labels AS l ON l.reference_id = r.id
JOIN assets AS a ON a.id = l.asset_id AND a.status || '' = 'duplicate' AND a.original_id IS NULL
WHERE r.id > ? GROUP BY r.id, r.root_id, r.path, r.size_bytes ORDER BY r.id LIMIT ?
"""
LABELS_OF = """
SELECT a.id FROM reference_labels AS l JOIN assets AS a ON a.id = l.asset_id
WHERE l.reference_id = ? AND a.status || '' = 'duplicate' AND a.original_id IS NULL ORDER BY a.id
"""


class Unread(NamedTuple):
    """A file of a reference folder that has to be read."""

    id: int
    root_id: int
    path: bytes
    signature: Signature


def has_any(conn: Connection) -> bool:
    """Whether anything is known of any reference folder."""
    return conn.exec_driver_sql("SELECT 1 FROM reference_files LIMIT 1").first() is not None


def list_signatures_at(conn: Connection, root_id: int, paths: Sequence[bytes]) -> dict[bytes, tuple[int, Signature]]:
    """(id, signature) by path of what is known at these places."""
    found: dict[bytes, tuple[int, Signature]] = {}
    for part in _parts(paths):
        sql = (
            "SELECT path, id, device, inode, size_bytes, mtime_ns, ctime_ns FROM reference_files "
            f"WHERE root_id = ? AND path IN ({_marks(part)})"
        )
        found.update({row[0]: (row[1], Signature(*row[2:7])) for row in conn.exec_driver_sql(sql, (root_id, *part))})
    return found


def insert(conn: Connection, root_id: int, found: Iterable[tuple[bytes, Signature]]) -> None:
    """Write files that were not known."""
    rows = [(root_id, path, *_facts(signature)) for path, signature in found]
    if rows:
        conn.exec_driver_sql(INSERT, rows)


def renew(conn: Connection, changed: Sequence[tuple[int, Signature]]) -> None:
    """Write files that are not what they were: what was read of them is forgotten."""
    if changed:
        conn.exec_driver_sql(RENEW, [(*_facts(signature), file_id) for file_id, signature in changed])


def last_id(conn: Connection) -> int:
    """The highest id so far, 0 when there is none."""
    return int(conn.exec_driver_sql("SELECT COALESCE(MAX(id), 0) FROM reference_files").scalar() or 0)


def count(conn: Connection, root_id: int) -> int:
    """How many files are known in a folder."""
    sql = "SELECT COUNT(*) FROM reference_files WHERE root_id = ?"
    return int(conn.exec_driver_sql(sql, (root_id,)).scalar() or 0)


def list_ids(conn: Connection, root_id: int) -> Iterator[int]:
    """The ids of all files of a folder, streamed."""
    for row in conn.exec_driver_sql("SELECT id FROM reference_files WHERE root_id = ?", (root_id,)):
        yield row[0]


def forget(conn: Connection, ids: Sequence[int]) -> None:
    """Forget files that have left their folder."""
    if ids:
        conn.exec_driver_sql("DELETE FROM reference_files WHERE id = ?", [(file_id,) for file_id in ids])


def forget_outside(conn: Connection, root_ids: Sequence[int]) -> None:
    """Forget every file of folders that are no reference any more."""
    sql = f"DELETE FROM reference_files WHERE root_id NOT IN ({_marks([NO_ROOT, *root_ids])})"
    conn.exec_driver_sql(sql, (NO_ROOT, *root_ids))


def has_discovered(conn: Connection) -> bool:
    """Whether anything waits to be compared."""
    return conn.exec_driver_sql("SELECT 1 FROM assets WHERE status = 'discovered' LIMIT 1").first() is not None


def list_sizes_wanted(conn: Connection) -> array[int]:
    """The sizes of everything without a verdict, each once; eight bytes a size."""
    sql = "SELECT DISTINCT size_bytes FROM assets WHERE status = 'discovered' AND size_bytes > 0"
    return array("q", (row[0] for row in conn.exec_driver_sql(sql)))


def list_without_head(conn: Connection, sizes: Sequence[int]) -> list[Unread]:
    """Files of one of these sizes that were not read, in id order."""
    sql = (
        "SELECT id, root_id, path, device, inode, size_bytes, mtime_ns, ctime_ns FROM reference_files "
        f"WHERE size_bytes IN ({_marks(sizes)}) AND head_digest IS NULL AND digest IS NULL ORDER BY id"
    )
    return _unread(conn, sql, tuple(sizes))


def list_without_digest(conn: Connection, after_id: int, limit: int) -> list[Unread]:
    """A page of files that look like something without a verdict, in id order after an id."""
    return _unread(conn, ALIKE, (after_id, limit))


def write_heads(conn: Connection, read: Sequence[tuple[int, str]]) -> None:
    """Write (id, head digest)."""
    if read:
        conn.exec_driver_sql(WRITE_HEAD, [(head, file_id) for file_id, head in read])


def write_digests(conn: Connection, read: Sequence[tuple[int, str, str, str]], algorithm: str) -> None:
    """Write (id, head digest, digest, SHA-256) of files that were read whole."""
    if read:
        rows = [(head, digest, algorithm, sha256, file_id) for file_id, head, digest, sha256 in read]
        conn.exec_driver_sql(WRITE, rows)


def list_originals(conn: Connection, sha256s: Sequence[str]) -> list[Asset]:
    """Files that hold one of these contents, as originals."""
    found: list[Asset] = []
    for part in _parts(sha256s):
        sql = f"SELECT {COLUMNS} FROM reference_files WHERE sha256 IN ({_marks(part)})"
        found += [_original(row) for row in conn.exec_driver_sql(sql, tuple(part))]
    return found


def label(conn: Connection, labels: Sequence[tuple[int, int]]) -> None:
    """Note (asset id, id of the original in a reference folder) of duplicates."""
    if labels:
        conn.exec_driver_sql(
            "INSERT INTO reference_labels (asset_id, reference_id) VALUES (?, ?) "
            "ON CONFLICT (asset_id) DO UPDATE SET reference_id = excluded.reference_id",
            [(asset_id, -original_id) for asset_id, original_id in labels],
        )


def list_orphaned_labels(conn: Connection, root_ids: Sequence[int]) -> list[int]:
    """Ids of duplicates whose original is not what it was, or not in one of these folders."""
    sql = ORPHANED.format(marks=_marks([NO_ROOT, *root_ids]))
    return [row[0] for row in conn.exec_driver_sql(sql, (NO_ROOT, *root_ids))]


def originals_of(conn: Connection, asset_ids: Sequence[int]) -> dict[int, Asset]:
    """By asset id, the originals of those whose original lies in a reference folder."""
    columns = ", ".join(f"r.{name}" for name in COLUMNS.split(", "))
    found: dict[int, Asset] = {}
    for part in _parts(asset_ids):
        sql = (
            f"SELECT l.asset_id, {columns} FROM reference_labels AS l JOIN assets AS a ON a.id = l.asset_id "
            "JOIN reference_files AS r ON r.id = l.reference_id "
            f"WHERE a.original_id IS NULL AND l.asset_id IN ({_marks(part)})"
        )
        found.update({row[0]: _original(row[1:]) for row in conn.exec_driver_sql(sql, tuple(part))})
    return found


class Labelled(NamedTuple):
    """A file of a reference folder that is an original, with how many duplicates it has."""

    id: int
    root_id: int
    path: bytes
    size_bytes: int
    duplicates: int


def list_labelled(conn: Connection, after_id: int, limit: int) -> list[Labelled]:
    """Originals in reference folders, in id order, those after an id."""
    rows = conn.exec_driver_sql(LABELLED, (after_id, limit))
    return [Labelled(*row) for row in rows]


def list_labels_of(conn: Connection, reference_id: int, limit: int) -> list[int]:
    """The ids of the first duplicates of an original in a reference folder."""
    rows = conn.exec_driver_sql(f"{LABELS_OF} LIMIT ?", (reference_id, limit))
    return [row[0] for row in rows]


def _original(row: Sequence[Any]) -> Asset:
    return Asset(-row[0], row[1], row[2], AssetStatus.ARCHIVED, *row[3:12])


def _unread(conn: Connection, sql: str, values: tuple[object, ...]) -> list[Unread]:
    rows = conn.exec_driver_sql(sql, values)
    return [Unread(row[0], row[1], row[2], Signature(*row[3:8])) for row in rows]


def _facts(s: Signature) -> tuple[int, int, int, int, int]:
    return s.size_bytes, s.mtime_ns, s.ctime_ns, s.device, s.inode


def _parts(values: Iterable[T]) -> Iterator[list[T]]:
    waiting = iter(values)
    while part := list(islice(waiting, CHUNK)):
        yield part


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
