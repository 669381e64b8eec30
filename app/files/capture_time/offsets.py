"""Zones that a file does not tell, found out from what else is claimed for it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo

from app.files.capture_time.judge import Candidate, Claim, written_in

#: What a name or subtitles show and a film's header that differ by no more than this tell of the same moment: some
#: headers tell the end.
SAME_MOMENT = timedelta(minutes=2)
#: A wall time and the time of the satellites differ by whole offsets, give or take what a receiver lags.
LAG = timedelta(seconds=90)
HALF_HOUR = timedelta(minutes=30)
#: Offsets that are no half hours: Nepal, Eucla, Chatham.
ODD_OFFSETS = tuple(timedelta(minutes=minutes) for minutes in (345, 525, 765, 825))
WIDEST = timedelta(hours=14)
#: Offsets west of Greenwich are no wider.
WIDEST_WEST = timedelta(hours=12)
#: Many headers tell the end of a film, its name the beginning; longer ones are told an hour or more wrong.
FILM = timedelta(hours=1)
#: Sources that tell a moment, and nothing of the place where the day is decided.
PLACELESS = ("gps", "quicktime", "mvhd", "takeout")


def of_film(
    claim: Claim, video_time: str, is_local_make: bool, shown: Sequence[Claim], zone: tzinfo
) -> Claim:
    """The time in a film's header: UTC as the standard says, or local time, as many cameras write it; `shown` is what
    its name and its subtitles say that clocks showed."""
    if claim.source != "mvhd" or claim.zone != "utc" or video_time == "utc":
        return claim
    if video_time == "local" or is_local_make or _agrees_with_one(claim, shown, zone):
        return replace(claim, zone="local")
    return claim


def _agrees_with_one(claim: Claim, shown: Sequence[Claim], zone: tzinfo) -> bool:
    """Whether the first of them tells the same wall time, which then is no UTC where the zone is another one."""
    written = written_in(claim.text)
    if written is None:
        return False
    for other in shown:
        told = written_in(other.text) if other.zone == "local" else None
        if told is not None and told != told.replace(hour=0, minute=0, second=0, microsecond=0):
            return abs(told - written) <= SAME_MOMENT and bool(zone.utcoffset(told))
    return False


def of_place(best: Candidate, shown: Sequence[Claim], zone: tzinfo) -> Claim | None:
    """What the clock of the place showed, by a name, at the moment that `best` tells, with the offset of that place.
    None when the configured zone makes it the same day, and when it is another moment."""
    stated = written_in(best.claim.text)
    if not shown or best.claim.source not in PLACELESS or best.claim.zone not in ("utc", "Z", "local"):
        return None
    named = written_in(shown[0].text)
    if stated is None or named is None or best.taken_local is None:
        return None
    if -SAME_MOMENT <= best.taken_local - named < FILM:
        return None if best.taken_local.date() == named.date() else shown[0]
    ahead = named - stated
    if (best.claim.source, best.claim.zone) == ("mvhd", "local") or not -WIDEST_WEST <= ahead <= WIDEST + SAME_MOMENT:
        return None
    # The end of a film lies behind its beginning.
    next_hour = -(-(ahead - SAME_MOMENT) // FILM) * FILM
    exact = _offset(ahead)
    return replace(shown[0], zone=_written(next_hour if exact is None else exact))


def _written(offset: timedelta) -> str:
    minutes = round(abs(offset).total_seconds() / 60)
    return f"{'-' if offset < timedelta() else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def sharpened(winner: Candidate, candidates: Sequence[Candidate]) -> datetime | None:
    """Its instant; a local time without a zone gets it from the satellites' time, where they differ by an offset."""
    local = winner.taken_local
    if winner.claim.zone != "local" or local is None or not winner.claim.source.startswith("exif"):
        return winner.taken_at
    gps = next((c.taken_at for c in candidates if c.claim.source == "gps" and c.taken_at is not None), None)
    offset = _offset(local.replace(tzinfo=UTC) - gps) if gps is not None else None
    return winner.taken_at if offset is None else local.replace(tzinfo=UTC) - offset


def _offset(difference: timedelta) -> timedelta | None:
    offsets = (round(difference / HALF_HOUR) * HALF_HOUR, *ODD_OFFSETS)
    return next((o for o in offsets if abs(difference - o) <= LAG and abs(o) <= WIDEST), None)


def instant(mtime_ns: int) -> datetime:
    """A modification time as an instant; the beginning of 1970 when it is out of range."""
    try:
        return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=mtime_ns // 1000)
    except OverflowError:
        return datetime.fromtimestamp(0, UTC)
