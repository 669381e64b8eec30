"""The balance sheet: every file seen stands in exactly one line, and the lines add up."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine

from app.db import totals
from app.model import AssetStatus

#: The lines of the balance sheet, in the order of a file's way: key, label, the statuses it adds up.
LINES: tuple[tuple[str, str, tuple[AssetStatus, ...]], ...] = (
    ("duplicate", "Duplicates", (AssetStatus.DUPLICATE,)),
    ("set_aside", "Set aside", (AssetStatus.SET_ASIDE,)),
    ("waiting", "Waiting", (AssetStatus.DISCOVERED, AssetStatus.UNIQUE)),
    ("in_batch", "In a batch", (AssetStatus.BATCHED,)),
    ("delivered", "Delivered, not yet archived", (AssetStatus.DELIVERED,)),
    ("archived", "Archived", (AssetStatus.ARCHIVED,)),
    ("failed", "Failed", (AssetStatus.FAILED,)),
    ("gone", "Gone from disk", (AssetStatus.GONE,)),
)

#: A full count is repeated at the earliest after this many times the time that the last one took.
RECOUNT_AFTER_FACTOR = 200
#: So many files are counted while the answer waits; more are counted behind its back, for the answers that follow.
COUNTED_AT_ONCE = 50_000

Totals = dict[AssetStatus, tuple[int, int]]


@dataclass(frozen=True)
class Proof:
    """Whether the totals were equal to a full count, and until when that answer is used."""

    adds_up: bool
    until: float


_proofs: dict[str, Proof] = {}
_counting: dict[str, threading.Thread] = {}
_lock = threading.Lock()


def balance_sheet(conn: Connection, database: str, *, fresh: bool = False) -> dict[str, Any]:
    """Seen files and bytes, the lines that they fall into, and whether a count of the rows agrees.

    The count reads every asset; its answer is used for a while. Of a large library it is made in the background:
    `adds_up` is what it found last, None before the first one has ended. With `fresh` it is made at once in any case.
    """
    kept = totals.read(conn)
    lines = [_line(kept, *line) for line in LINES]
    files = sum(row["files"] for row in lines)
    return {
        "seen": {"files": files, "bytes": sum(row["bytes"] for row in lines)},
        "lines": lines,
        "adds_up": _adds_up(conn, database, files, fresh),
    }


def _line(kept: Totals, key: str, label: str, statuses: tuple[AssetStatus, ...]) -> dict[str, Any]:
    return {
        "key": key,
        "label": label,
        "statuses": [status.value for status in statuses],
        "files": sum(kept[status][0] for status in statuses),
        "bytes": sum(kept[status][1] for status in statuses),
    }


def _adds_up(conn: Connection, database: str, files: int, fresh: bool) -> bool | None:
    with _lock:
        proof = _proofs.get(database)
    is_due = proof is None or time.monotonic() >= proof.until
    if fresh or (is_due and files <= COUNTED_AT_ONCE):
        return _count(conn, database)
    if is_due:
        _count_behind(conn.engine, database)
    return proof.adds_up if proof is not None else None


def _count_behind(engine: Engine, database: str) -> None:
    """Count in a thread of its own, one at a time."""

    def count() -> None:
        with engine.connect() as conn, conn.begin():
            _count(conn, database)

    with _lock:
        counting = _counting.get(database)
        if counting is not None and counting.is_alive():
            return
        _counting[database] = threading.Thread(target=count, daemon=True)
        _counting[database].start()


def _count(conn: Connection, database: str) -> bool:
    """Compare the totals with a full count, both seen at the same moment."""
    began = time.monotonic()
    adds_up = totals.count(conn) == totals.read(conn)
    ended = time.monotonic()
    with _lock:
        _proofs[database] = Proof(adds_up, ended + RECOUNT_AFTER_FACTOR * (ended - began))
    return adds_up
