"""Small named values that outlive a process: heartbeats, the state of the worker, markers of set-up."""

from __future__ import annotations

from sqlalchemy import Connection, select

from app.db.tables import facts

#: Why the last backup that was due could not be made; empty once one was made.
BACKUP_FAILED = "backup_failed"


def put(conn: Connection, name: str, value: str) -> None:
    """Store a value under a name, replacing an older one."""
    conn.exec_driver_sql(
        "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def find(conn: Connection, name: str) -> str | None:
    """The value under a name, or None."""
    return conn.execute(select(facts.c.value).where(facts.c.name == name)).scalar()
