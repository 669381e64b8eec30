"""What starts by the clock: verifications, as verify.schedule says, and those that go on after a rest.

A time that passed while the program was off, or while another run was at work, is made up for once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app import jobs
from app.config.cron import next_of
from app.db import facts, runs
from app.db.clock import now
from app.errors import Conflict
from app.log import get_logger
from app.model import Run, RunKind, RunStatus, Step, Trigger
from app.pipeline.execution import wake
from app.services import Services

#: The fact that holds the schedule in force, and up to when it has been served.
VERIFY_SCHEDULE = "verify_schedule"
#: Between the expressions of one schedule; none holds such a character.
JOINT = "; "


@dataclass(frozen=True)
class Served:
    """A schedule, and the instant up to which its times have been served; several expressions are joined by JOINT."""

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


def in_force(services: Services, fact: str, expressions: Sequence[str]) -> Served | None:
    """The schedule that a fact holds, as far as it was served; None without one, and for one that is new: that begins
    to count now."""
    expression = JOINT.join(one.strip() for one in expressions if one.strip())
    with services.db.reading() as conn:
        served = Served.read(facts.find(conn, fact))
    if served is not None and served.expression == expression:
        return served
    if expression or served is not None:
        note(services, fact, Served(now(), expression))
    return None


def note(services: Services, fact: str, served: Served) -> None:
    """Write down up to when a schedule is served; one without expressions is forgotten."""
    with services.db.transaction() as conn:
        facts.put(conn, fact, served.words() if served.expression else "")


def is_due(served: Served, moment: str, zone: ZoneInfo) -> bool:
    """Whether a time of the schedule has come since it was last served."""
    coming = next_of(served.expression.split(JOINT), datetime.fromisoformat(served.until), zone)
    return coming is not None and coming <= datetime.fromisoformat(moment)


def start_due_verify(services: Services) -> int | None:
    """Ask for the verification that is due, or let one go on that let others go first, unless a run is in flight:
    then it stays due. Returns the run's id."""
    moment, resting = now(), _list_resting(services)
    served = _served(services, resting)
    is_scheduled = served is not None and is_due(served, moment, services.config.zone)
    following = next((one for one in resting if one.goes_on(moment, is_scheduled)), None)
    if following is None and not is_scheduled:
        return None
    with services.db.reading() as conn:
        if runs.find_in_flight(conn) is not None:
            return None
    run = _begin(services, following)
    if run is not None and served is not None and run.trigger is Trigger.SCHEDULE:
        note(services, VERIFY_SCHEDULE, Served(max(moment, run.requested_at), served.expression))
    return run.id if run is not None else None


@dataclass(frozen=True)
class Resting:
    """A verification that lets other runs go first: since when, and until when."""

    run: Run
    since: str
    until: str

    def goes_on(self, moment: str, is_scheduled: bool) -> bool:
        """Whether its rest is over; that of a scheduled one is with the next time of the schedule."""
        return self.until <= moment or (is_scheduled and self.run.trigger is Trigger.SCHEDULE)


def _list_resting(services: Services) -> list[Resting]:
    with services.db.reading() as conn:
        waiting = [run for run in runs.list_by_status(conn, [RunStatus.WAITING]) if run.kind is RunKind.VERIFY]
        return [_resting(run, runs.list_steps(conn, run.id, 1)[-1]) for run in waiting]


def _resting(run: Run, step: Step) -> Resting:
    since = step.ended_at or step.started_at
    return Resting(run, since, step.report.get("goes_on_at", since))


def _begin(services: Services, following: Resting | None) -> Run | None:
    """Let that one go on, or ask for a new one; None when somebody was faster: the next tick asks again."""
    if following is not None:
        message = f"Run {following.run.id} goes on; other runs could go first."
        return following.run if wake(services, following.run, message) else None
    try:
        return jobs.start_scheduled_verify(services)
    except Conflict as conflict:
        get_logger().debug("a verification is due and cannot begin", why=str(conflict))
        return None


def _served(services: Services, resting: Sequence[Resting]) -> Served | None:
    """The schedule in force and up to when it is served; one that is new begins to count now. What passed while a
    scheduled one was at work is served by it, also when that lets others go first."""
    served = in_force(services, VERIFY_SCHEDULE, [services.config.verify.schedule])
    if served is None:
        return None
    with services.db.reading() as conn:
        # Also counts when the program was cut off before the fact was written.
        last = runs.find_last(conn, RunKind.VERIFY)
    if last is not None and last.trigger is Trigger.SCHEDULE:
        served = Served(max(served.until, last.requested_at), served.expression)
    since = [one.since for one in resting if one.run.trigger is Trigger.SCHEDULE]
    return Served(max([served.until, *since]), served.expression)
