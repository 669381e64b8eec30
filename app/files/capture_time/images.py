"""Dates in photos: EXIF in JPEG, TIFF and raw files built like it, PNG, WebP, AVIF and HEIC."""

from __future__ import annotations

from typing import IO

from app.files.capture_time import exif
from app.files.capture_time.exif import Claims

JPEG = b"\xff\xd8"
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
OTHER = (b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"\0\0\0\x0cjP  ", b"\xff\x0a")
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis")
EXIF_START = b"Exif\0\0"

#: Far more than any camera writes before its picture data.
MAX_SEGMENTS = 200


def is_image(head: bytes) -> bool:
    """Whether the first bytes are those of a kind that this module reads."""
    is_webp = head.startswith(b"RIFF") and head[8:12] == b"WEBP"
    return head.startswith((JPEG, *TIFF, *OTHER)) or is_webp or _is_heif(head)


def read(file: IO[bytes], head: bytes) -> Claims:
    """The dates in a photo's EXIF data; raises what Pillow raises on damaged files."""
    segment = b""
    if head.startswith(JPEG):
        segment = _exif_segment(file)
        if not segment:
            return []
        found = exif.read(segment[len(EXIF_START) :])
        if found is not None:
            return found
    # Pillow is large and slow to start; a library of plain JPEGs never needs it.
    from app.files.capture_time import pillow

    if segment:
        return pillow.read_segment(segment)
    if head.startswith(TIFF):
        return pillow.read_tiff(file)
    return pillow.read_picture(file, is_heif=_is_heif(head) and head[8:11] != b"avi")


def _is_heif(head: bytes) -> bool:
    return head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS


def _exif_segment(file: IO[bytes]) -> bytes:
    """Only the segment with the EXIF data is read, or nothing; ten times faster than opening the picture."""
    offset = 2
    for _ in range(MAX_SEGMENTS):
        file.seek(offset)
        start = file.read(10)
        if len(start) < 4 or start[0] != 0xFF or start[1] in (0xD9, 0xDA):
            break
        length = int.from_bytes(start[2:4], "big")
        if start[1] == 0xE1 and start[4:10] == EXIF_START:
            file.seek(offset + 4)
            return file.read(length - 2)
        offset += 2 + length
    return b""
