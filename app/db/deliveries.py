"""The deliveries table: which device was seen to hold which asset, and when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select

from app.db.clock import now
from app.db.tables import assets, deliveries
from app.model import AssetStatus


def confirm(conn: Connection, batch_id: int, device_id: str, confirmed: Iterable[tuple[int, str | None]]) -> None:
    """Store (asset id, version) confirmations. One that is stored for this batch stays as it is; that of an earlier
    batch, which was taken back, gives way."""
    at = now()
    rows = [(asset_id, device_id, batch_id, at, version) for asset_id, version in confirmed]
    if rows:
        conn.exec_driver_sql(
            "INSERT INTO deliveries (asset_id, device_id, batch_id, confirmed_at, version) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (asset_id, device_id) DO UPDATE SET batch_id = excluded.batch_id, "
            "confirmed_at = excluded.confirmed_at, version = excluded.version "
            "WHERE deliveries.batch_id <> excluded.batch_id",
            rows,
        )


def confirmed_ids(conn: Connection, batch_id: int, device_id: str) -> set[int]:
    """The ids of the batch's assets confirmed at this device."""
    query = select(deliveries.c.asset_id).where(
        deliveries.c.batch_id == batch_id, deliveries.c.device_id == device_id
    )
    return set(conn.execute(query).scalars())


def is_confirmed(conn: Connection, batch_id: int, asset_id: int) -> bool:
    """Whether the asset was seen to arrive, with this batch, at any device."""
    here = (deliveries.c.batch_id == batch_id, deliveries.c.asset_id == asset_id)
    return conn.execute(select(deliveries.c.asset_id).where(*here)).first() is not None


def forget(conn: Connection, batch_id: int, asset_id: int) -> None:
    """Take back that an asset arrived with this batch: it has to be proven again."""
    conn.execute(delete(deliveries).where(deliveries.c.batch_id == batch_id, deliveries.c.asset_id == asset_id))


def forget_batch(conn: Connection, batch_id: int) -> None:
    """Take back everything that was confirmed of a batch: nothing counts as safe at a peer because of it any more."""
    conn.execute(delete(deliveries).where(deliveries.c.batch_id == batch_id))


def forget_asset(conn: Connection, asset_id: int) -> None:
    """Take back that an asset arrived anywhere: it is lost or not missed, and no copy of it may stand for it."""
    conn.execute(delete(deliveries).where(deliveries.c.asset_id == asset_id))


def count(conn: Connection, batch_id: int) -> int:
    """How many (asset, device) confirmations the batch has."""
    return int(conn.execute(select(func.count()).where(deliveries.c.batch_id == batch_id)).scalar_one())


class Confirmed(NamedTuple):
    """How much of a batch one device holds."""

    file_count: int
    size_bytes: int


def size_of_confirmed(conn: Connection, batch_id: int, device_id: str) -> Confirmed:
    """How many of the batch's assets are confirmed at this device, and their bytes, without those that failed."""
    query = (
        select(func.count(), func.coalesce(func.sum(assets.c.size_bytes), 0))
        .select_from(deliveries.join(assets, assets.c.id == deliveries.c.asset_id))
        .where(
            deliveries.c.batch_id == batch_id,
            deliveries.c.device_id == device_id,
            assets.c.batch_id == batch_id,
            assets.c.status != AssetStatus.FAILED,
        )
    )
    count_, size = conn.execute(query).one()
    return Confirmed(int(count_), int(size))
