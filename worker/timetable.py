"""What starts by the clock: verifications, as verify.schedule says.

A time that passed while the program was off, or while another run was at work, is made up for once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app import jobs
from app.config.cron import next_after
from app.db import facts, runs
from app.db.clock import now
from app.errors import Conflict
from app.log import get_logger
from app.model import RunKind, Trigger
from app.services import Services

#: The fact that holds the schedule in force, and up to when it has been served.
VERIFY_SCHEDULE = "verify_schedule"


@dataclass(frozen=True)
class Served:
    """A schedule, and the instant up to which its times have been served."""

    until: str
    expression: str

    @classmethod
    def read(cls, fact: str | None) -> Served | None:
        """From the words of the fact; None when there is none."""
        until, _, expression = (fact or "").partition(" ")
        return cls(until, expression) if expression else None

    def words(self) -> str:
        """As the fact holds it."""
        return f"{self.until} {self.expression}"


def is_due(served: Served, moment: str, zone: ZoneInfo) -> bool:
    """Whether a time of the schedule has come since it was last served."""
    coming = next_after(served.expression, datetime.fromisoformat(served.until), zone)
    return coming is not None and coming <= datetime.fromisoformat(moment)


def start_due_verify(services: Services) -> int | None:
    """Ask for the verification that is due, unless a run is in flight: then it stays due. Returns the run's id."""
    served = _served(services)
    if served is None or not is_due(served, now(), services.config.zone):
        return None
    with services.db.reading() as conn:
        if runs.find_in_flight(conn) is not None:
            return None
    try:
        run = jobs.start_scheduled_verify(services)
    except Conflict as conflict:
        # Somebody was faster: the next tick asks again.
        get_logger().debug("a verification is due and cannot begin", why=str(conflict))
        return None
    _note(services, Served(run.requested_at, served.expression))
    return run.id


def _served(services: Services) -> Served | None:
    """The schedule in force and up to when it is served; one that is new begins to count now."""
    expression = services.config.verify.schedule.strip()
    with services.db.reading() as conn:
        fact = facts.find(conn, VERIFY_SCHEDULE)
        # Also counts when the program was cut off before the fact was written.
        last = runs.find_last(conn, RunKind.VERIFY)
    served = Served.read(fact)
    if served is None or served.expression != expression:
        if expression or served is not None:
            _note(services, Served(now(), expression))
        return None
    if last is not None and last.trigger is Trigger.SCHEDULE:
        return Served(max(served.until, last.requested_at), expression)
    return served


def _note(services: Services, served: Served) -> None:
    with services.db.transaction() as conn:
        facts.put(conn, VERIFY_SCHEDULE, served.words() if served.expression else "")
