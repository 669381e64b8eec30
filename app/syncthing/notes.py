"""What is remembered of a delivery between two looks: one small JSON value per batch, in the facts table."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sqlalchemy import Connection

from app.db import facts
from app.db.clock import now

LAST_ERROR = "sync_last_error"
#: At most this many different sentences are remembered as told.
TOLD_LIMIT = 100


@dataclass
class Notes:
    """`scanned_at`: when Syncthing last read the batch, empty when it has to again. `told`: what the journal has.
    `seen`: the state of Syncthing's indexes and peers, as it is since `seen_at`; `asked_at`: when files whose way is
    barred were last asked for. `scans_asked`: how often somebody else asked to have the batch read again.
    `trouble`: what the last look found in the way, `trouble_words` says it, and `needs_person` whether waiting is not
    enough. `left_out`: the failed assets that SHA256SUMS in the batch folder leaves out, as it was written at
    `sums_at`."""

    scanned_at: str = ""
    scans_asked: int = 0
    progress_at: str = ""
    trouble: str = ""
    trouble_words: str = ""
    needs_person: bool = False
    told: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    seen_at: str = ""
    asked_at: str = ""
    samples: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[int] = field(default_factory=list)
    sums_at: str = ""

    def first_time(self, sentence: str) -> bool:
        """Whether this sentence has not been told yet; notes that it is now."""
        if sentence in self.told:
            return False
        self.told = [*self.told, sentence][-TOLD_LIMIT:]
        return True

    def sample(self, keep: int, **values: Any) -> None:
        """Append one look to the timeline and keep the newest ones."""
        self.samples = [*self.samples, {"at": now(), **values}][-keep:]


FIELDS = tuple(f.name for f in fields(Notes))


def load(conn: Connection, batch_id: int) -> Notes:
    """The notes of a batch; empty ones when there are none."""
    text = facts.find(conn, _name(batch_id))
    # Another version of the program may have left other fields.
    found = json.loads(text) if text else {}
    return Notes(**{name: found[name] for name in FIELDS if name in found})


def ask_scan(conn: Connection, batch_id: int) -> None:
    """Have the batch read again before anything is believed of it, also when a look is under way that knows of its own
    scan only."""
    stored = load(conn, batch_id)
    stored.scanned_at, stored.scans_asked = "", stored.scans_asked + 1
    facts.put(conn, _name(batch_id), json.dumps(asdict(stored)))


def heed_asked(conn: Connection, batch_id: int, notes: Notes) -> None:
    """Let these notes, read earlier, want the scan that was asked for since."""
    asked = load(conn, batch_id).scans_asked
    if asked != notes.scans_asked:
        notes.scanned_at, notes.scans_asked = "", asked


def save(conn: Connection, batch_id: int, notes: Notes) -> None:
    """Replace the notes of a batch, except that a scan was asked for meanwhile."""
    heed_asked(conn, batch_id, notes)
    facts.put(conn, _name(batch_id), json.dumps(asdict(notes)))


def remember_error(conn: Connection, batch_id: int | None, message: str) -> None:
    """Keep the last thing that Syncthing did not do, for the diagnostics."""
    facts.put(conn, LAST_ERROR, json.dumps({"at": now(), "batch_id": batch_id, "message": message}))


def last_error(conn: Connection) -> dict[str, Any] | None:
    """The last thing that Syncthing did not do, or None."""
    text = facts.find(conn, LAST_ERROR)
    return dict(json.loads(text)) if text else None


def _name(batch_id: int) -> str:
    return f"delivery:{batch_id}"
