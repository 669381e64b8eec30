"""What peers have released, in the deliveries table.

A peer that deletes what it was sent has had it: a release is also a confirmation.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from app.db import members
from app.db.clock import now
from app.db.deliveries import confirm
from app.db.tables import assets, batches, deliveries
from app.model import Asset, AssetStatus, Batch

#: What can still be released: in its batch, and not failed.
PRESENT = (AssetStatus.BATCHED, AssetStatus.DELIVERED)


class Released(NamedTuple):
    """How much of a batch its peer has released."""

    file_count: int
    size_bytes: int


def note(conn: Connection, batch_id: int, device_id: str, released: Iterable[tuple[int, str]]) -> None:
    """Store (asset id, version) releases; each is a confirmation too, when there is none yet."""
    found = list(released)
    confirm(conn, batch_id, device_id, found)
    conn.exec_driver_sql(
        "UPDATE deliveries SET released_at = COALESCE(released_at, ?) "
        "WHERE batch_id = ? AND device_id = ? AND asset_id = ?",
        [(now(), batch_id, device_id, asset_id) for asset_id, _ in found],
    )


def released_ids(conn: Connection, batch_id: int) -> set[int]:
    """The ids of the batch's assets that its peer has released."""
    query = select(deliveries.c.asset_id).where(_is_released(batch_id))
    return set(conn.execute(query).scalars())


def list_awaited(conn: Connection, batch: Batch) -> list[Asset]:
    """The batch's assets that its peer has not released yet, without those that failed."""
    known = released_ids(conn, batch.id)
    return [asset for asset in members.list_of(conn, batch.id, PRESENT) if asset.id not in known]


def count(conn: Connection, batch_id: int) -> Released:
    """How many of the batch's files, and how many bytes, its peer has released."""
    query = select(func.count(), func.coalesce(func.sum(assets.c.size_bytes), 0)).where(
        _is_released(batch_id), assets.c.id == deliveries.c.asset_id
    )
    return Released(*(int(n) for n in conn.execute(query).one()))


def _is_released(batch_id: int) -> ColumnElement[bool]:
    """Only the one device that the batch waits for releases it; what others delete is no release."""
    peer = select(batches.c.device_id).where(batches.c.id == batch_id).scalar_subquery()
    at_peer = (deliveries.c.batch_id == batch_id) & (deliveries.c.device_id == peer)
    return at_peer & deliveries.c.released_at.is_not(None)
