"""The batch_devices table: which devices must have a batch, and what the last look found of each.

It is filled when a batch is announced, so that what has to be proven does not depend on what the settings say later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from app.db.clock import now
from app.db.rows import build, columns_for
from app.db.tables import batch_devices, delivery_obstacles


@dataclass(frozen=True)
class BatchDevice:
    """A device that must have a batch. `code` and `words` say how its part of the delivery stands since `looked_at`."""

    batch_id: int
    device_id: str
    name: str
    added_at: str
    looked_at: str | None = None
    connected: bool | None = None
    last_seen_at: str | None = None
    code: str | None = None
    words: str | None = None
    need_items: int | None = None
    need_bytes: int | None = None

    @property
    def label(self) -> str:
        """What a person calls it: its name in Syncthing, else the beginning of its ID."""
        return self.name or self.device_id[:7]


def list_of(conn: Connection, batch_id: int) -> list[BatchDevice]:
    """The devices that must have the batch, in the order in which they were added."""
    c = batch_devices.c
    query = select(*columns_for(batch_devices, BatchDevice)).where(c.batch_id == batch_id)
    return [build(BatchDevice, row, {}) for row in conn.execute(query.order_by(c.added_at, c.device_id))]


def last_name(conn: Connection, device_id: str) -> str:
    """What the device was called when a batch was delivered there last; empty when it is not known."""
    c = batch_devices.c
    query = select(c.name).where(c.device_id == device_id, c.name != "").order_by(c.batch_id.desc()).limit(1)
    return conn.execute(query).scalar() or ""


def add(
    conn: Connection, batch_id: int, device_ids: Iterable[str], names: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Require the batch at these devices too; `names` says what people call them."""
    added_at = now()
    rows = [
        {"batch_id": batch_id, "device_id": device_id, "name": names.get(device_id, ""), "added_at": added_at}
        for device_id in device_ids
    ]
    if rows:
        conn.execute(insert(batch_devices), rows)


def remove(conn: Connection, batch_id: int, device_id: str) -> None:
    """Require the batch at this device no more. What was proven there stays known."""
    for table in (batch_devices, delivery_obstacles):
        conn.execute(delete(table).where(table.c.batch_id == batch_id, table.c.device_id == device_id))


def note(conn: Connection, batch_id: int, device_id: str, **columns: Any) -> None:
    """Write down what a look has found of a device."""
    here = (batch_devices.c.batch_id == batch_id, batch_devices.c.device_id == device_id)
    conn.execute(update(batch_devices).where(*here).values(looked_at=now(), **columns))
