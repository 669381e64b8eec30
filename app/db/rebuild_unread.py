"""Rows from before that were never read: what a manifest says that they hold."""

from __future__ import annotations

from sqlalchemy import Connection

from app.db.rebuild_rows import DISPLACED, NOT_FOUND


def list_in_manifests(conn: Connection) -> dict[int, str]:
    """The SHA-256 that a manifest, the newest that names it, gives to each asset that was never read itself."""
    rows = conn.exec_driver_sql(
        "SELECT a.id, e.sha256 FROM rebuild_entries e JOIN assets a ON a.id = e.asset_id "
        "WHERE a.sha256 IS NULL AND a.size_bytes = e.size_bytes AND a.origin_path = e.origin "
        "AND (a.status != 'gone' OR a.reason IN (?, ?)) ORDER BY e.batch_id",
        (DISPLACED, NOT_FOUND),
    )
    return {row[0]: row[1] for row in rows}
