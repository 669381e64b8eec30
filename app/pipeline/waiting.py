"""What a delivery that is not finished leaves behind: the batch's detail, its next look, its notes, its events."""

from __future__ import annotations

from datetime import UTC, datetime

from app.db import batches, deliveries, journal
from app.db.clock import later, now
from app.db.connection import Connection
from app.model import Batch, Report
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
    """Write down how far the batch is, what it waits for and when it is looked at again."""
    seconds = max(services.config.syncthing.poll_interval_sec, trouble.wait_seconds if trouble else 0)
    with services.db.transaction() as conn:
        held = deliveries.size_of_confirmed(conn, batch.id, device_id)
        message = trouble.sentence if trouble else f"{held.file_count} of {batch.file_count} files confirmed at {peer}."
        remembered.trouble = trouble.code if trouble else ""
        if trouble is not None:
            _tell_trouble(conn, batch, remembered, trouble, run_id)
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
    return Report("waiting", message, done=held.file_count, size_bytes=held.size_bytes, batch_id=batch.id)


def _tell_trouble(conn: Connection, batch: Batch, remembered: Notes, trouble: Trouble, run_id: int | None) -> None:
    if trouble.warning:
        notes.remember_error(conn, batch.id, trouble.sentence)
    if not remembered.first_time(trouble.sentence if trouble.warning else trouble.code):
        return
    journal.record(
        conn,
        "batch.sync_delayed",
        f"Batch {batch.name}: {trouble.sentence}",
        level="warning" if trouble.warning else "info",
        run_id=run_id,
        batch_id=batch.id,
        detail={"cause": trouble.code},
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
        f"Batch {batch.name}: {confirmed} of {batch.file_count} files confirmed.",
        run_id=run_id,
        batch_id=batch.id,
        detail={"confirmed": confirmed, "files": batch.file_count},
    )
