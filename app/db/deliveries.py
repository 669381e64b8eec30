"""The deliveries table: which device was seen to hold which asset, and when."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, func, select

from app.db.clock import now
from app.db.tables import deliveries


def confirm(conn: Connection, batch_id: int, device_id: str, confirmed: Iterable[tuple[int, str | None]]) -> None:
    """Store (asset id, version) confirmations; a confirmation once stored stays as it is."""
    at = now()
    rows = [(asset_id, device_id, batch_id, at, version) for asset_id, version in confirmed]
    if rows:
        conn.exec_driver_sql(
            "INSERT INTO deliveries (asset_id, device_id, batch_id, confirmed_at, version) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            rows,
        )


def confirmed_ids(conn: Connection, batch_id: int, device_id: str) -> set[int]:
    """The ids of the batch's assets confirmed at this device."""
    query = select(deliveries.c.asset_id).where(
        deliveries.c.batch_id == batch_id, deliveries.c.device_id == device_id
    )
    return set(conn.execute(query).scalars())


def count(conn: Connection, batch_id: int) -> int:
    """How many (asset, device) confirmations the batch has."""
    return int(conn.execute(select(func.count()).where(deliveries.c.batch_id == batch_id)).scalar_one())
