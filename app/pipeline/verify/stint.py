"""How long a verification holds the slot for runs in one go, and when it goes on after that."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from app.config.cron import next_after
from app.db import runs, verification
from app.db.clock import later, now
from app.model import Report, Run, Trigger
from app.pipeline.step import StepContext
from app.pipeline.verify import words
from app.pipeline.verify.scope import Scope
from app.services import Services

#: So long one that was asked for by hand lets other runs go first.
REST_SECONDS = 600


class TimeIsUp(Exception):
    """The verification has been at work as long as it may; what it has read is written down."""


class Stint:
    """The time since the run began or went on. 0 minutes: no limit.

    Asked only after a file that was read to its end: so each stint brings the run further, however short it is.
    """

    def __init__(self, max_minutes: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends_at = clock() + 60 * max_minutes if max_minutes else float("inf")

    def file_was_read(self) -> None:
        """Raise TimeIsUp when the time is over."""
        if self._clock() >= self._ends_at:
            raise TimeIsUp


def rest(services: Services, step: StepContext, scope: Scope) -> Report:
    """The report of a run that lets others go first: how much is left, and when it goes on."""
    with services.db.reading() as conn:
        run = runs.get(conn, scope.run_id)
        intact, size_bytes = verification.count_verified_since(conn, scope.root_ids, scope.began_at)
        left = verification.count_due(conn, scope.root_ids, scope.run_id, scope.before)
    goes_on_at = _goes_on_at(services, run)
    done = step.progress[0] if step.progress else intact
    detail = {"intact": intact, "read": done, "left": left, "goes_on_at": goes_on_at}
    return Report("waiting", words.resting(done, left, goes_on_at), intact, size_bytes=size_bytes, detail=detail)


def _goes_on_at(services: Services, run: Run) -> str:
    """A scheduled one keeps to the schedule's times; one that was asked for by hand rests a little."""
    expression = services.config.verify.schedule.strip()
    if run.trigger is not Trigger.SCHEDULE or not expression:
        return later(REST_SECONDS)
    coming = next_after(expression, datetime.fromisoformat(now()), services.config.zone)
    if coming is None:
        return later(timedelta(days=1).total_seconds())
    return coming.astimezone(UTC).isoformat(timespec="microseconds")
