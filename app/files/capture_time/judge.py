"""Reading one date that is claimed for a file: its times, or why it cannot be true. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

EARLIEST_YEAR = 1990
FUTURE_ALLOWANCE = timedelta(days=1)
#: The widest offset that is in use is +14:00.
WIDEST_OFFSET = timedelta(hours=15)
#: A person may know better than any rule about what can be.
UNDOUBTED = "person"

WRITTEN = re.compile(
    r"(\d{4})[-:/.](\d{1,2})[-:/.](\d{1,2})(?:[ T]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,9}))?)?)?"
)
OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")
#: Where clocks begin that were never set: QuickTime's, Unix's, and that of memory cards.
CLOCKS_BEGIN = {(1904, 1, 1): "1904", (1970, 1, 1): "1970", (1980, 1, 1): "1980"}
#: A leap second; cameras with GPS write it.
LEAP_SECOND = 60


@dataclass(frozen=True, slots=True)
class Claim:
    """What is claimed for a file: `zone` is "local" (none told), "utc", or an offset like "+02:00"."""

    source: str
    text: str
    zone: str = "local"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A claim, read: its times, or why it cannot be true; and whether it is the one that is believed."""

    claim: Claim
    taken_local: datetime | None = None
    taken_at: datetime | None = None
    rejected: str = ""
    won: bool = False


def judge(claim: Claim, zone: tzinfo, now: datetime) -> Candidate:
    """Read one claim; a value that cannot be true gets a reason instead of times."""
    written, fault = _read(claim.text)
    if written is None:
        return Candidate(claim, rejected=fault)
    is_utc = claim.zone in ("utc", "Z")
    told = UTC if is_utc else None if claim.zone == "local" else offset_of(claim.zone)
    try:
        at = written.replace(tzinfo=told or zone).astimezone(UTC)
        local = at.astimezone(zone).replace(tzinfo=None) if is_utc else written
    except OverflowError:
        return Candidate(claim, rejected=f"is out of range ({_shown(claim.text)})")
    fault = "" if claim.source == UNDOUBTED else _impossible(written, at, now)
    if fault:
        return Candidate(claim, rejected=f"{fault} ({_shown(claim.text)})")
    return Candidate(claim, local, at)


def written_in(text: str) -> datetime | None:
    """The wall time that a text tells, or None when it tells none that is in the calendar."""
    return _read(text)[0]


def offset_of(text: str) -> tzinfo | None:
    """The zone of an offset like +02:00 or -0330; None when it tells none that is in use."""
    match = OFFSET.fullmatch(text.replace("\0", "").strip())
    if match is None:
        return None
    delta = timedelta(hours=int(match[2]), minutes=int(match[3]))
    if delta > WIDEST_OFFSET:
        return None
    return timezone(-delta if match[1] == "-" else delta)


@lru_cache(maxsize=1024)
def _read(text: str) -> tuple[datetime | None, str]:
    """The wall time, or why there is none."""
    bare = text.replace("\0", "").strip()
    if not bare.strip("0:-/. "):
        return None, "is empty" if not bare.strip(":-/. ") else f"is all zeros ({_shown(bare)})"
    match = WRITTEN.match(bare)
    if match is None:
        return None, f"cannot be read ({_shown(bare)})"
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    microsecond = int((match[7] or "").ljust(6, "0")[:6])
    second = LEAP_SECOND - 1 if second == LEAP_SECOND else second
    try:
        written = datetime(year, month, day, hour, minute, second, microsecond)  # noqa: DTZ001 - told without a zone
    except ValueError:
        return None, f"is in no calendar or on no clock ({_shown(bare)})"
    return written, ""


def _impossible(written: datetime, at: datetime, now: datetime) -> str:
    begun = CLOCKS_BEGIN.get((written.year, written.month, written.day))
    if begun is not None:
        return f"is where clocks of {begun} begin that were never set"
    if written.year < EARLIEST_YEAR:
        return f"is before {EARLIEST_YEAR}"
    return "lies in the future" if at > now + FUTURE_ALLOWANCE else ""


def _shown(text: str) -> str:
    return "".join(c for c in text[:40] if c.isprintable())
