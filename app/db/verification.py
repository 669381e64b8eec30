"""What a verification asks of the assets: which files should be where, and when each was last found intact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from app.db.clock import now
from app.model import Signature


@dataclass(frozen=True, slots=True)
class Expected:
    """A file that should lie at a place: an asset's own, or a copy of it that was kept (then `copy_id` is set).

    `digest` is empty for a file that was never read. `has_finding`: something was wrong with it the last time.
    """

    asset_id: int
    root_id: int
    path: bytes
    signature: Signature
    digest: str
    algorithm: str
    verified_at: str | None
    copy_id: int | None = None
    has_finding: bool = False

    @property
    def place(self) -> tuple[int, bytes]:
        """(root id, path)."""
        return self.root_id, self.path


COLUMNS = (
    "a.id, a.root_id, a.path, a.device, a.inode, a.size_bytes, a.mtime_ns, a.ctime_ns, COALESCE(a.digest, ''), "
    "COALESCE(a.digest_algorithm, 'blake3'), a.verified_at"
)
#: What this run has found wrong, it has looked at.
UNTOLD = (
    "NOT EXISTS (SELECT 1 FROM findings f WHERE f.root_id = a.root_id AND f.path = a.path AND f.run_id = :run_id "
    "AND f.asset_id IS NOT NULL)"
)
NEVER = f"""
SELECT {COLUMNS} FROM assets a WHERE a.root_id = :root_id AND a.verified_at IS NULL AND a.id > :after_id
AND a.status != 'gone' AND {UNTOLD} ORDER BY a.id LIMIT :limit
"""
LONG_AGO = f"""
SELECT {COLUMNS} FROM assets a WHERE a.root_id = :root_id AND a.verified_at < :before
AND (a.verified_at, a.id) > (:after_at, :after_id) AND a.status != 'gone' AND {UNTOLD}
ORDER BY a.verified_at, a.id LIMIT :limit
"""
LATELY = f"""
SELECT {COLUMNS}, EXISTS (SELECT 1 FROM findings g WHERE g.root_id = a.root_id AND g.path = a.path)
FROM assets a WHERE a.root_id = :root_id AND a.path > :after_path AND a.status != 'gone'
AND a.verified_at >= :before AND a.verified_at < :until AND {UNTOLD} ORDER BY a.path LIMIT :limit
"""
COPIES = """
SELECT a.id, k.root_id, k.path, k.device, k.inode, k.size_bytes, k.mtime_ns, k.ctime_ns, COALESCE(a.digest, ''),
  COALESCE(a.digest_algorithm, 'blake3'), k.verified_at, k.id
FROM kept_copies k JOIN assets a ON a.id = k.asset_id
WHERE k.root_id = :root_id AND k.id > :after_id AND (k.verified_at IS NULL OR k.verified_at < :before)
AND NOT EXISTS (SELECT 1 FROM findings f WHERE f.root_id = k.root_id AND f.path = k.path AND f.run_id = :run_id
  AND f.asset_id IS NOT NULL)
