"""JPEG: the segments before the picture data, and Samsung's mark of a motion photo at the very end."""

from __future__ import annotations

from app.files.capture_time import embedded_xmp, exif
from app.files.capture_time.told import Faults, Odd, Told
from app.files.capture_time.window import Window

EXIF, XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
APP1 = 0xE1
#: Pictures, their end, and markers that stand alone.
PICTURE, ALONE = frozenset({0xD9, 0xDA}), frozenset({0x01, *range(0xD0, 0xD9)})
#: Far more than any camera writes before its picture data.
MAX_SEGMENTS = 200

SAMSUNG_END, SAMSUNG_FILM = b"SEFT", 0x0A30
SAMSUNG_MAX_ENTRIES = 100


def read(window: Window, told: Told) -> None:
    """EXIF and XMP of a photo; raises Odd when its segments are damaged."""
    offset, faults = 2, Faults()
    for _ in range(MAX_SEGMENTS):
        start = window.upto(offset, 4)
        if len(start) < 4 or start[0] != 0xFF:
            raise Odd("its segments are cut off")
        marker = start[1]
        if marker in PICTURE:
            break
        if marker == 0xFF or marker in ALONE:
            offset += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(start[2:], "big")
        if marker == APP1:
            faults.attempt(_read_segment, window.at(offset + 4, max(0, length - 2)), told)
        offset += 2 + length
    if (told.make or "").lower() == "samsung":
        told.motion_photo |= _has_samsung_film(window)
    faults.raise_first()


def _read_segment(segment: bytes, told: Told) -> None:
    if segment.startswith(EXIF):
        exif.read(Window.of_bytes(segment[len(EXIF) :]), told)
    elif segment.startswith(XMP):
        embedded_xmp.read(segment[len(XMP) :], told)


def _has_samsung_film(window: Window) -> bool:
    end = window.upto(max(0, window.size - 8), 8)
    length = int.from_bytes(end[:4], "little")
    if end[4:] != SAMSUNG_END or not 12 <= length <= 12 + 12 * SAMSUNG_MAX_ENTRIES or length + 8 > window.size:
        return False
    table = window.at(window.size - 8 - length, length)[12:]
    return any(int.from_bytes(table[at + 2 : at + 4], "little") == SAMSUNG_FILM for at in range(0, len(table), 12))
