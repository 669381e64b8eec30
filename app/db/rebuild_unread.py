"""Rows from before that were never read: what a manifest says that they hold, and which files they were."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from app.db.rebuild_rows import DISPLACED, NOT_FOUND

#: Sizes asked for in one statement.
CHUNK = 5_000


def list_in_manifests(conn: Connection) -> dict[int, str]:
    """The SHA-256 that a manifest, the newest that names it, gives to each asset that was never read itself."""
    rows = conn.exec_driver_sql(
        "SELECT a.id, e.sha256 FROM rebuild_entries e JOIN assets a ON a.id = e.asset_id "
        "WHERE a.sha256 IS NULL AND a.size_bytes = e.size_bytes AND a.origin_path = e.origin "
        "AND (a.status != 'gone' OR a.reason IN (?, ?)) ORDER BY e.batch_id",
        (DISPLACED, NOT_FOUND),
    )
    return {row[0]: row[1] for row in rows}


def list_files(conn: Connection, sizes: Collection[int]) -> dict[tuple[int, int, int], list[int]]:
    """By (size, inode, time of modification), the ids of the living assets of these sizes that were never read."""
    found: dict[tuple[int, int, int], list[int]] = {}
    wanted = list(sizes)
    for start in range(0, len(wanted), CHUNK):
        part = wanted[start : start + CHUNK]
        sql = (
            "SELECT id, size_bytes, inode, mtime_ns FROM assets WHERE sha256 IS NULL "
            f"AND size_bytes IN ({', '.join('?' * len(part))}) AND status || '' != 'gone'"
        )
        for row in conn.exec_driver_sql(sql, tuple(part)):
            found.setdefault((row[1], row[2], row[3]), []).append(row[0])
    return found
