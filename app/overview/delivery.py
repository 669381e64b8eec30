"""How far the delivery of one batch is, file by file and device by device, as earlier looks left it in the database."""

from __future__ import annotations

from typing import Any

from app.db import batches
from app.overview.batches import next_look_at
from app.overview.delivery_devices import devices_of, missing_anywhere
from app.services import Services
from app.syncthing import notes


def delivery_status(services: Services, batch_id: int) -> dict[str, Any]:
    """How far a delivery is, from what earlier looks left in the database; asks Syncthing nothing.

    Raises NotFound.
    """
    with services.db.reading() as conn:
        batch = batches.get(conn, batch_id)
        remembered = notes.load(conn, batch_id)
        devices = devices_of(conn, batch)
    share = batch.confirmed_count / batch.file_count if batch.file_count else 0.0
    return {
        "batch_id": batch.id,
        "batch": batch.name,
        "status": batch.status.value,
        "progress": 100.0 if batch.synced_at else round(100 * share, 1),
        "confirmed_count": batch.confirmed_count,
        "file_count": batch.file_count,
        "confirmed_bytes": batch.confirmed_bytes,
        "size_bytes": batch.size_bytes,
        "device_id": batch.device_id,
        "synced_at": batch.synced_at,
        "next_look_at": next_look_at(batch),
        "detail": batch.error or batch.sync_detail,
        "trouble": remembered.trouble or None,
        "devices": devices,
        "missing": missing_anywhere(devices),
        "samples": remembered.samples,
    }
