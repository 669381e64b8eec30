"""Dates in EXIF data: which fields hold them, and a quick reader for data that is as the standard says.

Most photos are so. Nothing is guessed here about the others: Pillow reads them (app/files/capture_time/pillow.py).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping

Claims = list[tuple[str, str, str]]

#: Source, then the tags of its date, of the fraction of its second and of its offset.
FIELDS = (("exif", 0x9003, 0x9291, 0x9011), ("exif_digitized", 0x9004, 0x9292, 0x9012))

_DATE, _FRACTION, _OFFSET = (
    re.compile(pattern + r"[ \0]*") for pattern in (r"\d{4}(:\d\d){2} \d\d(:\d\d){2}", r"\d*", r"([+-]\d\d:\d\d)?")
)
#: What the text of each of these tags looks like.
STANDARD = {tag: pattern for _, *tags in FIELDS for tag, pattern in zip(tags, (_DATE, _FRACTION, _OFFSET), strict=True)}

DETAILS = 0x8769
ASCII, LONG = 2, 4
#: Texts of up to four bytes lie in the entry itself.
SHORT_BYTES = 4
BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
#: Far more than any camera writes.
MAX_ENTRIES = 500


def read(tiff: bytes) -> Claims | None:
    """The dates in the TIFF data of an EXIF segment; None when it has none or is not what the standard says."""
    order = BYTE_ORDERS.get(tiff[:4])
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        first, pointer = _folder(tiff, order, start)
        second, _ = _folder(tiff, order, pointer) if pointer else ({}, 0)
    except (struct.error, ValueError):
        return None
    return claims({**first, **second}) or None


def claims(details: Mapping[int, object]) -> Claims:
    """The dates among these values by tag: (source, date with its fraction, zone)."""
    found = []
    for source, date, fraction, offset in FIELDS:
        text = _text(details.get(date))
        if text:
            digits = _text(details.get(fraction))
            zone = _text(details.get(offset)) or "local"
            found.append((source, f"{text}.{digits}" if digits.isdigit() else text, zone))
    return found


def _folder(tiff: bytes, order: str, start: int) -> tuple[dict[int, object], int]:
    """The wanted texts of one directory, and where the directory of details begins (0: none).

    Raises ValueError or struct.error when anything is odd.
    """
    (count,) = struct.unpack_from(order + "H", tiff, start)
    end = start + 2 + 12 * count
    if count > MAX_ENTRIES or end > len(tiff):
        raise ValueError("the directory is cut off")
    found: dict[int, object] = {}
    pointer = 0
    for tag, kind, length, value in struct.iter_unpack(order + "HHII", tiff[start + 2 : end]):
        if tag == DETAILS:
            if (kind, length) != (LONG, 1):
                raise ValueError("the pointer is of another kind")
            pointer = value
        elif tag in STANDARD:
            found[tag] = _text_of(tag, tiff, order, kind, length, value)
    return found, pointer


def _text_of(tag: int, tiff: bytes, order: str, kind: int, length: int, value: int) -> str:
    if kind != ASCII:
        raise ValueError("the text is of another kind")
    raw = struct.pack(order + "I", value)[:length] if length <= SHORT_BYTES else tiff[value : value + length]
    if len(raw) != length:
        raise ValueError("the text is cut off")
    text = raw.decode("ascii")
    if not STANDARD[tag].fullmatch(text):
        raise ValueError("the text is not what the standard says")
    return text


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return str(value).replace("\0", "").strip() if value is not None else ""
