"""The deliveries table: which device was seen to hold which asset, and when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from app.db.clock import now
from app.db.tables import assets, deliveries


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


class Confirmed(NamedTuple):
    """How much of a batch one device holds."""

    file_count: int
    size_bytes: int


def size_of_confirmed(conn: Connection, batch_id: int, device_id: str) -> Confirmed:
    """How many of the batch's present assets are confirmed at this device, and their bytes."""
    query = (
        select(func.count(), func.coalesce(func.sum(assets.c.size_bytes), 0))
        .select_from(deliveries.join(assets, assets.c.id == deliveries.c.asset_id))
        .where(
            deliveries.c.batch_id == batch_id, deliveries.c.device_id == device_id, assets.c.batch_id == batch_id
        )
    )
    count_, size = conn.execute(query).one()
    return Confirmed(int(count_), int(size))
