"""What dedup has to read: files of one size are read at both ends, files with equal ends whole, no other ones.

A file whose size nobody else has, or whose ends nobody else has, holds what no other file holds. It is read when it
is taken into a batch. So a row has no digest at all, a head digest, or all of them; of rows with a digest that was
written by other ways than dedup, the head digest may be missing: whatever is as large as these is read whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from app.db import date_decisions
from app.db.clock import now
from app.model import AssetStatus, Signature

#: Sizes, or pairs of size and head digest, asked for in one statement.
CHUNK = 2_000

COLUMNS = "a.id, a.root_id, a.path, a.status, a.attempts, a.device, a.inode, a.size_bytes, a.mtime_ns, a.ctime_ns"

#: Empty files are never the same.
LACKS_HEAD = """(a.digest IS NULL AND a.head_digest IS NULL AND a.size_bytes > 0
  AND (EXISTS (SELECT 1 FROM assets AS b WHERE b.size_bytes = a.size_bytes AND b.id <> a.id)
    OR EXISTS (SELECT 1 FROM reference_files AS r WHERE r.size_bytes = a.size_bytes)))"""

#: A small file has a digest as soon as its ends were read: it is read again only for what else is to be known of it.
#: A file about which a person has decided may hold again what that was about.
LACKS_DIGEST = """(a.sha256 IS NULL AND (
  EXISTS (SELECT 1 FROM date_decisions AS d WHERE d.asset_id = a.id AND d.sha256 IS NOT NULL)
  OR a.head_digest IS NOT NULL AND (
  EXISTS (SELECT 1 FROM assets AS b
    WHERE b.size_bytes = a.size_bytes AND b.head_digest = a.head_digest AND b.id <> a.id)
  OR EXISTS (SELECT 1 FROM assets AS b
    WHERE b.size_bytes = a.size_bytes AND b.head_digest IS NULL AND b.digest IS NOT NULL)
  OR EXISTS (SELECT 1 FROM reference_files AS r
    WHERE r.size_bytes = a.size_bytes AND r.head_digest = a.head_digest))))"""

#: It has to be read before it can be compared.
LACKS = f"({LACKS_HEAD} OR {LACKS_DIGEST})"

OF_DISCOVERED = "SELECT {columns} FROM assets AS a WHERE a.status = 'discovered' AND a.id > ? AND {lacks} "
NEXT = "ORDER BY a.id LIMIT ?"

#: A duplicate is weighed again when something comes to its group; a scan may have found it without reading all of it.
LABELLED = """
SELECT DISTINCT {columns} FROM assets AS d JOIN assets AS a ON a.group_id = d.group_id
WHERE d.status = 'discovered' AND a.status || '' = 'duplicate' AND a.id > ? AND a.sha256 IS NULL AND a.size_bytes > 0
"""

#: Of files that a scan has read at both ends: those that are as large and were never read.
UNREAD_BESIDE = """
SELECT DISTINCT {columns} FROM assets AS d JOIN assets AS a ON a.size_bytes = d.size_bytes
WHERE d.status = 'discovered' AND d.head_digest IS NOT NULL AND a.head_digest IS NULL AND a.digest IS NULL
  AND a.status || '' = 'unique' AND a.id + 0 > ? AND a.size_bytes > 0
"""

#: Files that were found to be unlike all others, and are not any more.
UNIQUE_OF_SIZE = """
SELECT {columns} FROM assets AS a WHERE a.size_bytes IN ({marks}) AND a.head_digest IS NULL AND a.digest IS NULL
  AND a.status = 'unique'
"""
UNIQUE_WITH_ENDS = """
WITH wanted (size_bytes, head_digest) AS (VALUES {marks})
SELECT {columns} FROM wanted JOIN assets AS a
  ON a.size_bytes = wanted.size_bytes AND a.head_digest = wanted.head_digest
