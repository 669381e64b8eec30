"""Hours of the day, as in 22:00-06:00: their faults in words, whether one of them is on, and when the next begins."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, time
from zoneinfo import ZoneInfo

from app.config.cron import next_of

HOURS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-3]):([0-5]\d)")
#: What a person reads about the form.
FORM = 'write from and until, as in "22:00-06:00"'


def hours_problem(hours: str) -> str | None:
    """What is wrong with hours, in words; None when they are right."""
    if HOURS.fullmatch(hours.strip()) is None:
        return f"are no hours of the day; {FORM}"
    begin, end = _bounds(hours)
    return f"end when they begin; {FORM}" if begin == end else None


def is_within(hours: Iterable[str], moment: datetime, zone: ZoneInfo) -> bool:
    """Whether the clocks of a zone show one of these hours at a moment; the first minute is within, the last is not.
    Hours that end before they begin go over midnight."""
    clock = moment.astimezone(zone).time()
    return any(_holds(*_bounds(one), clock) for one in hours)


def next_beginning(hours: Iterable[str], moment: datetime, zone: ZoneInfo) -> datetime | None:
    """When the first of these hours begins after a moment; None without any. What the clocks skip in spring begins
    when they have gone on."""
    begins = [_bounds(one)[0] for one in hours]
    return next_of([f"{begin.minute} {begin.hour} * * *" for begin in begins], moment, zone)


def _holds(begin: time, end: time, clock: time) -> bool:
    return begin <= clock < end if begin < end else clock >= begin or clock < end


def _bounds(hours: str) -> tuple[time, time]:
    found = HOURS.fullmatch(hours.strip())
    if found is None:
        raise ValueError(f"{hours!r} {hours_problem(hours)}")
    first_hour, first_minute, last_hour, last_minute = map(int, found.groups())
    return time(first_hour, first_minute), time(last_hour, last_minute)
