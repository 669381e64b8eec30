"""Cameras whose clock began anew, as after a change of the battery: what they write then, and what knows better. Pure.

Most begin on 1 January 2000, others on 1 January of the year in which they were made. A photo of New Year's Eve tells
the same, so it is believed as long as nothing tells otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from app.files.capture_time.judge import Candidate, written_in

#: Where most clocks begin anew.
RESET_DAY = date(2000, 1, 1)
#: In other years only what was taken so soon after the clock began is doubted.
FIRST_HOURS = timedelta(hours=3)
#: Written by the clock of the camera.
BY_CLOCK = ("exif", "exif_digitized", "xmp", "quicktime", "mvhd")
#: What may know better, or repeats what the camera wrote; and what it is called.
TELLS_BETTER = {
    "xmp_sidecar": "the XMP file beside it",
    "gps": "the GPS time",
    "takeout": "the JSON file of Google Takeout",
    "srt": "the film's subtitles",
    "filename": "the file name",
}
#: Zones and long films make no more of a difference.
APART = timedelta(days=2)


def pass_over(candidates: Sequence[Candidate], is_named_by_camera: bool) -> list[Candidate]:
    """The candidates, best first; those of a clock that began anew get a reason when another source tells another day.
    In years other than 2000 a name counts only when cameras give such names: others may tell of a later copy."""
    best = next((c for c in candidates if not c.rejected), None)
    if best is None or not is_suspect(best):
        return list(candidates)
    better = next((c for c in candidates if _tells_better(c, best, is_named_by_camera)), None)
    if better is None or better.taken_local is None:
        return list(candidates)
    day = better.taken_local.date().isoformat()
    reason = f"is where the clock of a camera begins anew, and {TELLS_BETTER[better.claim.source]} tells {day}"
    return [
        replace(c, taken_local=None, taken_at=None, rejected=reason) if _repeats(c, best) else c for c in candidates
    ]


def is_suspect(best: Candidate) -> bool:
    """Whether a clock that began anew tells such a time, and a camera on New Year's Eve."""
    return best.claim.source in BY_CLOCK and (is_reset(best) or _is_first_hours(best))


def is_doubtful(best: Candidate, candidates: Sequence[Candidate]) -> bool:
    """Whether a date is no better than a clock that may have begun anew: nothing but the satellites vouches for it."""
    vouched = any(c.claim.source == "gps" and _gap(c, best) <= APART for c in candidates)
    return best.claim.source in BY_CLOCK and is_reset(best) and not vouched


def is_reset(candidate: Candidate) -> bool:
    """Whether a time lies on the day on which most clocks begin."""
    return any(at.date() == RESET_DAY for at in _shown(candidate))


def is_of_reset_clock(source: str | None, taken_local: str | None) -> bool:
    """Whether a date that a file has comes from a clock, and is the day on which most clocks begin."""
    return source in BY_CLOCK and tells_reset_day(taken_local or "")


def tells_reset_day(text: str) -> bool:
    """Whether what is written of a date tells that day."""
    at = written_in(text)
    return at is not None and at.date() == RESET_DAY


def _is_first_hours(candidate: Candidate) -> bool:
    return any(at - datetime(at.year, 1, 1) < FIRST_HOURS for at in _shown(candidate))  # noqa: DTZ001 - wall times


def _shown(candidate: Candidate) -> list[datetime]:
    """As it is written, and in the configured zone."""
    return [at for at in (written_in(candidate.claim.text), candidate.taken_local) if at is not None]


def _tells_better(candidate: Candidate, best: Candidate, is_named_by_camera: bool) -> bool:
    source = candidate.claim.source
    counts = source in TELLS_BETTER and (source != "filename" or is_named_by_camera or is_reset(best))
    return counts and not candidate.rejected and _gap(candidate, best) > APART


def _repeats(candidate: Candidate, best: Candidate) -> bool:
    is_copy = candidate.claim.source in (*BY_CLOCK, *TELLS_BETTER, "exif_modified")
    return not candidate.rejected and is_copy and _gap(candidate, best) <= APART


def _gap(one: Candidate, other: Candidate) -> timedelta:
    if one.taken_local is None or other.taken_local is None:
        return timedelta.max
    return abs(one.taken_local - other.taken_local)