WHERE a.status = 'unique' AND a.sha256 IS NULL
"""

WRITE_HEAD = "UPDATE assets SET head_digest = ?, updated_at = ? WHERE id = ?"
#: Of what has a verdict already, the reason is about its date, and stays.
WRITE = (
    "UPDATE assets SET digest = ?, sha256 = ?, head_digest = ?, digest_algorithm = ?, attempts = 0, "
    "reason = CASE WHEN status = 'discovered' THEN NULL ELSE reason END, updated_at = ? WHERE id = ?"
)


class Unread(NamedTuple):
    """A file to read."""

    id: int
    root_id: int
    path: bytes
    status: AssetStatus
    attempts: int
    signature: Signature
    head_digest: str | None


def list_without_head(conn: Connection, after_id: int, limit: int) -> list[Unread]:
    """Discovered files that are as large as another one and were not read yet, in id order after an id."""
    return _list(conn, OF_DISCOVERED.format(columns=_COLUMNS, lacks=LACKS_HEAD) + NEXT, (after_id, limit))


def list_unread_beside(conn: Connection, after_id: int, limit: int) -> list[Unread]:
    """Unique files that were not read at all and are as large as a discovered one that was, in id order after an id."""
    return _list(conn, UNREAD_BESIDE.format(columns=_COLUMNS) + NEXT, (after_id, limit))


def list_without_digest(conn: Connection, after_id: int, limit: int) -> list[Unread]:
    """Discovered files that have the ends of another one and were not read whole, in id order after an id."""
    return _list(conn, OF_DISCOVERED.format(columns=_COLUMNS, lacks=LACKS_DIGEST) + NEXT, (after_id, limit))


def list_labelled_beside(conn: Connection, after_id: int, limit: int) -> list[Unread]:
    """Duplicates in groups with something new that were not read whole, in id order after an id."""
    return _list(conn, LABELLED.format(columns=_COLUMNS) + NEXT, (after_id, limit))


_COLUMNS = f"{COLUMNS}, a.head_digest"


def list_known_sizes(conn: Connection, sizes: Sequence[int]) -> set[int]:
    """Those of these sizes that some file in the library has."""
    found: set[int] = set()
    for start in range(0, len(sizes), CHUNK):
        part = sizes[start : start + CHUNK]
        sql = f"SELECT DISTINCT size_bytes FROM assets WHERE size_bytes IN ({', '.join('?' * len(part))})"
        found.update(row[0] for row in conn.exec_driver_sql(sql, tuple(part)))
    return found


def list_labelled_unread(conn: Connection, after_id: int, limit: int) -> list[int]:
    """Ids of duplicates that were not read whole, those after an id."""
    sql = (
        "SELECT id FROM assets WHERE status = 'duplicate' AND id > ? AND sha256 IS NULL AND size_bytes > 0 "
        "ORDER BY id LIMIT ?"
    )
    return [row[0] for row in conn.exec_driver_sql(sql, (after_id, limit))]


def list_decided(conn: Connection, after_id: int, limit: int) -> list[int]:
    """Ids of unique files about whose dates a person has decided before they were read, those after an id."""
    sql = (
        "SELECT a.id FROM date_decisions AS d JOIN assets AS a ON a.id = d.asset_id WHERE d.sha256 IS NULL "
        "AND d.asset_id > ? AND a.status = 'unique' AND a.sha256 IS NULL ORDER BY d.asset_id LIMIT ?"
    )
    return [row[0] for row in conn.exec_driver_sql(sql, (after_id, limit))]


def list_unique_of_size(conn: Connection, wanted: Sequence[Unread]) -> list[Unread]:
    """Unique files that were not read at all and are as large as one of these."""
    sizes = list({one.signature.size_bytes for one in wanted})
    found: list[Unread] = []
    for start in range(0, len(sizes), CHUNK):
        part = sizes[start : start + CHUNK]
        sql = UNIQUE_OF_SIZE.format(columns=_COLUMNS, marks=", ".join("?" * len(part)))
        found += _list(conn, sql, tuple(part))
    return found


def list_unique_with_ends(conn: Connection, wanted: Sequence[Unread]) -> list[Unread]:
    """Unique files that were not read whole and have the size and the ends of one of these."""
    pairs = list({(one.signature.size_bytes, one.head_digest) for one in wanted})
    found: list[Unread] = []
    for start in range(0, len(pairs), CHUNK):
        part = pairs[start : start + CHUNK]
        sql = UNIQUE_WITH_ENDS.format(columns=_COLUMNS, marks=", ".join(["(?, ?)"] * len(part)))
        found += _list(conn, sql, tuple(value for pair in part for value in pair))
    return found


def _list(conn: Connection, sql: str, values: tuple[object, ...]) -> list[Unread]:
    rows = conn.exec_driver_sql(sql, values).all()
    return [
        Unread(row[0], row[1], row[2], AssetStatus(row[3]), row[4], Signature(*row[5:10]), row[10]) for row in rows
    ]


def measure(conn: Connection, *, whole: bool) -> tuple[int, int]:
    """How many discovered files have to be read at both ends, or whole, and how many bytes these hold."""
    lacks = LACKS_DIGEST if whole else LACKS_HEAD
    sql = f"SELECT COUNT(*), COALESCE(SUM(a.size_bytes), 0) FROM assets AS a WHERE a.status = 'discovered' AND {lacks}"
    row = conn.exec_driver_sql(sql).one()
    return row[0], row[1]


def write_heads(conn: Connection, read: Sequence[tuple[int, str]]) -> None:
    """Write (asset id, head digest)."""
    at = now()
    if read:
        conn.exec_driver_sql(WRITE_HEAD, [(head, at, asset_id) for asset_id, head in read])


def write_digests(conn: Connection, read: Sequence[tuple[int, str, str, str | None]], algorithm: str) -> None:
    """Write (asset id, digest, SHA-256, head digest) of files that were read whole; what was decided of them counts for
    what they hold from then on."""
    at = now()
    if read:
        rows = [(digest, sha256, head, algorithm, at, asset_id) for asset_id, digest, sha256, head in read]
        conn.exec_driver_sql(WRITE, rows)
        date_decisions.take_contents(conn, {asset_id: sha256 for asset_id, _, sha256, _ in read})
