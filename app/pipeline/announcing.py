"""Announcing a batch: Syncthing reads its folder, before anything is asked of it, and again when that is due."""

from __future__ import annotations

from app.db import batches, journal
from app.db.clock import now
from app.model import BatchStatus
from app.pipeline.delivery_look import Look
from app.syncthing import ignores, notes, troubles
from app.syncthing import look as syncthing
from app.syncthing.client import SyncthingClient
from app.syncthing.look import Ground
from app.syncthing.troubles import Trouble


def scan_when_due(this: Look, client: SyncthingClient, ground: Ground) -> Trouble | None:
    """Have the batch's own folder read unless that was done; a trouble when it was not, or not to its end.

    Raises SyncthingError.
    """
    if this.notes.scanned_at:
        return None
    folder_id = ground.folder.id
    own_line = ignores.line_for(ground.prefix, this.batch.name)
    if own_line in client.ignores(folder_id):
        return troubles.left_over_line(folder_id, own_line)
    ignores.add_lines(client, folder_id, ignores.own_lines(ground.prefix))
    trouble = syncthing.scan(client, ground, this.batch.name)
    if trouble is not None:
        return trouble
    this.notes.scanned_at, this.scanned_now = now(), True
    return None


def begin_syncing(this: Look, ground: Ground, peers: str) -> None:
    """The batch was read for the first time: from now on it is SYNCING."""
    this.notes.samples = []
    is_named = bool(this.services.config.syncthing.folder_id)
    folder = "" if is_named else f" through the folder {ground.folder.id}, found by its path"
    with this.services.db.transaction() as conn:
        this.batch = batches.change(conn, this.batch, BatchStatus.SYNCING)
        notes.save(conn, this.batch.id, this.notes)
        journal.record(
            conn,
            "batch.sync_started",
            f"Batch {this.batch.name}: {this.batch.file_count} files are announced to {peers}{folder}.",
            run_id=this.run_id,
            batch_id=this.batch.id,
            detail={
                "device_id": this.required[0], "device_ids": list(this.required), "folder_id": ground.folder.id
            },
        )
