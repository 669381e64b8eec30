"""Schedules: cron expressions, their faults in words, and when they are due. Daylight saving is cronsim's matter."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

#: What a person reads about the five fields.
FORM = 'write five fields, as in "0 3 * * 0" (minute, hour, day of the month, month, day of the week)'


def cron_problem(expression: str) -> str | None:
    """What is wrong with a cron expression, in words; None when it is right, or empty for "never"."""
    if not expression.strip():
        return None
    if len(expression.split()) != 5:
        return f"has {len(expression.split())} fields; {FORM}"
    try:
        coming = next(CronSim(expression, datetime(2024, 1, 1)), None)  # noqa: DTZ001  any wall clock will do
    except CronSimError as error:
        return f"is no schedule ({error}); {FORM}"
    return "names a day that never comes" if coming is None else None


def next_of(expressions: Iterable[str], moment: datetime, zone: ZoneInfo) -> datetime | None:
    """The first time after a moment that any of the expressions names; None when none ever comes."""
    coming = [next_after(expression, moment, zone) for expression in expressions]
    # By the instant: two times of one zone compare by their wall clocks, which an autumn night shows twice.
    return min((time for time in coming if time is not None), key=datetime.timestamp, default=None)


def next_after(expression: str, moment: datetime, zone: ZoneInfo) -> datetime | None:
    """The first time after a moment that the expression names on the clocks of a zone; None when it never comes."""
    return next(CronSim(expression, moment.astimezone(zone)), None)
