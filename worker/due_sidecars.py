"""Sidecars that tell what people decided about dates, soon after the rows have it."""

from __future__ import annotations

from app import jobs
from app.db import confirmation, date_sidecars, runs
from app.db.clock import now
from app.model import RunStatus, Stage
from app.services import Services


def start_due_sidecars(services: Services) -> int | None:
    """Ask for sidecars that are due; returns the run's id. They stay due while a run is in flight, one waits for the
    archive, or a rebuild for a person's word."""
    with services.db.reading() as conn:
        is_due = date_sidecars.is_any_due(conn, now())
        if not is_due or runs.find_in_flight(conn) is not None or confirmation.awaited_since(conn) is not None:
            return None
        if any(Stage.SIDECARS in run.stages for run in runs.list_by_status(conn, [RunStatus.WAITING])):
            return None
    run = jobs.start_due_sidecars(services)
    return run.id if run is not None else None
