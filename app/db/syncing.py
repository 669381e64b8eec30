"""Which batches are on their way to which devices through Syncthing at this moment."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from app.db import batch_devices, batches
from app.model import Batch, BatchStatus

#: Among so many of the newest batches one is looked for that has just arrived.
RECENT = 20


def list_on_their_way(conn: Connection) -> list[tuple[Batch, list[str]]]:
    """Every batch that is announced and not proven everywhere yet, with the devices that must have it."""
    announced = [b for b in batches.list_by_status(conn, [BatchStatus.SYNCING]) if b.target == "syncthing"]
    return [(batch, devices_of(conn, batch)) for batch in announced]


def list_arrived_since(conn: Connection, instant: str, known: Collection[int]) -> list[tuple[Batch, list[str]]]:
    """Of the newest batches, those that were proven to have arrived since an instant; and, however they ended, those
    that are `known` to have been on their way."""
    recent = batches.list_recent(conn, RECENT)
    arrived = [b for b in recent if b.target == "syncthing" and b.synced_at is not None and b.synced_at >= instant]
    others = [batches.find(conn, batch_id) for batch_id in set(known) - {batch.id for batch in arrived}]
    return [(b, devices_of(conn, b)) for b in [*arrived, *others] if b is not None]


def devices_of(conn: Connection, batch: Batch) -> list[str]:
    """The devices that must have a batch; none when that is not decided yet."""
    found = [device.device_id for device in batch_devices.list_of(conn, batch.id)]
    return found or ([batch.device_id] if batch.device_id else [])
