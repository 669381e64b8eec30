"""Runs that start by the clock, as workflow.schedule says.

A time that passed while the program was off, while another run was at work, outside workflow.hours, or before a person
had acted, is made up for once.
"""

from __future__ import annotations

from app import jobs
from app.db import held_back, runs
from app.db.clock import now
from app.errors import Conflict
from app.log import get_logger
from app.model import RunKind, Trigger
from app.services import Services
from worker.hours import is_time
from worker.timetable import Served, in_force, is_due, note

#: The fact that holds the schedule in force, and up to when it has been served.
WORKFLOW_SCHEDULE = "workflow_schedule"


def start_due_run(services: Services) -> int | None:
    """Ask for the whole run that is due, unless one is in flight or a person has to act first: then it stays due.
    Returns the run's id."""
    served = _served(services)
    moment = now()
    if served is None or not is_due(served, moment, services.config.zone) or not may_start(services):
        return None
    try:
        run = jobs.start_workflow(services, Trigger.SCHEDULE)
    except Conflict as conflict:
        get_logger().debug("a run is due and cannot begin", why=str(conflict))
        return None
    note(services, WORKFLOW_SCHEDULE, Served(max(moment, run.requested_at), served.expression))
    return run.id


def may_start(services: Services) -> bool:
    """Whether a run may begin by itself now."""
    if not is_time(services):
        return False
    with services.db.reading() as conn:
        return runs.find_in_flight(conn) is None and held_back.reason(conn) is None


def _served(services: Services) -> Served | None:
    """The schedule in force and up to when it is served, also when the program was cut off before it was noted."""
    served = in_force(services, WORKFLOW_SCHEDULE, services.config.workflow.schedule)
    if served is None:
        return None
    with services.db.reading() as conn:
        last = runs.find_last(conn, RunKind.WORKFLOW)
    if last is None or last.trigger is not Trigger.SCHEDULE:
        return served
    return Served(max(served.until, last.requested_at), served.expression)