ORDER BY k.id LIMIT :limit
"""
#: Found intact at an instant or later, and wrong after that.
WRONG_SINCE = """
SELECT COUNT(*), COALESCE(SUM(a.size_bytes), 0) FROM findings f
JOIN assets a ON a.root_id = f.root_id AND a.path = f.path AND a.status != 'gone'
WHERE f.root_id = ? AND f.asset_id = a.id AND a.verified_at >= ?
"""
INTACT = (
    "UPDATE assets SET verified_at = ?, device = ?, inode = ?, mtime_ns = ?, ctime_ns = ? "
    "WHERE id = ? AND root_id = ? AND path = ? AND digest = ?"
)
INTACT_COPY = "UPDATE kept_copies SET verified_at = ?, device = ?, inode = ?, mtime_ns = ?, ctime_ns = ? WHERE id = ?"


def _expected(row: Sequence[Any]) -> Expected:
    return Expected(row[0], row[1], row[2], Signature(*row[3:8]), row[8], row[9], row[10])


def list_never_verified(
    conn: Connection, root_id: int, run_id: int, after: Expected | None, limit: int
) -> list[Expected]:
    """Assets under a root that were never found intact, without those that this run has found wrong; by id."""
    values = {"root_id": root_id, "run_id": run_id, "after_id": after.asset_id if after else 0, "limit": limit}
    return [_expected(row) for row in conn.execute(text(NEVER), values).all()]


def list_verified_before(
    conn: Connection, root_id: int, run_id: int, before: str, after: Expected | None, limit: int
) -> list[Expected]:
    """Assets last found intact before an instant, the longest ago first."""
    values = {"root_id": root_id, "run_id": run_id, "before": before, "limit": limit}
    values |= {"after_at": (after.verified_at if after else None) or "", "after_id": after.asset_id if after else 0}
    return [_expected(row) for row in conn.execute(text(LONG_AGO), values).all()]


def list_verified_lately(
    conn: Connection, root_id: int, run_id: int, between: tuple[str, str], after: Expected | None, limit: int
) -> list[Expected]:
    """Assets last found intact at the first instant or later and before the second, by path."""
    before, until = between
    values = {"root_id": root_id, "run_id": run_id, "before": before, "until": until, "limit": limit}
    values["after_path"] = after.path if after else b""
    rows = conn.execute(text(LATELY), values).all()
    return [
        Expected(r[0], r[1], r[2], Signature(*r[3:8]), r[8], r[9], r[10], has_finding=bool(r[11])) for r in rows
    ]


def list_copies(
    conn: Connection, root_id: int, run_id: int, before: str, after: Expected | None, limit: int
) -> list[Expected]:
    """Kept copies under a root that were not found intact since an instant, in the order of their rows."""
    values = {"root_id": root_id, "run_id": run_id, "before": before, "limit": limit}
    values["after_id"] = (after.copy_id if after else None) or 0
    rows = conn.execute(text(COPIES), values).all()
    return [Expected(r[0], r[1], r[2], Signature(*r[3:8]), r[8], r[9], r[10], copy_id=r[11]) for r in rows]


def count_due(conn: Connection, root_ids: Sequence[int], run_id: int, before: str) -> int:
    """How many files under these roots are still to be read: never found intact, or not since an instant."""
    sql = (
        "SELECT (SELECT COUNT(*) FROM assets WHERE root_id = ? AND status != 'gone' AND verified_at IS NULL) + "
        "(SELECT COUNT(*) FROM assets WHERE root_id = ? AND status != 'gone' AND verified_at < ?) + "
        "(SELECT COUNT(*) FROM kept_copies WHERE root_id = ? AND (verified_at IS NULL OR verified_at < ?)) - "
        "(SELECT COUNT(*) FROM findings WHERE root_id = ? AND run_id = ? AND asset_id IS NOT NULL)"
    )
    values = [(root_id, root_id, before, root_id, before, root_id, run_id) for root_id in root_ids]
    return sum(max(0, int(conn.exec_driver_sql(sql, row).scalar_one())) for row in values)


def count_verified_since(conn: Connection, root_ids: Sequence[int], since: str) -> tuple[int, int]:
    """(files, bytes) under these roots that were found intact at an instant or later, and not wrong after that."""
    files = size_bytes = 0
    for table, is_there in (("assets", "status != 'gone'"), ("kept_copies", "1 = 1")):
        sql = f"SELECT COUNT(*), COALESCE(SUM(size_bytes), 0) FROM {table} WHERE root_id = ? AND verified_at >= ? "
        for root_id in root_ids:
            row = conn.exec_driver_sql(f"{sql} AND {is_there}", (root_id, since)).one()
            files, size_bytes = files + int(row[0]), size_bytes + int(row[1])
    for root_id in root_ids:
        row = conn.exec_driver_sql(WRONG_SINCE, (root_id, since)).one()
        files, size_bytes = files - int(row[0]), size_bytes - int(row[1])
    return files, size_bytes


def coverage(conn: Connection, root_id: int) -> dict[str, Any]:
    """How much under a root was verified: files, how many never, and when the longest unverified was found intact."""
    # Three questions that one index answers without a look at the rows.
    here = "FROM assets WHERE root_id = ? AND status != 'gone' AND"
    sql = (
        f"SELECT (SELECT COUNT(*) {here} verified_at IS NULL), (SELECT COUNT(*) {here} verified_at > ''), "
        f"(SELECT MIN(verified_at) {here} verified_at > '')"
    )
    never, verified, oldest = conn.exec_driver_sql(sql, (root_id, root_id, root_id)).one()
    files = never + verified
    return {"files": files, "never_verified": never, "oldest_verified_at": oldest}


def mark_intact(conn: Connection, found: Sequence[tuple[Expected, Signature]], not_before: str) -> None:
    """Note that these files were read and hold what they should; how they lie on the disk now is noted as well.

    The instant noted is never before the given one: a clock that is set back must not have them read again.
    """
    at = max(now(), not_before)
    own = [(at, *_facts(s), e.asset_id, e.root_id, e.path, e.digest) for e, s in found if e.copy_id is None]
    copies = [(at, *_facts(s), e.copy_id) for e, s in found if e.copy_id is not None]
    if own:
        conn.exec_driver_sql(INTACT, own)
    if copies:
        conn.exec_driver_sql(INTACT_COPY, copies)


def _facts(s: Signature) -> tuple[int, int, int, int]:
    return s.device, s.inode, s.mtime_ns, s.ctime_ns


def list_known_paths(conn: Connection, root_id: int, paths: Sequence[bytes]) -> set[bytes]:
    """Those of these paths under a root where an asset's file or a kept copy should be."""
    known: set[bytes] = set()
    marks = ", ".join("?" * len(paths))
    for table, is_there in (("assets", "AND status != 'gone'"), ("kept_copies", "")):
        sql = f"SELECT path FROM {table} WHERE root_id = ? AND path IN ({marks}) {is_there}"
        known.update(conn.exec_driver_sql(sql, (root_id, *paths)).scalars())
    return known


