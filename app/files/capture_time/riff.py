"""RIFF: WebP pictures and AVI films."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.files.capture_time import embedded_xmp, exif
from app.files.capture_time.told import Faults, Odd, Told
from app.files.capture_time.window import Window

START = 12
#: An animation has a chunk for each of its pictures, a film none at this level.
MAX_CHUNKS = 5_000
LONGEST_DATE = 200
EXIF_START = b"Exif\0\0"

MONTHS = {name: i + 1 for i, name in enumerate(re.findall("...", "janfebmaraprmayjunjulaugsepoctnovdec"))}
#: Mon Mar 10 15:04:43 2003
LONG = re.compile(r"\w{3}\s+(\w{3})\s+(\d{1,2})\s+(\d\d:\d\d:\d\d)\s+(\d{4})")
#: 2001/ 1/27  1:42PM, and 2005/11/28/ 09:19
SHORT = re.compile(r"(\d{4})/\s*(\d+)/\s*(\d+)/?\s+(\d+):\s*(\d+)\s*(P?)")


def read_webp(window: Window, told: Told) -> None:
    """EXIF and XMP of a picture; raises Odd when its chunks are damaged."""
    faults = Faults()
    for name, offset, length in _chunks(window, START, window.size):
        if name == b"EXIF":
            faults.attempt(exif.read, Window.of_bytes(window.at(offset, length).removeprefix(EXIF_START)), told)
        elif name == b"XMP ":
            faults.attempt(embedded_xmp.read, window.at(offset, length), told)
    faults.raise_first()


def read_avi(window: Window, told: Told) -> None:
    """The date that a camera wrote, and the one of a film's description."""
    for name, offset, length in _chunks(window, START, window.size):
        if name == b"LIST":
            kind = window.at(offset, 4)
            if kind in (b"hdrl", b"INFO"):
                _read_dates(window, offset + 4, offset + length, told)
            elif kind == b"movi" and told.claims:
                return
        elif name == b"IDIT":
            _tell(window, offset, length, told)


def _read_dates(window: Window, start: int, end: int, told: Told) -> None:
    for name, offset, length in _chunks(window, start, end):
        if name == b"IDIT":
            _tell(window, offset, length, told)
        elif name == b"ICRD":
            told.zoned_date("exif_digitized", _text(window, offset, length))


def _tell(window: Window, offset: int, length: int, told: Told) -> None:
    told.zoned_date("exif", _standard(_text(window, offset, length)))


def _text(window: Window, offset: int, length: int) -> str:
    return window.at(offset, min(length, LONGEST_DATE)).decode("ascii", "replace").replace("\0", "").strip()


def _standard(text: str) -> str:
    """The date in the order that EXIF has."""
    if (long := LONG.match(text)) and long[1].lower() in MONTHS:
        return f"{long[4]}:{MONTHS[long[1].lower()]:02d}:{int(long[2]):02d} {long[3]}"
    if short := SHORT.match(text):
        year, month, day, hour, minute = (int(part) for part in short.groups()[:5])
        hour = hour % 12 + 12 if short[6] else hour
        return f"{year}:{month:02d}:{day:02d} {hour:02d}:{minute:02d}:00"
    return text


def _chunks(window: Window, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, place and length of each; raises Odd when one ends behind the end."""
    for _ in range(MAX_CHUNKS):
        if end - start < 8:
            return
        head = window.at(start, 8)
        length = int.from_bytes(head[4:], "little")
        if start + 8 + length > end:
            raise Odd("a chunk is cut off")
        yield head[:4], start + 8, length
        start += 8 + length + length % 2
    raise Odd("it has too many chunks")
