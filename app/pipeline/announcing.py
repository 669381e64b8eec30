"""Announcing a batch: Syncthing reads its folder, before anything is asked of it, and again when that is due."""

from __future__ import annotations

import os

from app.db import batches, journal
from app.db.clock import now
from app.errors import RootUnavailable, printable
from app.files.place_marker import make_place_marker
from app.files.roots import check_roots
from app.model import BatchStatus, RootKind
from app.model.counting import counted
from app.pipeline.delivery_look import Look
from app.syncthing import ignores, notes, place, troubles
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
    trouble = _misplaced(this, client, ground)
    if trouble is not None:
        return trouble
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


def _misplaced(this: Look, client: SyncthingClient, ground: Ground) -> Trouble | None:
    """Whether Syncthing's folder is another place than ours: an older file of the same name and size may lie there,
    and would be taken for ours. Raises SyncthingError."""
    root = this.services.root(RootKind.BATCH)
    try:
        check_roots(this.services.db, [root])
        marker = make_place_marker(root)
    except RootUnavailable as error:
        return Trouble("folder_unavailable", str(error))
    config, batch_dir = this.services.config, os.path.realpath(root.path)
    if place.is_same_place(client, config, ground.folder, batch_dir, marker):
        return None
    seen = printable(place.seen_path(config, batch_dir))
    return troubles.other_place(ground.folder, seen, place.MISPLACED_FIX)


def begin_syncing(this: Look, ground: Ground, peers: str) -> None:
    """The batch was read for the first time: from now on it is SYNCING."""
    this.notes.samples = []
    is_named = bool(this.services.config.syncthing.folder_id)
    files = counted(this.batch.file_count, "file is", "files are")
    folder = "" if is_named else f" through the folder {ground.folder.id}, found by its path"
    with this.services.db.transaction() as conn:
        this.batch = batches.change(conn, this.batch, BatchStatus.SYNCING)
        notes.save(conn, this.batch.id, this.notes)
        journal.record(
            conn,
            "batch.sync_started",
            f"Batch {this.batch.name}: {files} announced to {peers}{folder}.",
            run_id=this.run_id,
            batch_id=this.batch.id,
            detail={
                "device_id": this.required[0], "device_ids": list(this.required), "folder_id": ground.folder.id
            },
        )
