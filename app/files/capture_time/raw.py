"""Raw files that are not TIFF: Fujifilm's RAF, Sigma's X3F, Minolta's MRW; and Panasonic's RW2, which nearly is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.files.capture_time import exif, jpeg
from app.files.capture_time.tiff import Tiff
from app.files.capture_time.told import Odd, Told
from app.files.capture_time.window import Window

#: Where a RAF says where its JPEG lies.
RAF_JPEG = 84
RW2_JPEG = 0x002E
MAX_PARTS = 100

#: The header of a part of an X3F that is a JPEG: version 2.0, type 2, format 18.
X3F_JPEG = b"SECi\0\0\x02\0\x02\0\0\0\x12\0\0\0"
X3F_PART_HEADER, X3F_PROPERTIES_HEADER = 28, 24
MAX_PROPERTIES = 1_000
EPOCH = datetime.fromtimestamp(0, UTC)


def read_raf(window: Window, told: Told) -> None:
    """The EXIF data of the JPEG inside; raises Odd when it is not where the header says."""
    start, length = _pair(window.at(RAF_JPEG, 8), "big")
    _read_jpeg(window, start, length, told)


def read_rw2(window: Window, told: Told) -> None:
    """EXIF data of the file, or else of the JPEG inside."""
    try:
        exif.read(window, told)
    finally:
        if not told.has_source("exif"):
            tiff = Tiff(window)
            inside = tiff.directory(tiff.first, frozenset({RW2_JPEG})).get(RW2_JPEG)
            if inside is not None and inside.size > 4:
                _read_jpeg(window, inside.offset, inside.size, told)


def read_mrw(window: Window, told: Told) -> None:
    """The TIFF data in the block TTW."""
    end, at = 8 + int.from_bytes(window.at(4, 4), "big"), 8
    for _ in range(MAX_PARTS):
        if at + 8 > end:
            return
        head = window.at(at, 8)
        length = int.from_bytes(head[4:], "big")
        if head[:4] == b"\0TTW":
            exif.read(window.part(at + 8, length), told)
        at += 8 + length


def read_x3f(window: Window, told: Told) -> None:
    """The EXIF data of the JPEG inside, and the properties that older cameras write instead."""
    start = int.from_bytes(window.at(window.size - 4, 4), "little")
    head = window.at(start, 12)
    if head[:4] != b"SECd":
        raise Odd("its list of parts is not where it should be")
    count = min(int.from_bytes(head[8:], "little"), MAX_PARTS)
    table = window.at(start + 12, 12 * count)
    for at in range(0, len(table), 12):
        place, length = _pair(table[at : at + 8], "little")
        kind = table[at + 8 : at + 12]
        if kind == b"IMA2" and length > X3F_PART_HEADER and window.at(place, len(X3F_JPEG)) == X3F_JPEG:
            _read_jpeg(window, place + X3F_PART_HEADER, length - X3F_PART_HEADER, told)
        elif kind == b"PROP":
            _read_properties(window.at(place, length), told)


def _read_jpeg(window: Window, start: int, length: int, told: Told) -> None:
    inside = window.part(start, length)
    if inside.upto(0, 2) != b"\xff\xd8":
        raise Odd("the picture inside is not where it should be")
    jpeg.read(inside, told)


def _read_properties(content: bytes, told: Told) -> None:
    """Names and values as UTF-16, each told of by its place in the text."""
    count = min(int.from_bytes(content[8:12], "little"), MAX_PROPERTIES)
    letters = content[X3F_PROPERTIES_HEADER + 8 * count :]
    found = {}
    for at in range(X3F_PROPERTIES_HEADER, X3F_PROPERTIES_HEADER + 8 * count, 8):
        name, value = (_word(letters, place) for place in _pair(content[at : at + 8], "little"))
        found[name] = value
    if found.get("TIME", "").isdecimal():
        at_second = EPOCH + timedelta(seconds=int(found["TIME"][:11]))
        told.date("exif", f"{at_second:%Y:%m:%d %H:%M:%S}")
    told.camera(found.get("CAMMANUF"), found.get("CAMMODEL"))


def _word(letters: bytes, place: int) -> str:
    part = letters[2 * place : 2 * place + 200]
    return part[: len(part) // 2 * 2].decode("utf-16-le", "replace").partition("\0")[0]


def _pair(content: bytes, order: str) -> tuple[int, int]:
    assert order in ("big", "little")
    if len(content) != 8:
        raise Odd("it is cut off")
    if order == "big":
        return int.from_bytes(content[:4], "big"), int.from_bytes(content[4:], "big")
    return int.from_bytes(content[:4], "little"), int.from_bytes(content[4:], "little")
