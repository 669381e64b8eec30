"""The deliveries table: which device was seen to hold which asset, and when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select

from app.db.clock import now
from app.db.tables import assets, batch_devices, deliveries, delivery_obstacles
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
            "confirmed_at = excluded.confirmed_at, version = excluded.version, released_at = NULL "
            "WHERE deliveries.batch_id <> excluded.batch_id",
            rows,
        )


def confirmed_ids(conn: Connection, batch_id: int, device_id: str) -> set[int]:
    """The ids of the batch's assets confirmed at this device."""
    query = select(deliveries.c.asset_id).where(
        deliveries.c.batch_id == batch_id, deliveries.c.device_id == device_id
    )
    return set(conn.execute(query).scalars())


def versions(conn: Connection, batch_id: int, device_id: str) -> dict[int, str | None]:
    """The version that each of the batch's assets was confirmed in at this device, by asset id."""
    query = select(deliveries.c.asset_id, deliveries.c.version).where(
        deliveries.c.batch_id == batch_id, deliveries.c.device_id == device_id
    )
    return {row[0]: row[1] for row in conn.execute(query)}


def is_delivered(conn: Connection, batch_id: int, asset_id: int) -> bool:
    """Whether the asset was seen to arrive, with this batch, at every device that must have it."""
    d, required = deliveries.c, batch_devices.c
    here = (d.batch_id == batch_id, d.asset_id == asset_id)
    arrived = select(d.device_id).where(*here)
    lacking = select(required.device_id).where(required.batch_id == batch_id, required.device_id.not_in(arrived))
    return conn.execute(arrived).first() is not None and conn.execute(lacking).first() is None


def count_unproven(conn: Connection, batch_id: int) -> int:
    """How many files that the batch is to deliver lack a confirmation at a device that must have it; all of them when
    no device is required."""
    d, required = deliveries.c, batch_devices.c
    devices = select(required.device_id).where(required.batch_id == batch_id)
    wanted = conn.execute(select(func.count()).select_from(devices.subquery())).scalar_one()
    at_these = select(d.asset_id).where(d.batch_id == batch_id, d.device_id.in_(devices))
    everywhere = at_these.group_by(d.asset_id).having(func.count() == wanted)
    query = select(func.count()).where(
        assets.c.batch_id == batch_id, assets.c.status == AssetStatus.BATCHED, assets.c.id.not_in(everywhere)
    )
    return int(conn.execute(query).scalar_one())


def forget(conn: Connection, batch_id: int, asset_id: int) -> None:
    """Take back that an asset arrived with this batch: it has to be proven again."""
    conn.execute(delete(deliveries).where(deliveries.c.batch_id == batch_id, deliveries.c.asset_id == asset_id))


def forget_at(conn: Connection, batch_id: int, device_id: str, asset_ids: Iterable[int]) -> None:
    """Take back that these assets arrived at a device with this batch: a newer version has to be proven."""
    rows = [(batch_id, device_id, asset_id) for asset_id in asset_ids]
    if rows:
        conn.exec_driver_sql("DELETE FROM deliveries WHERE batch_id = ? AND device_id = ? AND asset_id = ?", rows)


def forget_batch(conn: Connection, batch_id: int) -> None:
    """Take back everything that was confirmed of a batch: nothing counts as safe at a peer because of it any more."""
    for table in (deliveries, delivery_obstacles):
        conn.execute(delete(table).where(table.c.batch_id == batch_id))


def forget_asset(conn: Connection, asset_id: int) -> None:
    """Take back that an asset arrived anywhere: it is lost or not missed, and no copy of it may stand for it."""
    conn.execute(delete(deliveries).where(deliveries.c.asset_id == asset_id))


def count(conn: Connection, batch_id: int) -> int:
    """How many of the batch's files were confirmed at some device."""
    query = select(func.count(deliveries.c.asset_id.distinct())).where(deliveries.c.batch_id == batch_id)
    return int(conn.execute(query).scalar_one())


class Confirmed(NamedTuple):
    """How much of a batch is confirmed."""

    file_count: int
    size_bytes: int


def size_of_confirmed(conn: Connection, batch_id: int, *device_ids: str) -> Confirmed:
    """How many of the batch's assets are confirmed at every one of these devices, and their bytes, without those that
    failed. Without a device nothing is confirmed."""
    d = deliveries.c
    at_these = select(d.asset_id).where(d.batch_id == batch_id, d.device_id.in_(device_ids))
    everywhere = at_these.group_by(d.asset_id).having(func.count() == len(device_ids))
    query = select(func.count(), func.coalesce(func.sum(assets.c.size_bytes), 0)).where(
        assets.c.id.in_(everywhere), assets.c.batch_id == batch_id, assets.c.status != AssetStatus.FAILED
    )
    count_, size = conn.execute(query).one()
    return Confirmed(int(count_), int(size))
