"""Runs that began by themselves work within workflow.hours alone: when those are over they are paused, and they go on
when the next begin. A run that a person started, or let go on, works at any time."""

from __future__ import annotations

from datetime import datetime

from app import jobs
from app.config.hours import is_within
from app.db import journal, resting, runs
from app.db.clock import now
from app.errors import IllegalTransition, RunInProgress
from app.jobs.control import PAUSE
from app.log import get_logger
from app.model import Run, RunKind, RunStatus, Trigger
from app.services import Services

BY_ITSELF = (Trigger.SCHEDULE, Trigger.WATCH)
MAY_WORK = (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.WAITING)


def keep_hours(services: Services) -> None:
    """Pause the run that began by itself when its hours are over; let it go on when they have come."""
    try:
        if is_time(services):
            _let_go_on(services)
        else:
            _send_to_rest(services)
    except (IllegalTransition, RunInProgress) as refused:
        # It has just ended, or another one is at work: the next look sees to it.
        get_logger().debug("a run cannot be steered by its hours now", why=str(refused))


def is_time(services: Services) -> bool:
    """Whether a run that begins by itself may work now."""
    hours, moment = services.config.workflow.hours, datetime.fromisoformat(now())
    return not hours or is_within(hours, moment, services.config.zone)


def _send_to_rest(services: Services) -> None:
    with services.db.reading() as conn:
        sent = resting.find(conn)
        working = [run for run in runs.list_by_status(conn, MAY_WORK) if _is_steered(run)]
    for run in working:
        if sent is None or run.id != sent[0]:
            # Noted before it is done: cut off between the two it works on, instead of resting for ever.
            _note(services, run)
            jobs.pause(services, run.id)
        elif sent[1] == resting.RESTS:
            with services.db.transaction() as conn:
                resting.put(conn, run.id, resting.GOES_ON)


def _is_steered(run: Run) -> bool:
    return run.kind is RunKind.WORKFLOW and run.trigger in BY_ITSELF and run.wish is None


def _note(services: Services, run: Run) -> None:
    message = f"The hours of run {run.id} are over ({', '.join(services.config.workflow.hours)}): it rests."
    with services.db.transaction() as conn:
        resting.put(conn, run.id)
        journal.record(conn, "run.hours_over", message, run_id=run.id, batch_id=run.batch_id)


def _let_go_on(services: Services) -> None:
    with services.db.reading() as conn:
        sent = resting.find(conn)
        run = runs.find(conn, sent[0]) if sent is not None else None
    if sent is None:
        return
    if run is not None and sent[1] == resting.RESTS and (run.status is RunStatus.PAUSED or run.wish == PAUSE):
        jobs.resume(services, run.id)
    with services.db.transaction() as conn:
        resting.put(conn, None)