def list_by_content(conn: Connection, contents: Sequence[str]) -> dict[str, tuple[int, int, bytes]]:
    """(asset id, root id, path) of an asset that holds each of these contents (SHA-256), unless it is gone."""
    marks = ", ".join("?" * len(contents))
    rows = conn.exec_driver_sql(
        f"SELECT sha256, id, root_id, path FROM assets WHERE sha256 IN ({marks}) AND status != 'gone' "
        "ORDER BY id DESC",
        tuple(contents),
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


@dataclass(frozen=True, slots=True)
class Content:
    """Where an asset's own file should be, and what it should hold."""

    asset_id: int
    root_id: int
    path: bytes
    size_bytes: int
    sha256: str | None


def list_contents(conn: Connection, asset_ids: Sequence[int]) -> dict[int, Content]:
    """What each of these assets holds, by id."""
    marks = ", ".join("?" * len(asset_ids))
    sql = f"SELECT id, root_id, path, size_bytes, sha256 FROM assets WHERE id IN ({marks})"
    return {row[0]: Content(*row) for row in conn.exec_driver_sql(sql, tuple(asset_ids))}


def note_verified(conn: Connection, asset_id: int, at: str) -> None:
    """Note that an asset was found intact at an instant, by a read of what a person has now accepted."""
    conn.exec_driver_sql("UPDATE assets SET verified_at = ? WHERE id = ?", (at, asset_id))


def find_gone(conn: Connection, sha256: str) -> int | None:
    """The newest asset that held this content and is gone."""
    sql = "SELECT MAX(id) FROM assets WHERE sha256 = ? AND status = 'gone'"
    return conn.exec_driver_sql(sql, (sha256,)).scalar()
