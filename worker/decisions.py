"""Keeping what people decided about dates beside the archive too, soon after the rows have it, and in sidecars."""

from __future__ import annotations

from app import jobs
from app.db import confirmation, date_sidecars, runs
from app.db.clock import now
from app.errors import FileError, RootUnavailable
from app.files.decision_log import write_pending
from app.log import get_logger
from app.model import RootKind, RunStatus, Stage
from app.services import Services


def keep_decisions(services: Services) -> int:
    """Write what is not written yet, and return how many lines that were. While the archive is away, or has no room,
    it stays noted: the next tick tries again."""
    archives = services.roots.get(RootKind.ARCHIVE, ())
    try:
        return sum(write_pending(services.db, archive) for archive in archives)
    except (FileError, RootUnavailable) as error:
        get_logger().debug("decisions about dates cannot be written beside the archive now", why=str(error))
        return 0


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
