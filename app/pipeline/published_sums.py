"""manifest.json and SHA256SUMS of a batch that is published already, when files of it fail before they are delivered.

Whoever checks the copies by SHA256SUMS would be told of files that were never sent. So the manifest gets a new
revision that names what was left out, and both files are written anew in the batch folder. What somebody else has made
of them stays as it is.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from app.db import assets, batches, journal
from app.db import roots as root_rows
from app.db.clock import later, now
from app.db.connection import Connection
from app.errors import FileError, MoverBusy, RootUnavailable
from app.files.lock import mover_lock, moving
from app.files.move import state_dir_of
from app.files.roots import check_roots
from app.model import AssetStatus, Batch, Root, RootKind
from app.model.counting import counted
from app.pipeline import manifest_store
from app.pipeline.delivery_look import Look
from app.pipeline.finished_folders import revisions_of
from app.pipeline.manifest import SUMS_NAME, manifest_bytes, sums_bytes
from app.services import Services
from app.syncthing import notes
from app.syncthing.notes import Notes
from app.syncthing.troubles import Trouble

#: So long a delivery goes on for the new SHA256SUMS alone, while a peer is said to lack it.
PATIENCE_SECONDS = 60


def correct_when_due(this: Look) -> Trouble | None:
    """Let both files of this batch leave out what has failed; a trouble when nothing can be written now."""
    try:
        correct(this.services, this.batch, this.notes, this.run_id)
    except (RootUnavailable, MoverBusy) as error:
        return Trouble("folder_unavailable", str(error))
    return None


def is_settled(this: Look) -> bool:
    """Whether both files say what is delivered, and every peer that answers has them, or had its time to fetch them."""
    if failed_ids(this.services, this.batch) != this.notes.left_out:
        return False
    if not this.notes.sums_at or this.notes.sums_at < later(-PATIENCE_SECONDS):
        return True
    name = (this.ready_ground.prefix + os.fsencode(this.batch.name) + b"/" + SUMS_NAME).decode("utf-8", "replace")
    return not any(peer.answers and peer.need is not None and peer.need.lacks(name) for peer in this.peers)


def correct(services: Services, batch: Batch, remembered: Notes, run_id: int | None) -> None:
    """The same for any delivery, where something has failed since both files were written, as the notes remember.

    Where it cannot be done for good, the journal says why, and the delivery goes on. Raises RootUnavailable and
    MoverBusy.
    """
    left_out = failed_ids(services, batch)
    if left_out == remembered.left_out:
        return
    is_written, reason = False, None
    with mover_lock(state_dir_of(services.db)), moving:
        try:
            is_written = _write(services, batch, left_out)
        except FileError as error:
            reason = str(error)
    remembered.left_out = left_out
    if is_written:
        remembered.sums_at, remembered.scanned_at = now(), ""
    with services.db.transaction() as conn:
        notes.save(conn, batch.id, remembered)
        if is_written or reason is not None:
            _tell(conn, batch, run_id, len(left_out), reason)


def _tell(conn: Connection, batch: Batch, run_id: int | None, left_out: int, reason: str | None) -> None:
    files = f"{counted(left_out, 'file', 'files')} that failed" if left_out else "no file any more"
    words = f"SHA256SUMS and manifest.json of batch {batch.name} leave out {files}."
    if reason is not None:
        words = f"SHA256SUMS and manifest.json of batch {batch.name} should leave out {files}, and do not: {reason}"
    journal.record(conn, "batch.sums_corrected", words, level="warning" if reason else "info", run_id=run_id,
                   batch_id=batch.id, detail={"left_out": left_out, "reason": reason})


def known_texts(services: Services, batch: Batch) -> set[bytes]:
    """Everything that this program has written under the two names for this batch. Raises FileError."""
    revisions = list(revisions_of(services.root(RootKind.ARCHIVE), batch))
    return {content for content, _ in revisions} | {sums_bytes(manifest) for _, manifest in revisions}


def _write(services: Services, batch: Batch, left_out: Sequence[int]) -> bool:
    archive = services.root(RootKind.ARCHIVE)
    root = published_root(services, batch)
    check_roots(services.db, [archive, root])
    newest = manifest_store.load_newest(archive, batch)
    if newest is None:
        return False
    listed = {file.asset_id for file in newest.files}
    wanted = tuple(asset_id for asset_id in left_out if asset_id in listed)
    ours = known_texts(services, batch)
    if wanted != newest.left_out:
        newest = replace(newest, revision=newest.revision + 1, left_out=wanted)
        path = manifest_store.save(services.disk, archive, newest, manifest_bytes(newest))
        with services.db.transaction() as conn:
            batches.set_columns(conn, batch.id, manifest_path=path)
    return manifest_store.stage(services.disk, root, newest, manifest_bytes(newest), ours)


def published_root(services: Services, batch: Batch) -> Root:
    """Where the batch was published, which is not paths.batch_dir when that was changed since."""
    with services.db.reading() as conn:
        present = assets.list_in_batch(conn, batch.id, AssetStatus.BATCHED)
        return root_rows.get(conn, present[0].root_id) if present else services.root(RootKind.BATCH)


def failed_ids(services: Services, batch: Batch) -> list[int]:
    """The assets of the batch that failed."""
    with services.db.reading() as conn:
        return sorted(asset.id for asset in assets.list_in_batch(conn, batch.id, AssetStatus.FAILED))
