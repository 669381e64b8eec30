"""Before files leave the batch folder: Syncthing is made to ignore the batch, so that the peers keep their copies."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence

from app.db import announced, batch_devices, deliveries, kept_copies, members
from app.db.connection import Connection
from app.errors import SyncthingError
from app.model import AssetStatus, Batch, Report, RootKind
from app.pipeline.delivery_look import Look
from app.pipeline.seen_ignored import Hidden, see_ignored
from app.pipeline.waiting import wait_for_peers
from app.services import Services
from app.syncthing import ignores, notes, place, proof, troubles
from app.syncthing.answers import FolderView
from app.syncthing.client import SyncthingClient
from app.syncthing.troubles import Trouble

#: Whose files lie in the batch folder as they were put there.
IN_FOLDER = (AssetStatus.BATCHED, AssetStatus.DELIVERED)
#: Of a batch whose folder is not remembered, other folders are asked for so many files.
ASKED = 3


def retain(services: Services, batch: Batch) -> Report | None:
    """Make Syncthing ignore the batch, so that the peers keep its files; a report when it has to wait."""
    with services.db.reading() as conn:
        required = tuple(device.device_id for device in batch_devices.list_of(conn, batch.id))
        this = Look(services, batch, notes.load(conn, batch.id), None, None, required)
    try:
        with SyncthingClient.from_config(services.config) as client:
            trouble = _retain(this, client)
    except SyncthingError as error:
        trouble = troubles.of_error(error)
    return wait_for_peers(this, [trouble]) if trouble is not None else None


def _retain(this: Look, client: SyncthingClient) -> Trouble | None:
    services, batch, root = this.services, this.batch, this.services.root(RootKind.BATCH)
    batch_dir = os.path.realpath(root.path)
    folder = place.find_only_folder(client, services.config, batch_dir)
    prefix = place.prefix_of(services.config, folder, batch_dir)
    with services.db.reading() as conn:
        files, announced_files = _files(conn, batch, root.id, this.required)
        is_remembered = batch.syncing_at is None or bool(announced.list_folders(conn, batch.id))
    trouble = _announced_elsewhere(services, batch, client, folder)
    if trouble is None and not is_remembered:
        names = {name for path in files[:ASKED] for name in (prefix + path, path)}
        trouble = _known_elsewhere(client, folder, names)
    if trouble is not None:
        return trouble
    line = ignores.line_for(prefix, batch.name)
    with services.db.transaction() as conn:
        announced.note_hidden(conn, batch.id, announced.Hidden(folder.id, line))
    lines = ignores.hide_batch(client, folder.id, batch.name, prefix)
    named = [(path, (prefix + path).decode("utf-8", "replace")) for path in files]
    return see_ignored(services, client, Hidden(batch.id, folder.id, line, lines, named, announced_files))


def _files(conn: Connection, batch: Batch, root_id: int, required: Sequence[str]) -> tuple[list[bytes], set[bytes]]:
    """The batch's files in the batch folder with the copies that stayed there, and which of them a peer may have."""
    present = members.list_of(conn, batch.id, IN_FOLDER, [root_id])
    kept = [path for _, held_in, path, _ in kept_copies.list_of_batch(conn, batch.id) if held_in == root_id]
    arrived = {i for device_id in required for i in deliveries.confirmed_ids(conn, batch.id, device_id)}
    announced_files = {a.path for a in present if a.id in arrived or a.status is AssetStatus.DELIVERED}
    return sorted({*(a.path for a in present), *kept}), announced_files


def _known_elsewhere(client: SyncthingClient, folder: FolderView, names: Collection[bytes]) -> Trouble | None:
    """Whether another folder may have announced a batch of which that is not remembered, as it was not once: because
    it knows files of the batch, or cannot be asked."""
    for other in client.folders():
        if other.id == folder.id:
            continue
        if other.paused:
            return _other_folder(other.id, folder.id, "may have been sent", "is paused and cannot be asked: it might")
        views = [client.file(other.id, name) for path in names if (name := proof.sendable_name(path)) is not None]
        if any(view is not None and not view.global_deleted for view in views):
            return _other_folder(other.id, folder.id, "was sent", "would")
    return None


def _announced_elsewhere(
    services: Services, batch: Batch, client: SyncthingClient, folder: FolderView
) -> Trouble | None:
    """Whether another folder, that is still there, has announced the batch: it would send the removal on."""
    with services.db.reading() as conn:
        folder_ids = [folder_id for folder_id in announced.list_folders(conn, batch.id) if folder_id != folder.id]
    present = {other.id for other in client.folders()} if folder_ids else set()
    others = [folder_id for folder_id in folder_ids if folder_id in present]
    if not others:
        return None
    return _other_folder(others[0], folder.id, "was sent", "would")


def _other_folder(other_id: str, folder_id: str, was_sent: str, would: str) -> Trouble:
    return Trouble(
        "folder_changed",
        f"The batch {was_sent} through Syncthing's folder {other_id}, and {folder_id} is in force now: {other_id} "
        f"{would} delete the peer's copies. Nothing leaves the batch folder. Write the former ID in "
        "syncthing.folder_id until the batch is archived, or set sync.peer_policy to mirror, which lets the peer's "
        "copies go.",
    )
