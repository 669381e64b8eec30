"""Counts over rows that are written once and stay: each is read once, the next scrape reads what came since.

After a start the first scrape counts them all again, so a counter goes on where it was: it is the database's, not the
process's.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate

from sqlalchemy import Connection

from app.db import measures
from app.db.measures import EndedStep
from app.model import StepStatus

#: Upper edges in seconds; a step takes anything between a moment and days.
BUCKET_SECONDS = (0.1, 1.0, 10.0, 60.0, 300.0, 1_800.0, 7_200.0, 28_800.0, 86_400.0)
#: A step that failed says nothing of how long its stage takes; one under which the worker was killed ends when the next
#: worker starts.
CUT_SHORT = (StepStatus.FAILED.value, StepStatus.CANCELLED.value)


@dataclass
class Durations:
    """How many steps took how long: a count for each bucket and one for what is longer."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKET_SECONDS) + 1))
    sum_seconds: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one more."""
        self.counts[bisect_left(BUCKET_SECONDS, seconds)] += 1
        self.sum_seconds += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """(upper edge, how many took at most so long), as Prometheus wants them."""
        edges = [*(str(edge) for edge in BUCKET_SECONDS), "+Inf"]
        return list(zip(edges, accumulate(self.counts), strict=True))


@dataclass
class Tallies:
    """The counts so far, and up to where the rows were read."""

    troubles: Counter[tuple[str, str]] = field(default_factory=Counter)
    run_ends: Counter[str] = field(default_factory=Counter)
    durations: dict[str, Durations] = field(default_factory=lambda: defaultdict(Durations))
    last_event_id: int = 0
    last_step_id: int = 0
    open_steps: list[int] = field(default_factory=list)

    def catch_up(self, conn: Connection) -> None:
        """Count what came since; a reading that fails changes nothing."""
        after, last = self.last_event_id, measures.last_event_id(conn)
        troubles = measures.troubles_between(conn, after, last)
        ends = measures.run_ends_between(conn, after, last)
        ended, still_open, last_step = measures.steps_since(conn, self.last_step_id, self.open_steps)
        self.troubles.update(troubles)
        self.run_ends.update(ends)
        for step in [step for step in ended if step.status not in CUT_SHORT]:
            self.durations[step.stage].add(_seconds(step))
        self.last_event_id, self.last_step_id, self.open_steps = last, last_step, still_open


def _seconds(step: EndedStep) -> float:
    # A clock that was set back meanwhile must not take away from a sum.
    return max(0.0, (datetime.fromisoformat(step.ended_at) - datetime.fromisoformat(step.started_at)).total_seconds())
