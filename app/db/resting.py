"""The run that rests because its hours are over, as workflow.hours says."""

from __future__ import annotations

from sqlalchemy import Connection

from app.db import facts

_FACT = "workflow_hours"
RESTS, GOES_ON = "rests", "goes on"


def put(conn: Connection, run_id: int | None, state: str = RESTS) -> None:
    """Note that a run rests, or that a person let it go on (GOES_ON); None: there is no such run."""
    facts.put(conn, _FACT, "" if run_id is None else f"{run_id} {state}")


def find(conn: Connection) -> tuple[int, str] | None:
    """The run that was sent to rest last, since its hours were over, and its state; None without one."""
    run_id, _, state = (facts.find(conn, _FACT) or "").partition(" ")
    return (int(run_id), state) if run_id else None
