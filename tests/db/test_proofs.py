"""What counts as proven: every file at every device that must have it."""

from __future__ import annotations

from app.db import assets, batch_devices, deliveries
from app.services import Services
from tests.pipeline.test_sync import publish

HERE, THERE, ELSEWHERE = "DEVICE-ONE", "DEVICE-TWO", "DEVICE-OF-NO-BATCH"


def unproven_after(services: Services, batch_id: int, *device_ids: str) -> int:
    """How many files are unproven once these devices were seen to hold all of them."""
    with services.db.transaction() as conn:
        ids = [asset.id for asset in assets.list_in_batch(conn, batch_id)]
        for device_id in device_ids:
            deliveries.confirm(conn, batch_id, device_id, [(asset_id, "1") for asset_id in ids])
        return deliveries.count_unproven(conn, batch_id)


def test_a_file_is_proven_when_every_required_device_has_it(services: Services) -> None:
    batch = publish(services, target="syncthing")
    assert unproven_after(services, batch.id, ELSEWHERE) == 3, "with no required device nothing is proven"
    with services.db.transaction() as conn:
        batch_devices.add(conn, batch.id, [HERE, THERE])
    assert unproven_after(services, batch.id) == 3
    assert unproven_after(services, batch.id, HERE) == 3
    assert unproven_after(services, batch.id, THERE) == 0
