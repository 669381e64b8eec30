"""The balance sheet: every file seen stands in exactly one line, and the lines add up."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from app.db import totals
from app.model import AssetStatus

#: The lines of the balance sheet, in the order of a file's way: key, label, the statuses it adds up.
LINES: tuple[tuple[str, str, tuple[AssetStatus, ...]], ...] = (
    ("duplicate", "Duplicates", (AssetStatus.DUPLICATE,)),
    ("set_aside", "Set aside", (AssetStatus.SET_ASIDE,)),
    ("waiting", "Waiting", (AssetStatus.DISCOVERED, AssetStatus.UNIQUE)),
    ("in_batch", "In a batch", (AssetStatus.BATCHED,)),
    ("delivered", "Delivered", (AssetStatus.DELIVERED,)),
    ("archived", "Archived", (AssetStatus.ARCHIVED,)),
    ("failed", "Failed", (AssetStatus.FAILED,)),
    ("gone", "Gone from disk", (AssetStatus.GONE,)),
)

#: A full count is repeated at the earliest after this many times the time that the last one took.
RECOUNT_AFTER_FACTOR = 20

Totals = dict[AssetStatus, tuple[int, int]]


@dataclass(frozen=True)
class Proof:
    """Whether the totals were equal to a full count, and until when that answer is used."""

    adds_up: bool
    until: float


_proofs: dict[str, Proof] = {}
_lock = threading.Lock()


def balance_sheet(conn: Connection, database: str, *, fresh: bool = False) -> dict[str, Any]:
    """Seen files and bytes, the lines that they fall into, and whether a count of the rows agrees.

    The count reads every asset; unless `fresh` is asked for, a large library's answer is used for a while.
    """
    kept = totals.read(conn)
    lines = [_line(kept, *line) for line in LINES]
    return {
        "seen": {"files": sum(row["files"] for row in lines), "bytes": sum(row["bytes"] for row in lines)},
        "lines": lines,
        "adds_up": _proof(conn, database, kept, fresh).adds_up,
    }


def _line(kept: Totals, key: str, label: str, statuses: tuple[AssetStatus, ...]) -> dict[str, Any]:
    return {
        "key": key,
        "label": label,
        "statuses": [status.value for status in statuses],
        "files": sum(kept[status][0] for status in statuses),
        "bytes": sum(kept[status][1] for status in statuses),
    }


def _proof(conn: Connection, database: str, kept: Totals, fresh: bool) -> Proof:
    with _lock:
        proof = _proofs.get(database)
    if proof is not None and not fresh and time.monotonic() < proof.until:
        return proof
    began = time.monotonic()
    adds_up = totals.count(conn) == kept
    ended = time.monotonic()
    proof = Proof(adds_up, ended + RECOUNT_AFTER_FACTOR * (ended - began))
    with _lock:
        _proofs[database] = proof
    return proof
