"""How fast a delivery goes, and how long it may still take. All values in, values out.

A rate is bytes that arrived, by the clock; a percentage is never used. While the peer says what it lacks, arriving
means that it lacks less; while it does not, that files were confirmed. What cannot be known is None, with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from app.db.sync_samples import Sample

#: The two windows over which a rate is measured; the remaining time is what both of them say.
SHORT_SECONDS, LONG_SECONDS = 60.0, 300.0
#: Nothing is said of a delivery that has been measured for less time.
LEAST_SECONDS = 10.0
MINUTE, HOUR, DAY = 60, 3600, 86_400


@dataclass(frozen=True)
class Point:
    """One moment: seconds on some clock, the bytes confirmed, and those that the peer said it lacked, if it did."""

    at: float
    confirmed_bytes: int
    need_bytes: int | None


@dataclass(frozen=True)
class Outlook:
    """The rate and the time that is left. `remaining_seconds` is the later end of what is likely."""

    rate_bytes_per_second: float | None
    remaining_seconds: int | None
    remaining_words: str


def points_of(samples: Iterable[Sample]) -> list[Point]:
    """Samples as points, in seconds since 1970."""
    return [Point(datetime.fromisoformat(s.at).timestamp(), s.confirmed_bytes, s.need_bytes) for s in samples]


def rate(points: Sequence[Point], moment: float, window_seconds: float = SHORT_SECONDS) -> float | None:
    """Bytes per second over the window that ends at `moment`; None when too little of it was measured."""
    if not points:
        return None
    begin = max(points[0].at, moment - window_seconds)
    if moment - begin < LEAST_SECONDS:
        return None
    by_need = any(point.need_bytes for point in points if point.at >= begin) or bool(_before(points, begin))
    moved = sum(_moved(a, b, by_need) * _share(a.at, b.at, begin) for a, b in pairwise(points))
    return moved / (moment - begin)


def _before(points: Sequence[Point], begin: float) -> int:
    """What the peer lacked when the window began."""
    earlier = [point.need_bytes or 0 for point in points if point.at < begin]
    return earlier[-1] if earlier else 0


def _moved(a: Point, b: Point, by_need: bool) -> int:
    if not by_need:
        return max(0, b.confirmed_bytes - a.confirmed_bytes)
    if a.need_bytes is None or b.need_bytes is None:
        return 0
    # More than before: new files were announced, which says nothing of what arrived.
    return max(0, a.need_bytes - b.need_bytes)


def _share(start: float, end: float, begin: float) -> float:
    """How much of the time between two moments lies after `begin`."""
    if end <= begin or end <= start:
        return 0.0
    return (end - max(start, begin)) / (end - start)


def outlook(points: Sequence[Point], moment: float, left_bytes: int) -> Outlook:
    """The rate, and how long so many bytes may take at it."""
    short, long = rate(points, moment), rate(points, moment, LONG_SECONDS)
    if left_bytes <= 0:
        return Outlook(short, None, "No more bytes are awaited; whether each file is there is being proven.")
    if short is None or long is None:
        return Outlook(None, None, "The time that is left is not known yet: it has been measured too briefly.")
    if not long:
        return Outlook(0.0, None, "The time that is left is not known: nothing has arrived lately.")
    if not short:
        return Outlook(0.0, None, "The time that is left is not known: nothing has arrived in the last minute.")
    low, high = sorted(left_bytes / measured for measured in (short, long))
    return Outlook(short, _rounded(high), f"{_between(low, high)} left.")


def _rounded(seconds: float) -> int:
    """Up to a step that suits the length: nobody knows the seconds of an hour."""
    step = 10 if seconds < 10 * MINUTE else MINUTE if seconds < 2 * HOUR else 10 * MINUTE if seconds < DAY else HOUR
    return max(step, -int(-seconds // step) * step)


def _between(low: float, high: float) -> str:
    unit, one, many = _unit(high)
    if high < MINUTE:
        return "A minute or less"
    step = unit if high < 15 * unit else 5 * unit
    first, last = max(unit, int(low // step) * step) // unit, -int(-high // step) * step // unit
    if last == first:
        return f"About {last} {one if last == 1 else many}"
    return f"About {first} to {last} {many}"


def _unit(seconds: float) -> tuple[int, str, str]:
    if seconds >= 2 * DAY:
        return DAY, "day", "days"
    return (HOUR, "hour", "hours") if seconds >= 2 * HOUR else (MINUTE, "minute", "minutes")
