"""Which of the dates that a file claims is believed: the order of sources, and what cannot be true.

The local day decides the folder: a time without a zone is taken as it is written, a time in UTC is told in the
configured zone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from app.files.capture_time.file_name import claims_of_name

#: The better source first. A value that cannot be true is passed over, and the next source is asked.
SOURCES = ("exif", "exif_digitized", "quicktime", "mvhd", "filename", "mtime")
#: Sources that say when a copy was made rather than when a picture was taken.
WEAK_SOURCES = frozenset({"mtime"})

EARLIEST_YEAR = 1990
FUTURE_ALLOWANCE = timedelta(days=1)

WRITTEN = re.compile(
    r"(\d{4})[-:/.](\d{1,2})[-:/.](\d{1,2})(?:[ T](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,9}))?)?)?"
)
OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a file says: `zone` is "local" (none told), "utc", or an offset like "+02:00"."""

    source: str
    text: str
    zone: str = "local"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A claim, read: its times, or why it cannot be true."""

    claim: Claim
    taken_local: datetime | None = None
    taken_at: datetime | None = None
    rejected: str = ""


@dataclass(frozen=True, slots=True)
class CaptureTime:
    """The verdict: local wall time (no zone), the instant in UTC, where it comes from, and every candidate."""

    taken_local: datetime
    taken_at: datetime
    source: str
    weak: bool
    candidates: tuple[Candidate, ...] = ()
    content_identifier: str | None = None
    note: str = ""


def choose(
    claims: Sequence[Claim], name: bytes, mtime_ns: int, zone: tzinfo, now: datetime, note: str = ""
) -> CaptureTime:
    """The capture time of a file from its own claims, its name and its mtime; there always is one."""
    told = [*claims, *(Claim("filename", text, where) for text, where in claims_of_name(name))]
    candidates = [judge(claim, zone, now) for claim in sorted(told, key=lambda c: SOURCES.index(c.source))]
    for candidate in candidates:
        if candidate.taken_local is not None and candidate.taken_at is not None:
            local, at = candidate.taken_local, candidate.taken_at
            return CaptureTime(local, at, candidate.claim.source, False, tuple(candidates), note=note)
    at = _instant(mtime_ns)
    local = at.astimezone(zone).replace(tzinfo=None)
    reason = note or next((f"its {c.claim.source} date {c.rejected}" for c in candidates if c.rejected), "")
    return CaptureTime(local, at, "mtime", True, tuple(candidates), note=reason or "it holds no capture time")


def judge(claim: Claim, zone: tzinfo, now: datetime) -> Candidate:
    """Read one claim; a value that cannot be true gets a reason instead of times."""
    written = _written(claim.text)
    if written is None:
        return Candidate(claim, rejected=f"cannot be read ({_shown(claim.text)})")
    offset = UTC if claim.zone == "utc" else _offset(claim.zone)
    try:
        at = written.replace(tzinfo=offset or zone).astimezone(UTC)
    except OverflowError:
        return Candidate(claim, rejected="is out of range")
    if at > now + FUTURE_ALLOWANCE:
        return Candidate(claim, rejected=f"lies in the future ({_shown(claim.text)})")
    if written.year < EARLIEST_YEAR:
        return Candidate(claim, rejected=f"is before {EARLIEST_YEAR} ({_shown(claim.text)})")
    local = at.astimezone(zone).replace(tzinfo=None) if claim.zone == "utc" else written
    return Candidate(claim, local, at)


def _written(text: str) -> datetime | None:
    match = WRITTEN.match(text.replace("\0", "").strip())
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    microsecond = int((match[7] or "").ljust(6, "0")[:6])
    try:
        return datetime(year, month, day, hour, minute, second, microsecond)  # noqa: DTZ001 - told without a zone
    except ValueError:
        return None


def _offset(text: str) -> tzinfo | None:
    match = OFFSET.fullmatch(text.replace("\0", "").strip())
    if match is None:
        return UTC if text.strip() == "Z" else None
    delta = timedelta(hours=int(match[2]), minutes=int(match[3]))
    if delta >= timedelta(hours=24):
        return None
    return timezone(-delta if match[1] == "-" else delta)


def _instant(mtime_ns: int) -> datetime:
    try:
        return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=mtime_ns // 1000)
    except OverflowError:
        return datetime.fromtimestamp(0, UTC)


def _shown(text: str) -> str:
    return "".join(c for c in text[:40] if c.isprintable())
