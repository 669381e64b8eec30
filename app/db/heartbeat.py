"""The worker's sign of life: a fact that it renews every few seconds while it lives."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from app.db import facts
from app.db.clock import now

HEARTBEAT_FACT = "worker_heartbeat_at"
#: A heartbeat older than this means that no worker is there.
STALE_SECONDS = 20


def beat(conn: Connection) -> None:
    """The worker lives."""
    facts.put(conn, HEARTBEAT_FACT, now())


def sign_off(conn: Connection) -> None:
    """The worker ends, and says so."""
    facts.put(conn, HEARTBEAT_FACT, "")


def find(conn: Connection) -> str | None:
    """When the worker gave its last sign of life; empty when it signed off, None when there never was one."""
    return facts.find(conn, HEARTBEAT_FACT)


def is_recent(seen_at: str | None) -> bool:
    """Whether a sign of life is recent enough to believe that the worker still lives."""
    try:
        age = datetime.fromisoformat(now()) - datetime.fromisoformat(seen_at or "")
    except (ValueError, TypeError):
        return False
    return age < timedelta(seconds=STALE_SECONDS)
