"""What holds a delivery or a release up: kept for whoever asks, and told in the journal once per cause."""

from __future__ import annotations

from collections.abc import Sequence

from app.db import journal
from app.db.connection import Connection
from app.model import Batch
from app.syncthing import notes
from app.syncthing.notes import Notes
from app.syncthing.troubles import Trouble

DELIVERY, RELEASE = "batch.sync_delayed", "batch.release_delayed"
#: What is told under one kind of event says nothing about the other.
TOLD_AS = {DELIVERY: "", RELEASE: "release: "}


def note_delays(
    conn: Connection, batch: Batch, remembered: Notes, found: Sequence[Trouble], *, kind: str, run_id: int | None
) -> None:
    """Keep what was found in the notes, and write an event of this kind for each trouble that was not told yet.

    A warning is told again when its sentence changes. What is waited for without harm, and what is about one device,
    changes its words with time and is told once by its code and device. The notes are left to the caller to save.
    """
    remembered.trouble = found[0].code if found else ""
    remembered.trouble_words = " ".join(trouble.sentence for trouble in found)
    remembered.needs_person = any(trouble.warning for trouble in found)
    for trouble in found:
        if trouble.warning:
            notes.remember_error(conn, batch.id, trouble.sentence)
        if remembered.first_time(TOLD_AS[kind] + _known_by(trouble)):
            _tell(conn, batch, trouble, kind, run_id)


def _known_by(trouble: Trouble) -> str:
    is_known_by_sentence = trouble.warning and not trouble.device_id
    return trouble.sentence if is_known_by_sentence else f"{trouble.code}{trouble.device_id}"


def _tell(conn: Connection, batch: Batch, trouble: Trouble, kind: str, run_id: int | None) -> None:
    detail = {"cause": trouble.code, **({"device_id": trouble.device_id} if trouble.device_id else {})}
    journal.record(
        conn,
        kind,
        f"Batch {batch.name}: {trouble.sentence}",
        level="warning" if trouble.warning else "info",
        run_id=run_id,
        batch_id=batch.id,
        detail=detail,
    )
