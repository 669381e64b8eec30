"""PNG: the eXIf chunk, XMP, and what programs write as text."""

from __future__ import annotations

import re
import zlib
from email.utils import parsedate_tz

from app.files.capture_time import embedded_xmp, exif
from app.files.capture_time.told import Faults, Odd, Told
from app.files.capture_time.window import Window

START = 8
#: A picture of 100 megapixels has a few thousand.
MAX_CHUNKS = 20_000
MAX_TEXT_BYTES = 4 << 20
#: Of those that may hold dates; a small file could unpack thousands of large ones.
MAX_TEXTS = 8
TEXTS = (b"tEXt", b"zTXt", b"iTXt")
XMP = b"XML:com.adobe.xmp"
#: ImageMagick's way of keeping EXIF data: hexadecimal text.
RAW_EXIF = (b"Raw profile type exif", b"Raw profile type APP1")
CREATED, HEX = b"Creation Time", re.compile(rb"[0-9a-fA-F\s]+\Z")
MAIL, LONGEST_DATE = re.compile(r"\s*([A-Z][a-z]{2},\s*)?\d{1,2} [A-Z][a-z]{2} \d{4} "), 60
TELLING = (XMP, CREATED, *RAW_EXIF)
EXIF_START = b"Exif\0\0"


def read(window: Window, told: Told) -> None:
    """EXIF, XMP and texts of a picture; raises Odd when its chunks are damaged."""
    offset, texts, faults = START, 0, Faults()
    for _ in range(MAX_CHUNKS):
        start = window.at(offset, 8)
        length, name = int.from_bytes(start[:4], "big"), start[4:]
        if name == b"IEND":
            faults.raise_first()
            return
        if name == b"eXIf":
            faults.attempt(_read_exif, window.at(offset + 8, length), told)
        elif name in TEXTS and texts < MAX_TEXTS:
            content = window.at(offset + 8, length)
            texts += content.startswith(TELLING)
            faults.attempt(_read_text, name, content, told)
        elif name == b"tIME" and length == 7:
            _read_time(window.at(offset + 8, length), told)
        offset += 12 + length
    raise Odd("it has too many chunks")


def _read_exif(data: bytes, told: Told) -> None:
    exif.read(Window.of_bytes(data.removeprefix(EXIF_START)), told)


def _read_text(kind: bytes, data: bytes, told: Told) -> None:
    keyword, _, text = data.partition(b"\0")
    if keyword not in TELLING:
        return
    if kind == b"iTXt":
        is_packed, text = text[:1] == b"\1", text[2:].partition(b"\0")[2].partition(b"\0")[2]
        text = _unpacked(text) if is_packed else text
    elif kind == b"zTXt":
        text = _unpacked(text[1:])
    if keyword == XMP:
        embedded_xmp.read(text, told)
    elif keyword == CREATED:
        told.zoned_date("exif_digitized", _standard(text.decode("utf-8", "replace")))
    else:
        _read_profile(text, told)


def _standard(text: str) -> str:
    """A date as EXIF has it; the standard of PNG wants it as in mail: Sat, 1 Jul 2023 12:00:00 +0200."""
    mail = parsedate_tz(text.strip()[:LONGEST_DATE]) if MAIL.match(text) else None
    if mail is None:
        return text
    minutes = abs(mail[9]) // 60 if mail[9] is not None else 0
    zone = f"{'-' if (mail[9] or 0) < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}" if mail[9] is not None else ""
    return f"{mail[0]:04d}:{mail[1]:02d}:{mail[2]:02d} {mail[3]:02d}:{mail[4]:02d}:{mail[5]:02d}{zone}"


def _read_profile(text: bytes, told: Told) -> None:
    digits = text.strip(b"\n").split(b"\n", 2)[-1]
    if not HEX.match(digits):
        raise Odd("its EXIF profile is damaged")
    pairs = b"".join(digits.split())
    _read_exif(bytes.fromhex(pairs[: len(pairs) // 2 * 2].decode()), told)


def _read_time(data: bytes, told: Told) -> None:
    year, (month, day, hour, minute, second) = int.from_bytes(data[:2], "big"), data[2:]
    told.date("exif_modified", f"{year:04d}:{month:02d}:{day:02d} {hour:02d}:{minute:02d}:{second:02d}", "utc")


def _unpacked(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, MAX_TEXT_BYTES)
    except zlib.error as error:
        raise Odd("its text is damaged") from error
