"""Before files leave the batch folder: Syncthing is made to ignore the batch, so that the peers keep their copies."""

from __future__ import annotations

import os

from app.db import batch_devices, kept_copies, members
from app.errors import SyncthingError
from app.model import AssetStatus, Batch, Report, RootKind
from app.pipeline.delivery_look import Look
from app.pipeline.waiting import wait_for_peers
from app.services import Services
from app.syncthing import ignores, notes, place, troubles
from app.syncthing.client import SyncthingClient

#: Whose files lie in the batch folder as they were put there.
IN_FOLDER = (AssetStatus.BATCHED, AssetStatus.DELIVERED)


def retain(services: Services, batch: Batch) -> Report | None:
    """Make Syncthing ignore the batch, so that the peers keep its files; a report when it has to wait."""
    root = services.root(RootKind.BATCH)
    with services.db.reading() as conn:
        required = tuple(device.device_id for device in batch_devices.list_of(conn, batch.id))
        this = Look(services, batch, notes.load(conn, batch.id), None, None, required)
        present = members.list_of(conn, batch.id, IN_FOLDER, [root.id])
        files = [a.path for a in present]
        files += [path for _, root_id, path, _ in kept_copies.list_of_batch(conn, batch.id) if root_id == root.id]
    batch_dir = os.path.realpath(root.path)
    try:
        with SyncthingClient.from_config(services.config) as client:
            folder = place.find_folder(client, services.config, batch_dir)
            prefix = place.prefix_of(services.config, folder, batch_dir)
            ignores.retain_at_peer(client, folder.id, batch.name, files, prefix)
    except SyncthingError as error:
        return wait_for_peers(this, [troubles.of_error(error)])
    return None
