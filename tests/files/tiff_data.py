"""TIFF data, the shape of EXIF and of most raw files, built byte by byte so that a test can say anything with it."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

ASCII, BYTE, SHORT, LONG, RATIONAL, UNDEFINED = 2, 1, 3, 4, 5, 7
DETAILS, GPS = 0x8769, 0x8825

#: (kind, bytes) by tag; a number of bytes that does not fit into an entry is put behind the directories.
Fields = Mapping[int, tuple[int, bytes]]
WIDTHS = {ASCII: 1, BYTE: 1, SHORT: 2, LONG: 4, RATIONAL: 8, UNDEFINED: 1}


@dataclass(frozen=True)
class Shot:
    """What a camera says of one photo; an empty text is not written."""

    taken: str = ""
    digitized: str = ""
    modified: str = ""
    fraction: str = ""
    offset: str = ""
    make: str = ""
    model: str = ""
    gps_date: str = ""
    gps_time: tuple[int, int, int] = (0, 0, 0)
    maker_note: bytes = b""
    xmp: bytes = b""


def text(value: str) -> tuple[int, bytes]:
    """A text with the NUL at its end."""
    return ASCII, value.encode() + b"\0"


def details_of(shot: Shot) -> dict[int, tuple[int, bytes]]:
    """The directory of details."""
    written = {
        0x9003: shot.taken, 0x9004: shot.digitized, 0x9291: shot.fraction, 0x9011: shot.offset, 0x9012: shot.offset,
    }  # fmt: skip
    fields = {tag: text(value) for tag, value in written.items() if value}
    if shot.maker_note:
        fields[0x927C] = (UNDEFINED, shot.maker_note)
    return fields


def gps_of(shot: Shot, order: str) -> dict[int, tuple[int, bytes]]:
    """The directory of the satellites."""
    if not shot.gps_date:
        return {}
    time = b"".join(struct.pack(order + "II", part, 1) for part in shot.gps_time)
    return {0x0007: (RATIONAL, time), 0x001D: text(shot.gps_date)}


def first_of(shot: Shot) -> dict[int, tuple[int, bytes]]:
    """The first directory, without what leads to the others."""
    written = {0x010F: shot.make, 0x0110: shot.model, 0x0132: shot.modified}
    fields = {tag: text(value) for tag, value in written.items() if value}
    if shot.xmp:
        fields[0x02BC] = (BYTE, shot.xmp)
    return fields


def tiff(shot: Shot, order: str = "<", magic: bytes = b"", extra: Fields | None = None, header: bytes = b"") -> bytes:
    """TIFF data with its directories; `header` stands behind the first eight bytes, `extra` in the first directory."""
    magic = magic or (b"II*\0" if order == "<" else b"MM\0*")
    first: dict[int, tuple[int, bytes]] = {**first_of(shot), **(extra or {})}
    parts: dict[int, Fields] = {DETAILS: details_of(shot), GPS: gps_of(shot, order)}
    for tag, fields in parts.items():
        if fields:
            first[tag] = (LONG, bytes(4))
    start = 8 + len(header)
    at = start + size_of(first)
    for tag, fields in parts.items():
        if fields:
            first[tag] = (LONG, struct.pack(order + "I", at))
            at += size_of(fields)
    body = directory(first, order, start)
    for fields in parts.values():
        if fields:
            body += directory(fields, order, start + len(body))
    return magic + struct.pack(order + "I", start) + header + body


def size_of(fields: Fields) -> int:
    """The bytes of a directory and of what does not fit into it."""
    return 6 + 12 * len(fields) + sum(_even(len(raw)) for _, raw in fields.values() if len(raw) > 4)


def directory(fields: Fields, order: str, start: int) -> bytes:
    """A directory that begins at `start`, followed by what does not fit into it."""
    entries, behind = b"", b""
    behind_at = start + 6 + 12 * len(fields)
    for tag in sorted(fields):
        kind, raw = fields[tag]
        value = raw.ljust(4, b"\0")
        if len(raw) > 4:
            value = struct.pack(order + "I", behind_at + len(behind))
            behind += raw.ljust(_even(len(raw)), b"\0")
        entries += struct.pack(order + "HHI", tag, kind, len(raw) // WIDTHS[kind]) + value
    return struct.pack(order + "H", len(fields)) + entries + bytes(4) + behind


def apple_note(content_identifier: str) -> bytes:
    """Apple's maker note with the identifier that the halves of a Live Photo share."""
    return b"Apple iOS\0\0\x01MM" + directory({0x0011: text(content_identifier)}, ">", 14)


def _even(size: int) -> int:
    return size + size % 2
