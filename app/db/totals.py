"""Counts and bytes per asset status, kept in the same transaction as the status itself."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, func, select

from app.db import activity
from app.db.tables import assets, totals
from app.model import AssetStatus


def add(conn: Connection, changes: Mapping[str, tuple[int, int]]) -> None:
    """Add (files, bytes) to each status named; both may be negative. What files came to is noted for the charts."""
    _add(conn, changes)
    activity.note(conn, changes)


def _add(conn: Connection, changes: Mapping[str, tuple[int, int]]) -> None:
    rows = [(status, files, size) for status, (files, size) in changes.items() if files or size]
    if rows:
        conn.exec_driver_sql(
            "INSERT INTO totals (status, file_count, size_bytes) VALUES (?, ?, ?) "
            "ON CONFLICT (status) DO UPDATE SET file_count = totals.file_count + excluded.file_count, "
            "size_bytes = totals.size_bytes + excluded.size_bytes",
            rows,
        )


def read(conn: Connection) -> dict[AssetStatus, tuple[int, int]]:
    """(files, bytes) per status; every status is present."""
    found = {row.status: (row.file_count, row.size_bytes) for row in conn.execute(select(totals))}
    return {status: found.get(status.value, (0, 0)) for status in AssetStatus}


def count(conn: Connection) -> dict[AssetStatus, tuple[int, int]]:
    """(files, bytes) per status, counted from the assets themselves; every status is present."""
    query = select(assets.c.status, func.count(), func.coalesce(func.sum(assets.c.size_bytes), 0))
    counted = {row[0]: (row[1], row[2]) for row in conn.execute(query.group_by(assets.c.status))}
    return {status: counted.get(status.value, (0, 0)) for status in AssetStatus}


def recount(conn: Connection) -> None:
    """Make the totals again from the assets themselves."""
    counted = count(conn)
    conn.execute(totals.delete())
    _add(conn, {status.value: numbers for status, numbers in counted.items()})
