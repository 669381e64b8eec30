"""Small media files of many kinds, made here, with the dates that a test asks for."""

from __future__ import annotations

import io
import struct
from datetime import UTC, datetime

import pillow_heif
from PIL import Image

EPOCH_OF_MOVIES = datetime(1904, 1, 1, tzinfo=UTC)


def exif_bytes(taken: str | None = None, digitized: str | None = None, offset: str = "", fraction: str = "") -> bytes:
    exif = Image.Exif()
    details = exif.get_ifd(0x8769)
    for tag, value in ((0x9003, taken), (0x9004, digitized), (0x9011, offset), (0x9291, fraction)):
        if value:
            details[tag] = value
    exif[0x010F] = "Maker"
    return exif.tobytes()


def picture(kind: str, exif: bytes = b"") -> bytes:
    """A picture of a kind that Pillow writes: JPEG, PNG, WEBP, TIFF, AVIF; or HEIF."""
    image, buffer = Image.new("RGB", (32, 32), (200, 100, 50)), io.BytesIO()
    if kind == "HEIF":
        pillow_heif.from_pillow(image).save(buffer, exif=exif or None, quality=50)
    else:
        image.save(buffer, kind, **({"exif": exif} if exif else {}))
    return buffer.getvalue()


def box(name: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", len(body) + 8) + name + body


def movie(created: datetime | None = None, creation_date: str = "", brand: bytes = b"qt  ") -> bytes:
    """A QuickTime movie without pictures: a header with its time in UTC, and Apple's creation date with its zone."""
    seconds = int((created - EPOCH_OF_MOVIES).total_seconds()) if created is not None else 0
    header = struct.pack(">IIIII", 0, seconds, seconds, 600, 600) + struct.pack(">IH10x", 0x10000, 0x100)
    header += struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000) + bytes(24) + struct.pack(">I", 2)
    keys = b""
    if creation_date:
        name = b"com.apple.quicktime.creationdate"
        value = box(b"data", struct.pack(">II", 1, 0), creation_date.encode())
        handler = box(b"hdlr", bytes(8), b"mdta", bytes(12), b"\0")
        table = box(b"keys", struct.pack(">II", 0, 1), struct.pack(">I", len(name) + 8), b"mdta", name)
        keys = box(
            b"meta", handler, table, box(b"ilst", struct.pack(">I", len(value) + 8) + struct.pack(">I", 1) + value)
        )
    moov = box(b"moov", box(b"mvhd", header), keys)
    return box(b"ftyp", brand, struct.pack(">I", 0), brand) + moov + box(b"mdat", bytes(64))
