"""What a delivery that is not finished leaves behind: the batch's detail, its next look, its notes, its events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from app.db import batch_devices, batches, deliveries, journal
from app.db.clock import later, now
from app.db.connection import Connection
from app.db.deliveries import Confirmed
from app.model import Batch, Report
from app.model.counting import counted
from app.pipeline.delays import DELIVERY, note_delays
from app.pipeline.delivery_look import Look
from app.pipeline.peer_records import record_peers
from app.services import Services
from app.syncthing import notes, proof
from app.syncthing.notes import Notes
from app.syncthing.troubles import Trouble


def wait(
    services: Services,
    batch: Batch,
    remembered: Notes,
    trouble: Trouble | None,
    *,
    run_id: int | None,
    device_id: str,
    peer: str = "the peer",
) -> Report:
    """Write down how far a delivery to one place is, what it waits for and when it is looked at again."""
    with services.db.transaction() as conn:
        held = deliveries.size_of_confirmed(conn, batch.id, device_id)
        message = trouble.sentence if trouble else f"{_confirmed(held.file_count, batch)} at {peer}."
        _write(conn, (services, batch, remembered, run_id), [trouble] if trouble else [], held, message)
    return Report("waiting", message, done=held.file_count, size_bytes=held.size_bytes, batch_id=batch.id)


def wait_for_peers(this: Look, found: Sequence[Trouble]) -> Report:
    """Write down how far a delivery through Syncthing is at each peer, what it waits for and when to look again."""
    batch = this.batch
    with this.services.db.transaction() as conn:
        record_peers(conn, this)
        # A look that Syncthing did not answer has not come to know who is required now.
        required = this.required or tuple(device.device_id for device in batch_devices.list_of(conn, batch.id))
        held = deliveries.size_of_confirmed(conn, batch.id, *required)
        message = _message(this, found)
        _write(conn, (this.services, batch, this.notes, this.run_id), found, held, message)
    return Report("waiting", message, done=held.file_count, size_bytes=held.size_bytes, batch_id=batch.id)


def _message(this: Look, found: Sequence[Trouble]) -> str:
    """How much is confirmed where, once that is known and worth saying, and what is waited for."""
    sentences = [trouble.sentence for trouble in found]
    if this.peers and (not found or any(peer.held.file_count for peer in this.peers)):
        first, *others = this.peers
        parts = [f"{_confirmed(first.held.file_count, this.batch)} at {first.name}"]
        parts += [f"{peer.held.file_count:,} of {this.batch.file_count:,} at {peer.name}" for peer in others]
        sentences.insert(0, f"{', '.join(parts)}.")
    elif not found:
        sentences = ["The peers are looked at."]
    return " ".join(sentences)


def _confirmed(file_count: int, batch: Batch) -> str:
    return f"{file_count:,} of {counted(batch.file_count, 'file', 'files')} confirmed"


def _write(
    conn: Connection,
    about: tuple[Services, Batch, Notes, int | None],
    found: Sequence[Trouble],
    held: Confirmed,
    message: str,
) -> None:
    services, batch, remembered, run_id = about
    seconds = max(services.config.syncthing.poll_interval_sec, *(trouble.wait_seconds for trouble in found), 0)
    note_delays(conn, batch, remembered, found, kind=DELIVERY, run_id=run_id)
    _tell_progress(conn, batch, remembered, held.file_count, run_id)
    notes.save(conn, batch.id, remembered)
    batches.set_columns(
        conn,
        batch.id,
        confirmed_count=held.file_count,
        confirmed_bytes=held.size_bytes,
        sync_detail=message,
        next_look_at=later(seconds),
    )


def _tell_progress(conn: Connection, batch: Batch, remembered: Notes, confirmed: int, run_id: int | None) -> None:
    last = remembered.progress_at or batch.syncing_at or now()
    seconds = (datetime.now(UTC) - datetime.fromisoformat(last)).total_seconds()
    if not proof.worth_telling(batch.confirmed_count, confirmed, batch.file_count, seconds):
        return
    remembered.progress_at = now()
    journal.record(
        conn,
        "batch.sync_progressed",
        f"Batch {batch.name}: {_confirmed(confirmed, batch)}.",
        run_id=run_id,
        batch_id=batch.id,
        detail={"confirmed": confirmed, "files": batch.file_count},
    )
