"""Where a group goes in the archive: its day's folder, or apart when its date is doubtful. Values in, values out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache

from app.config.schema import Sorter
from app.model import Asset

#: Folders at the top of the archive for groups whose date is doubtful.
UNKNOWN_DATE_FOLDER = b"unknown-date"
REVIEW_FOLDER = b"review"
REVIEW_REASON = "Its date is doubtful and needs a review."

#: No camera took a digital photo before; such dates are those of clocks that were never set.
EARLIEST_YEAR = 1990
#: A clock may be ahead by a time zone.
LATEST = timedelta(days=1)

FIELD = re.compile(r"\{\{|\}\}|\{(year|month|day)(?::(0?\d{0,2})d?)?\}")


@dataclass(frozen=True)
class Filing:
    """The folder for a whole group; `needs_review` when a person has to say the date first."""

    folder: bytes
    needs_review: bool = False


@lru_cache(maxsize=1_000)
def archive_folder(pattern: str, taken: date) -> bytes:
    """The folder of a day, from a pattern like `{year}/{month:02d}`; never climbs, never absolute, never ours."""
    values = {"year": taken.year, "month": taken.month, "day": taken.day}
    filled = FIELD.sub(lambda m: format(values[m[1]], f"{m[2] or ''}d") if m[1] else m[0][0], pattern)
    parts = [part.strip("\0") for part in filled.split("/")]
    safe = [part for part in parts if part not in ("", ".", "..") and not part.startswith((".mp-", ".media-pipeline"))]
    return "/".join(safe).encode("utf-8", "surrogateescape")


def _day(taken_local: str) -> date:
    return date.fromisoformat(taken_local[:10])


def is_weak(asset: Asset, today: date) -> bool:
    """Whether the asset's date is no more than a guess: the file's time, an unset clock, or the future."""
    if asset.taken_local is None or asset.taken_from in (None, "mtime"):
        return True
    taken = _day(asset.taken_local)
    return taken.year < EARLIEST_YEAR or taken > today + LATEST


def choose_filing(members: Sequence[Asset], settings: Sorter, today: date, zone: tzinfo) -> Filing:
    """One folder for the whole group, by its surest member: a sidecar or a video goes with its photo."""
    lead = min(members, key=lambda a: (is_weak(a, today), a.taken_from == "sibling", a.taken_local or "9", a.id))
    if not is_weak(lead, today):
        return Filing(archive_folder(settings.folder_pattern, _day(lead.taken_local or "")))
    no_date_inside = lead.taken_from in (None, "mtime")
    if settings.weak_dates == "review" or (no_date_inside and not settings.exif_fallback):
        return Filing(REVIEW_FOLDER, needs_review=True)
    if settings.weak_dates == "unknown_folder":
        return Filing(UNKNOWN_DATE_FOLDER)
    modified = _modified(lead, zone)
    return Filing(archive_folder(settings.folder_pattern, modified) if modified else UNKNOWN_DATE_FOLDER)


def _modified(asset: Asset, zone: tzinfo) -> date | None:
    """The local day of the file's own time, as it was when the file was inspected."""
    if asset.taken_from == "mtime" and asset.taken_local is not None:
        return _day(asset.taken_local)
    try:
        return datetime.fromtimestamp(asset.mtime_ns // 10**9, zone).date()
    except (ValueError, OverflowError, OSError):
        return None


def archive_name(asset: Asset) -> bytes:
    """The file name that the asset came with."""
    return (asset.origin_path or asset.path).rpartition(b"/")[2]
