"""MP4, MOV, M4V, 3GP and Canon's CR3: the dates, the camera and the identifier in the box moov."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from app.files.capture_time import embedded_xmp, exif
from app.files.capture_time.boxes import XMP_ID, Box, boxes
from app.files.capture_time.told import Odd, Told, Unread
from app.files.capture_time.window import Window

#: Films of phones have two to six.
MAX_TRACKS = 32
EPOCH = datetime(1904, 1, 1)  # noqa: DTZ001 - the text that is made of it says that it is UTC
#: Some programs count from 1970. What would be before that year, counted from 1904, is meant so.
FROM_1904_TO_1970 = 2_082_844_800

#: Canon's uuid box and, in it, TIFF data with the first directory, the details and the satellites.
CANON_ID = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
CANON_PARTS: dict[bytes, Callable[[Window, Told], None]] = {
    b"CMT1": exif.read, b"CMT2": exif.read_details, b"CMT4": exif.read_gps,
}  # fmt: skip

APPLE = b"com.apple.quicktime."
CREATED, IDENTIFIER = APPLE + b"creationdate", APPLE + b"content.identifier"
MAKES, MODELS = (APPLE + b"make", b"\xa9mak", b"manu"), (APPLE + b"model", b"\xa9mod", b"modl")
DAYS = (b"\xa9day", b"date")
LONGEST_TEXT = 500
MAX_KEYS = 500

#: Sony writes this as XML into a meta box.
SONY_DATE = re.compile(rb'<CreationDate\s+value="([^"]{1,40})"')
SONY_CAMERA = re.compile(rb'<Device\s+manufacturer="([^"]{1,64})"\s+modelName="([^"]{1,64})"')


def read(window: Window, told: Told) -> None:
    """What a film says; raises Odd when its boxes are damaged, after telling what came before."""
    is_raw = window.upto(0, 12)[8:] == b"crx "
    has_header = False
    for box in boxes(window, 0, window.size):
        if box.kind == b"moov":
            has_header = True
            _read_header(window, box, told, is_raw)
            if told.claims:
                return
        elif box.kind == b"meta":
            _read_meta(window, box, told)
        elif box.kind == b"uuid":
            _read_uuid(window, box, told)
    if not has_header:
        raise Odd("it has no header")


def _read_header(window: Window, moov: Box, told: Told, is_raw: bool) -> None:
    created: int | None = None
    tracks: list[Box] = []
    for box in boxes(window, moov.start, moov.end):
        if box.kind == b"mvhd":
            created = _seconds(window, box)
        elif box.kind == b"meta":
            _read_meta(window, box, told)
        elif box.kind == b"udta":
            _read_user_data(window, box, told)
        elif box.kind == b"uuid":
            _read_uuid(window, box, told)
        elif box.kind == b"trak" and len(tracks) < MAX_TRACKS:
            tracks.append(box)
        elif box.kind == b"cmov":
            raise Unread("its header is packed")
    if is_raw or created is None:
        return
    if not created:
        created = next((seconds for track in tracks if (seconds := _track_seconds(window, track))), 0)
    told.date("mvhd", instant(created), "utc")


def instant(seconds: int) -> str:
    """A time of QuickTime's as EXIF would write it; 0 is none at all."""
    if seconds == 0:
        return "0000:00:00 00:00:00"
    try:
        at = EPOCH + timedelta(seconds=seconds + FROM_1904_TO_1970 * (seconds < FROM_1904_TO_1970))
        return f"{at:%Y:%m:%d %H:%M:%S}"
    except OverflowError:
        return f"{seconds} s after 1904"


def _seconds(window: Window, box: Box) -> int:
    content = window.at(box.start, min(12, box.end - box.start))
    return int.from_bytes(content[4:12] if content[:1] == b"\1" else content[4:8], "big")


def _track_seconds(window: Window, track: Box) -> int:
    return next((_seconds(window, box) for box in boxes(window, track.start, track.end) if box.kind == b"tkhd"), 0)


def _read_uuid(window: Window, box: Box, told: Told) -> None:
    if box.end - box.start < 16:
        return
    identifier = window.at(box.start, 16)
    if identifier == XMP_ID:
        embedded_xmp.read(window.at(box.start + 16, box.end - box.start - 16), told)
    elif identifier == CANON_ID:
        for part in boxes(window, box.start + 16, box.end):
            if part.kind in CANON_PARTS:
                CANON_PARTS[part.kind](window.part(part.start, part.end - part.start), told)


def _read_meta(window: Window, meta: Box, told: Told) -> None:
    """QuickTime's meta is a plain box, that of the ISO begins with its version."""
    start = meta.start if window.upto(meta.start + 4, 4) == b"hdlr" else meta.start + 4
    names: list[bytes] = []
    for box in boxes(window, start, meta.end):
        if box.kind == b"keys":
            names = _names(box.content(window))
        elif box.kind == b"ilst":
            _read_list(window, box, names, told)
        elif box.kind == b"xml ":
            _read_sony(box.content(window), told)


def _names(content: bytes) -> list[bytes]:
    """The names of the values, numbered from one."""
    names: list[bytes] = []
    at = 8
    while at + 8 <= len(content) and len(names) < MAX_KEYS:
        length = int.from_bytes(content[at : at + 4], "big")
        if length < 8:
            raise Odd("a name is cut off")
        names.append(content[at + 8 : at + length])
        at += length
    return names


def _read_list(window: Window, ilst: Box, names: list[bytes], told: Told) -> None:
    for item in boxes(window, ilst.start, ilst.end):
        number = int.from_bytes(item.kind, "big")
        name = names[number - 1] if 0 < number <= len(names) else item.kind
        if name.startswith((APPLE, b"\xa9")):
            value = next((box for box in boxes(window, item.start, item.end) if box.kind == b"data"), None)
            if value is not None and value.end - value.start > 8:
                _tell(name, window.at(value.start + 8, min(LONGEST_TEXT, value.end - value.start - 8)), told)


def _read_user_data(window: Window, udta: Box, told: Told) -> None:
    for box in boxes(window, udta.start, udta.end):
        if box.kind == b"meta":
            _read_meta(window, box, told)
        elif box.kind == b"XMP_":
            embedded_xmp.read(box.content(window), told)
        elif box.kind in (*MAKES, *MODELS, *DAYS):
            content = window.at(box.start, min(LONGEST_TEXT, box.end - box.start))
            # International text: its length, its language, itself.
            length = int.from_bytes(content[:2], "big") if box.kind.startswith(b"\xa9") else 0
            _tell(box.kind, content[4 : 4 + length] if 0 < length <= len(content) - 4 else content, told)


def _tell(name: bytes, value: bytes, told: Told) -> None:
    text = value.decode("utf-8", "replace").replace("\0", "").strip()
    if name == CREATED or name in DAYS:
        told.zoned_date("quicktime", text)
    elif name == IDENTIFIER:
        told.content_identifier = told.content_identifier or text or None
    else:
        told.camera(text if name in MAKES else None, text if name in MODELS else None)


def _read_sony(content: bytes, told: Told) -> None:
    if date := SONY_DATE.search(content):
        told.zoned_date("quicktime", date[1].decode("utf-8", "replace"))
    if camera := SONY_CAMERA.search(content):
        told.camera(*(part.decode("utf-8", "replace") for part in camera.groups()))
