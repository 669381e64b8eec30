"""Whether a run may start by itself, or a person has to act first."""

from __future__ import annotations

from sqlalchemy import Connection

from app.db import confirmation, resting, runs
from app.model import Run, RunKind, RunStatus

#: A workflow run that waits for a delivery and is to be paused holds no slot; another one would take over from it.
HOLDABLE = (RunStatus.PAUSED, RunStatus.WAITING)


def reason(conn: Connection) -> str | None:
    """Why no run starts by itself until a person has acted, in one sentence; None when nothing holds it back.

    A run at work is no such reason, it ends; nor is one that rests because its hours are over.
    """
    if confirmation.awaited_since(conn) is not None:
        return "No run starts by itself before what was found about the database is confirmed."
    if runs.find_last(conn, RunKind.WORKFLOW) is None:
        return "No run starts by itself before you have started the first one."
    rests = resting.find(conn)
    held = [run for run in runs.list_by_status(conn, HOLDABLE) if _is_held(run)]
    paused = next((run for run in held if rests != (run.id, resting.RESTS)), None)
    if paused is not None:
        return f"No run starts by itself while run {paused.id} is paused."
    return None


def _is_held(run: Run) -> bool:
    return run.status is RunStatus.PAUSED or (run.kind is RunKind.WORKFLOW and run.wish == "pause")
