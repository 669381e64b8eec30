"""Files whose dates are known: what each holds, what lies beside it, the folder that it belongs in, and why."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.files import camera_files
from tests.files.media import box
from tests.files.tiff_data import Shot

#: The modification time of every file that has none of its own here; in Berlin this is on 2022-02-04.
MTIME = datetime(2022, 2, 3, 23, 30, tzinfo=UTC)
BY_MTIME = ("2022/02/04", "mtime")
EPOCH_OF_FILMS = datetime(1904, 1, 1, tzinfo=UTC)

#: Settings of the archive under which cases are sorted.
SETTINGS: dict[str, dict[str, object]] = {
    "Berlin": {"timezone": "Europe/Berlin"},
    "New York": {"timezone": "America/New_York"},
    "Auckland": {"timezone": "Pacific/Auckland"},
    "films in UTC": {"timezone": "Europe/Berlin", "video_time": "utc"},
    "films in local time": {"timezone": "Europe/Berlin", "video_time": "local"},
    "own names": {
        "timezone": "Europe/Berlin",
        "filename_dates": ["Scan {day}.{month}.{year}", "cam*{year}{month}{day}T{hour}{minute}{second}Z{utc}"],
    },
}


@dataclass(frozen=True)
class Case:
    """Files of one folder, and for each of those that are asked about its folder in the archive and its source."""

    name: str
    files: Mapping[str, bytes]
    expected: Mapping[str, tuple[str, str]]
    settings: str = "Berlin"
    mtime: datetime = MTIME


def one(name: str, file: str, content: bytes, folder: str, source: str, settings: str = "Berlin") -> Case:
    """A case of one file."""
    return Case(name, {file: content}, {file: (folder, source)}, settings)


def photo(**said: object) -> bytes:
    """A JPEG that says this of itself; see Shot."""
    return camera_files.jpeg(Shot(**said))  # type: ignore[arg-type]


def plain(number: int = 0) -> bytes:
    """A JPEG without any date; another number, another content."""
    return camera_files.jpeg(Shot(model=f"Model {number}"))


def film(created: str = "", apple: str = "", make: str = "", day: str = "") -> bytes:
    """A film: the time in its header, Apple's creation date, its maker, and its day as other cameras write it."""
    at = datetime.fromisoformat(created).replace(tzinfo=UTC) if created else EPOCH_OF_FILMS
    header = box(b"mvhd", bytes(4), struct.pack(">I", int((at - EPOCH_OF_FILMS).total_seconds())), bytes(92))
    texts = {b"\xa9mak": make, b"\xa9day": day}
    told = b"".join(
        box(name, struct.pack(">HH", len(text), 0x55C4), text.encode()) for name, text in texts.items() if text
    )
    parts = header + (_apple(apple) if apple else b"") + (box(b"udta", told) if told else b"")
    return box(b"ftyp", b"qt  \0\0\0\0qt  ") + box(b"moov", parts) + box(b"mdat", bytes(16))


def _apple(text: str) -> bytes:
    name = b"com.apple.quicktime.creationdate"
    keys = box(b"keys", bytes(4), struct.pack(">II", 1, len(name) + 8), b"mdta", name)
    value = box(struct.pack(">I", 1), box(b"data", bytes((0, 0, 0, 1, 0, 0, 0, 0)), text.encode()))
    return box(b"meta", box(b"hdlr", bytes(8), b"mdta", bytes(13)), keys, box(b"ilst", value))
