"""Dates in the files beside a photo or video: XMP, the JSON of Google Takeout, and the thumbnail of a film."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import IO, Any

from app.files.capture_time import embedded_xmp
from app.files.capture_time.told import Claims, Told
from app.files.kinds import VIDEO_SUFFIXES, suffix
from app.files.takeout import takeout_partner

#: Those that tell dates; the thumbnail is a photo and is read as one.
XMP, TAKEOUT, THUMBNAIL = b"xmp", b"json", b"thm"
TELLING = frozenset((XMP, TAKEOUT, THUMBNAIL))
#: Far more than any program writes, all its edits included.
MAX_BYTES = 8 << 20
EPOCH = datetime.fromtimestamp(0, UTC)


def tells_dates(name: bytes) -> bool:
    """Whether a file of this name, beside a photo or video, is one that may tell its date."""
    return suffix(name) in TELLING


def is_text(name: bytes) -> bool:
    """Whether `read` reads it; a thumbnail is read like any photo."""
    return suffix(name) in (XMP, TAKEOUT)


def read(file: IO[bytes], name: bytes) -> Claims:
    """The dates that a sidecar tells of its photo; raises ValueError and its like for what is no XMP and no JSON."""
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError("it is far larger than any sidecar")
    if suffix(name) == XMP:
        told = Told()
        embedded_xmp.read(content, told)
        return [("xmp_sidecar", text, zone) for _, text, zone in told.claims]
    return _takeout(json.loads(content))


def _takeout(told: Any) -> Claims:
    taken = told.get("photoTakenTime") if isinstance(told, dict) else None
    stamp = taken.get("timestamp") if isinstance(taken, dict) else None
    if not isinstance(stamp, str | int) or isinstance(stamp, bool):
        return []
    try:
        at = EPOCH + timedelta(seconds=int(stamp))
    except (ValueError, OverflowError):
        return [("takeout", str(stamp)[:40], "utc")]
    return [("takeout", f"{at.year:04d}-{at:%m-%d %H:%M:%S}", "utc")]


def sidecars_of(name: bytes, media: Sequence[bytes], sidecars: Sequence[bytes]) -> list[bytes]:
    """Those sidecars of a group that tell of this one of its media, the nearest first; all by their names.

    One of its full name (IMG_1.jpg.xmp) is its own, before one of its stem (IMG_1.xmp). Without a Takeout file of its
    own it has that of the others: what was edited shares the file of what it was made from.
    """
    stem = name.rpartition(b".")[0].lower()
    telling = [sidecar for sidecar in sidecars if tells_dates(sidecar)]
    own = [s for s in telling if suffix(s) != TAKEOUT and s.rpartition(b".")[0].lower() == name.lower()]
    alike = [s for s in telling if suffix(s) != TAKEOUT and s.rpartition(b".")[0].lower() == stem]
    exported = [s for s in telling if suffix(s) == TAKEOUT]
    mine = [s for s in exported if takeout_partner(s, media) == name]
    found = [*own, *alike, *(mine or exported)]
    return [s for s in found if suffix(s) != THUMBNAIL or suffix(name) in VIDEO_SUFFIXES]
