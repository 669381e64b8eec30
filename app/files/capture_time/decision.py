"""What a person may decide about a date: which claim follows from it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.files.capture_time.judge import WRITTEN, Claim, offset_of, written_in

PERSON = "person"
DATE = re.compile(WRITTEN.pattern + r"(?P<zone>\s*(?:Z|[+-]\d{2}:?\d{2}))?")
DAY = re.compile(r"\d{4}[-:/.]\d{1,2}[-:/.]\d{1,2}")
HOURS_AND_MINUTES = re.compile(r"(?P<sign>[+-]?)(?P<hours>[0-9]{1,6}):(?P<minutes>[0-5][0-9])")
#: No zone makes this another day.
NOON = " 12:00"
#: Before that, nobody took a photo.
FIRST_PHOTO = 1826
#: Further than any clock is wrong.
MOST_HOURS = 24 * 366 * 100


@dataclass(frozen=True, slots=True)
class Present:
    """The date that a file has now; `tells_instant`: its source tells an instant, not what a clock on a wall showed."""

    taken_local: datetime
    taken_at: datetime
    tells_instant: bool = False


#: From the date that a file has to the one that it is to have.
Decision = Callable[[Present], Claim]


def read_decision(action: str, value: str) -> Decision:
    """What `accept`, `set`, `zone` or `shift` with this value does. Raises ValueError with words for a person."""
    match action:
        case "accept":
            return _accepted
        case "set":
            claim = _claim_of(value)
            return lambda _: claim
        case "zone":
            zone = _zone_of(value)
            return lambda present: _in_zone(present, zone)
        case "shift":
            delta = _hours_of(value)
            return lambda present: _shifted(present, delta)
    raise ValueError(f"{action} is none of accept, set, zone and shift")


def _accepted(present: Present) -> Claim:
    return _shifted(present, timedelta())


def _shifted(present: Present, delta: timedelta) -> Claim:
    offset = present.taken_local.replace(tzinfo=UTC) - present.taken_at
    return Claim(PERSON, _text(present.taken_local + delta), _offset(offset))


def _in_zone(present: Present, zone: tzinfo) -> Claim:
    """What tells an instant keeps it, and gets the wall time of the zone; what tells a wall time keeps that."""
    at = present.taken_at.astimezone(zone) if present.tells_instant else present.taken_local.replace(tzinfo=zone)
    return Claim(PERSON, _text(at.replace(tzinfo=None)), _offset(at.utcoffset() or timedelta()))


def _claim_of(value: str) -> Claim:
    text = value.strip()
    found = DATE.fullmatch(text)
    if found is None or written_in(text) is None:
        raise ValueError(f"{value[:40]!r} is no date; write it as in 2019-07-14 or 2019-07-14 15:30:00+02:00")
    if DAY.fullmatch(text):
        return Claim(PERSON, text + NOON)
    told = (found["zone"] or "").strip()
    if told not in ("", "Z") and offset_of(told) is None:
        raise ValueError(f"{told} is no offset that is in use")
    wall = text[: len(text) - len(found["zone"] or "")]
    return Claim(PERSON, wall, "utc" if told == "Z" else told or "local")


def _zone_of(value: str) -> tzinfo:
    text = value.strip()
    offset = offset_of(text)
    if offset is not None:
        return offset
    try:
        return ZoneInfo(text)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise ValueError(f"{value[:40]!r} is no time zone; write it as in Europe/Berlin or +02:00") from None


def _hours_of(value: str) -> timedelta:
    with_minutes = HOURS_AND_MINUTES.fullmatch(value.strip())
    try:
        hours = _clock(with_minutes) if with_minutes else float(value)
    except ValueError:
        hours = 0.0
    if not 0 < abs(hours) <= MOST_HOURS:
        raise ValueError(f"{value[:40]!r} is no number of hours; write it as in 9, -1, 5.5 or -1:30")
    return timedelta(seconds=round(hours * 3600))


def _clock(told: re.Match[str]) -> float:
    hours = int(told["hours"]) + int(told["minutes"]) / 60
    return -hours if told["sign"] == "-" else hours


def _text(at: datetime) -> str:
    if at.year < FIRST_PHOTO:
        raise ValueError(f"{at.date().isoformat()} is before the first photo")
    return at.isoformat(" ")


def _offset(offset: timedelta) -> str:
    """As it is written; what no zone has is that of the settings."""
    minutes = round(offset.total_seconds() / 60)
    written = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    return written if offset_of(written) is not None else "local"
