"""The known_digests table: what files were found to hold when a preview read them, so that nobody reads them again.

A digest is of use only for the very file that was read: device, inode, size and both times must be the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from sqlalchemy import Connection

from app.db.clock import now
from app.db.connection import Database
from app.model import Asset, Signature

#: Rows in one statement, or in one transaction.
CHUNK = 2_000

NOTE = (
    "INSERT INTO known_digests (device, inode, size_bytes, mtime_ns, ctime_ns, digest, digest_algorithm, sha256, "
    "noted_at, head_digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device, inode) DO UPDATE SET "
    "size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, ctime_ns = excluded.ctime_ns, "
    "digest = excluded.digest, digest_algorithm = excluded.digest_algorithm, sha256 = excluded.sha256, "
    "noted_at = excluded.noted_at, head_digest = excluded.head_digest"
)
READ = (
    "SELECT id, device, inode, size_bytes, mtime_ns, ctime_ns, digest, digest_algorithm, sha256, head_digest "
    "FROM assets WHERE id > ? AND digest IS NOT NULL AND sha256 IS NOT NULL AND digest_algorithm IS NOT NULL "
    "ORDER BY id LIMIT ?"
)


class Known(NamedTuple):
    """What a file with this signature was found to hold."""

    signature: Signature
    digest: str
    digest_algorithm: str
    sha256: str
    head_digest: str | None = None


def has_any(conn: Connection) -> bool:
    """Whether anything is known at all."""
    return conn.exec_driver_sql("SELECT 1 FROM known_digests LIMIT 1").first() is not None


def note(conn: Connection, known: Iterable[Known]) -> None:
    """Remember these digests; what was known of the same inodes before is replaced."""
    at = now()
    rows = [
        (*s, k.digest, k.digest_algorithm, k.sha256, at, k.head_digest)
        for k in known
        for s in (k.signature,)
    ]
    if rows:
        conn.exec_driver_sql(NOTE, rows)


def find(conn: Connection, wanted: Sequence[Asset], algorithm: str) -> dict[int, Known]:
    """By asset id, what is known of those assets that still have the signature under which they were read."""
    found: dict[int, Known] = {}
    by_inode: dict[tuple[int, int], list[Asset]] = {}
    for asset in wanted:
        by_inode.setdefault((asset.device, asset.inode), []).append(asset)
    keys = iter(by_inode)
    while part := list(islice(keys, CHUNK)):
        for row in conn.exec_driver_sql(_find_sql(len(part)), (*(v for key in part for v in key), algorithm)):
            known = Known(Signature(*row[:5]), *row[5:9])
            same = [asset for asset in by_inode[row[0], row[1]] if asset.signature == known.signature]
            found.update((asset.id, known) for asset in same)
    return found


def _find_sql(count: int) -> str:
    pairs = ", ".join(["(?, ?)"] * count)
    return (
        f"WITH wanted (device, inode) AS (VALUES {pairs}) SELECT k.device, k.inode, k.size_bytes, k.mtime_ns, "
        "k.ctime_ns, k.digest, k.digest_algorithm, k.sha256, k.head_digest FROM wanted JOIN known_digests AS k "
        "ON k.device = wanted.device AND k.inode = wanted.inode WHERE k.digest_algorithm = ?"
    )


def drop(conn: Connection, signatures: Sequence[Signature]) -> None:
    """Forget these: their assets have the digests now."""
    if signatures:
        keys = [(s.device, s.inode) for s in signatures]
        conn.exec_driver_sql("DELETE FROM known_digests WHERE device = ? AND inode = ?", keys)


def drop_before(conn: Connection, at: str) -> int:
    """Forget what was noted before this instant; returns how many."""
    return conn.exec_driver_sql("DELETE FROM known_digests WHERE noted_at < ?", (at,)).rowcount


def keep_what_was_read(rehearsal: Database, db: Database) -> int:
    """Note in `db` every digest that the assets of its copy have and its own have not; returns how many."""
    kept = 0
    for page in _pages(rehearsal):
        with db.transaction() as conn:
            own = _own_digests(conn, page[0][0], page[-1][0])
            news = [Known(Signature(*row[1:6]), *row[6:10]) for row in page if own.get(row[0]) != row[1:7]]
            note(conn, news)
        kept += len(news)
    return kept


def _pages(rehearsal: Database) -> Iterator[Sequence[tuple[int, int, int, int, int, int, str, str, str, str | None]]]:
    last = 0
    while True:
        with rehearsal.reading() as conn:
            page = [tuple(row) for row in conn.exec_driver_sql(READ, (last, CHUNK))]
        if not page:
            return
        last = page[-1][0]
        yield page


def _own_digests(conn: Connection, first: int, last: int) -> dict[int, tuple[int, int, int, int, int, str]]:
    query = (
        "SELECT id, device, inode, size_bytes, mtime_ns, ctime_ns, digest FROM assets "
        "WHERE id BETWEEN ? AND ? AND digest IS NOT NULL"
    )
    return {row[0]: (*row[1:7],) for row in conn.exec_driver_sql(query, (first, last))}
