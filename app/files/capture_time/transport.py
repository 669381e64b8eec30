"""MTS and M2TS of camcorders: the date that AVCHD keeps in the stream of pictures."""

from __future__ import annotations

import re

from app.files.capture_time.told import Odd, Told, Unread
from app.files.capture_time.window import Window

PACKET, MARK = 188, 0x47
#: Camcorders put four bytes before each packet.
PREFIXES = {0: PACKET, 4: PACKET + 4}
#: The first picture carries the date; it has begun long before this.
SEARCHED_BYTES = 2 << 20
MAX_STREAMS = 16

#: Data of the Modified Digital Video Pack: a number of entries of five bytes each.
PACK = re.compile(re.escape(bytes.fromhex("17ee8c60f84d11d98cd60800200c9a66") + b"MDPM"))
LONGEST_PACK = 600
DATE, TIME, MAKE = 0x18, 0x19, 0xE0
MAKES = {0x0103: "Panasonic", 0x0108: "Sony", 0x1011: "Canon", 0x1104: "JVC"}


def prefix_of(head: bytes) -> int | None:
    """How many bytes lie before each packet, or None when this is no transport stream."""
    for prefix, width in PREFIXES.items():
        if len(head) > prefix + 2 * width and all(head[prefix + n * width] == MARK for n in range(3)):
            return prefix
    return None


def read(window: Window, told: Told) -> None:
    """The date of the first picture; raises Odd when there is none."""
    content = window.upto(0, SEARCHED_BYTES)
    prefix = prefix_of(content)
    if prefix is None:
        raise Odd("it is no transport stream")
    for stream in _streams(content, prefix):
        if (found := PACK.search(stream)) is not None:
            # No three bytes of a stream may look like a start: a three is put in between.
            _read_pack(stream[found.end() : found.end() + LONGEST_PACK].replace(b"\0\0\3", b"\0\0"), told)
            if told.claims:
                return
    raise Unread("it tells no date in its first pictures")


def _streams(content: bytes, prefix: int) -> list[bytes]:
    streams: dict[int, list[bytes]] = {}
    width = PREFIXES[prefix]
    for start in range(prefix, len(content) - PACKET + 1, width):
        if content[start] != MARK:
            break
        number = int.from_bytes(content[start + 1 : start + 3], "big") & 0x1FFF
        if number not in streams and len(streams) >= MAX_STREAMS:
            continue
        control = content[start + 3]
        begin = start + 4 + (1 + content[start + 4] if control & 0x20 else 0)
        if control & 0x10 and begin < start + PACKET:
            streams.setdefault(number, []).append(content[begin : start + PACKET])
    return [b"".join(parts) for parts in streams.values()]


def _read_pack(pack: bytes, told: Told) -> None:
    entries: dict[int, bytes] = {}
    for at in range(1, 1 + 5 * pack[0] if pack else 0, 5):
        if len(pack) >= at + 5:
            entries.setdefault(pack[at], pack[at + 1 : at + 5])
    if DATE in entries and TIME in entries:
        zone, *date = entries[DATE]
        century, year, month = date
        day, hour, minute, second = entries[TIME]
        text = f"{century:02x}{year:02x}:{month:02x}:{day:02x} {hour:02x}:{minute:02x}:{second:02x}"
        told.date("exif", text, _offset(zone))
    if MAKE in entries:
        told.camera(MAKES.get(int.from_bytes(entries[MAKE][:2], "big")), None)


def _offset(zone: int) -> str:
    """The offset of its clock; in summer an hour is added to that of the zone."""
    minutes = (zone >> 1 & 15) * 60 + 30 * (zone & 1)
    minutes = (-minutes if zone & 0x20 else minutes) + 60 * bool(zone & 0x40)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
