"""Matroska and WebM: the date in the segment's information, which is UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from app.files.capture_time.told import Odd, Told, Unread
from app.files.capture_time.window import Window

SEGMENT, INFORMATION, CLUSTER, DATE = 0x18538067, 0x1549A966, 0x1F43B675, 0x4461
#: Dates count from here, in nanoseconds.
EPOCH = datetime(2001, 1, 1)  # noqa: DTZ001 - the text that is made of it says that it is UTC
MAX_ELEMENTS = 1_000


def read(window: Window, told: Told) -> None:
    """The date of a film; raises Odd when there is no information before its pictures."""
    for kind, start, end in _elements(window, 0, window.size):
        if kind == SEGMENT:
            _read_segment(window, start, end, told)
            return
    raise Odd("it has no segment")


def _read_segment(window: Window, start: int, end: int, told: Told) -> None:
    for kind, content, stop in _elements(window, start, end):
        if kind == INFORMATION:
            for field, at, field_end in _elements(window, content, stop):
                if field == DATE and field_end - at == 8:
                    told.date("mvhd", instant(int.from_bytes(window.at(at, 8), "big", signed=True)), "utc")
            return
        if kind == CLUSTER:
            break
    raise Unread("it tells nothing before its pictures")


def instant(nanoseconds: int) -> str:
    """A time of Matroska's as EXIF would write it."""
    at = EPOCH + timedelta(microseconds=nanoseconds // 1000)
    fraction = f".{at.microsecond:06d}".rstrip("0") if at.microsecond else ""
    return f"{at.year:04d}:{at:%m:%d %H:%M:%S}{fraction}"


def _elements(window: Window, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    for _ in range(MAX_ELEMENTS):
        if end - start < 2:
            return
        head = window.upto(start, 12)
        kind, width = _number(head, keep_mark=True)
        length, more = _number(head[width:], keep_mark=False)
        content = start + width + more
        # All ones: as long as there is something, which live recordings have.
        stop = end if length == (1 << 7 * more) - 1 else content + length
        if stop > end:
            if kind not in (SEGMENT, CLUSTER):
                raise Odd("an element is cut off")
            stop = end
        yield kind, content, stop
        start = stop
    raise Odd("it has too many elements")


def _number(head: bytes, keep_mark: bool) -> tuple[int, int]:
    """A number and its width, which its first bit that is set tells."""
    if not head or not head[0]:
        raise Odd("a number is too long")
    width = 9 - head[0].bit_length()
    if len(head) < width:
        raise Odd("a number is cut off")
    value = int.from_bytes(head[:width], "big")
    return (value if keep_mark else value & ((1 << 7 * width) - 1)), width
