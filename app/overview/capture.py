"""Which dates were found for a file, which of them is believed, and why the others are not."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from app.db import capture_records
from app.db.capture_records import CaptureRecord, Told
from app.model import Asset
from app.overview.doubts import why_doubtful

#: What the sources of dates are called, for people.
SOURCE_NAMES = {
    "person": "a person",
    "exif": "EXIF DateTimeOriginal",
    "exif_digitized": "EXIF DateTimeDigitized",
    "xmp": "the XMP data in it",
    "xmp_sidecar": "the XMP file beside it",
    "gps": "the GPS time",
    "quicktime": "the creation date in the film",
    "mvhd": "the header of the film",
    "srt": "what the drone wrote as its subtitles",
    "takeout": "the JSON file of Google Takeout",
    "filename": "the file name",
    "folder": "the name of the folder",
    "exif_modified": "EXIF DateTime, when it was changed last",
    "mtime": "the modification time of the file",
}

WON, LOST, REJECTED = "won", "lost", "rejected"
#: Told of what would be asked before the name, where the name shows the clock of the place at the same moment.
OF_PLACE = "it tells the moment, and the file name what the clock showed where it was taken"
#: What tells a moment, but not where.
PLACELESS = ("gps", "quicktime", "mvhd", "takeout")


@dataclass(frozen=True)
class Found:
    """One date that was found: what became of it (won, lost or rejected), and why."""

    source: str
    text: str
    zone: str
    outcome: str
    why: str


@dataclass(frozen=True)
class CaptureStory:
    """What is known of the date of one file: how sure it is, the camera, and every date found, the better first."""

    confidence: str
    camera_make: str | None
    camera_model: str | None
    candidates: tuple[Found, ...]
    #: Nothing but the doubt about its date was ever recorded.
    is_unread: bool = False
    #: Why the date is weak, in words.
    doubt: str = ""


def capture_story(conn: Connection, asset: Asset) -> CaptureStory | None:
    """What was recorded of an asset's date; None for sidecars, and for files dated before records were kept."""
    record = capture_records.find(conn, asset.id)
    if record is None:
        return None
    doubt = why_doubtful(conn, asset) if record.confidence == "weak" else ""
    return replace(told_of(record, asset), doubt=doubt)


def as_json(story: CaptureStory | None) -> dict[str, Any] | None:
    """As JSON-ready values."""
    if story is None:
        return None
    return {name: value for name, value in asdict(story).items() if name not in ("is_unread", "doubt")}


def told_of(record: CaptureRecord, asset: Asset) -> CaptureStory:
    """The story of a record, with the file's own time at its end."""
    told = list(record.candidates)
    if not any(one.source == "mtime" for one in told):
        told.append(Told("mtime", _shown(asset.mtime_ns), "utc"))
    own = record.winner
    won = own if own is not None and own.source == asset.taken_from else None
    stood_back = _instead(asset, own)
    found = tuple(Found(*one[:3], *_fate(one, won, own, stood_back)) for one in told)
    return CaptureStory(record.confidence, record.camera_make, record.camera_model, found, not record.candidates)


def _fate(one: Told, won: Told | None, own: Told | None, stood_back: str) -> tuple[str, str]:
    if one.rejected:
        return REJECTED, f"it {one.rejected}"
    if one is won:
        return WON, "no better source tells a date that can be"
    if won is None and (one is own or own is None):
        return LOST, stood_back
    better = won or own
    if better is not None and better.source == "filename" and one.source in PLACELESS:
        return LOST, OF_PLACE
    return LOST, f"{SOURCE_NAMES.get(better.source, better.source)} is asked first" if better else stood_back


def _instead(asset: Asset, own: Told | None) -> str:
    """Why the best date of its own is not the one that a file has."""
    match asset.taken_from:
        case "sibling":
            return "the files of its group share one date, that of another one"
        case "person":
            return "a person has decided"
        case None:
            return "the file has no date now"
    taken_from = SOURCE_NAMES.get(asset.taken_from, asset.taken_from)
    return f"its date comes from {taken_from}, of another file of its group or from before"


def _shown(mtime_ns: int) -> str:
    try:
        at = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=mtime_ns // 1000)
    except OverflowError:
        return "out of range"
    return at.strftime("%Y-%m-%d %H:%M:%S")
