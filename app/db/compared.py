"""How many verdicts a scan has given before dedup came: dedup counts them as its own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

from sqlalchemy import Connection

from app.db import facts

NAME = "compared_in_scan"


def note(conn: Connection, counts: Mapping[str, int]) -> None:
    """Add files per status, in the transaction that gives them it."""
    if any(counts.values()):
        facts.put(conn, NAME, json.dumps(Counter(read(conn)) + Counter(counts)))


def read(conn: Connection) -> dict[str, int]:
    """What was noted since the last dedup."""
    return dict(json.loads(facts.find(conn, NAME) or "{}"))


def forget(conn: Connection) -> None:
    """Dedup has told of them."""
    if read(conn):
        facts.put(conn, NAME, "{}")
