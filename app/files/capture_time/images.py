"""Dates in photos, through Pillow: EXIF in JPEG, TIFF and raw files built like it, PNG, WebP, AVIF and HEIC."""

from __future__ import annotations

import warnings
from typing import IO, Any

from PIL import ExifTags, Image

Claims = list[tuple[str, str, str]]

JPEG = b"\xff\xd8"
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
OTHER = (b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"\0\0\0\x0cjP  ", b"\xff\x0a")
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis")

#: Far more than any camera writes before its picture data.
MAX_SEGMENTS = 200

Base = ExifTags.Base
FIELDS = (
    ("exif", Base.DateTimeOriginal, Base.SubsecTimeOriginal, Base.OffsetTimeOriginal),
    ("exif_digitized", Base.DateTimeDigitized, Base.SubsecTimeDigitized, Base.OffsetTimeDigitized),
)

# Nothing is decoded, so the size of a picture is no danger here; memory is limited by the kernel.
Image.MAX_IMAGE_PIXELS = None
warnings.simplefilter("ignore")


def is_image(head: bytes) -> bool:
    """Whether the first bytes are those of a kind that this module reads."""
    is_webp = head.startswith(b"RIFF") and head[8:12] == b"WEBP"
    return head.startswith((JPEG, *TIFF, *OTHER)) or is_webp or _is_heif(head)


def read(file: IO[bytes], head: bytes) -> Claims:
    """The dates in a photo's EXIF data; raises what Pillow raises on damaged files."""
    if head.startswith(JPEG):
        exif = _jpeg_exif(file)
    elif head.startswith(TIFF):
        exif = Image.Exif()
        exif.load_from_fp(file)
    else:
        exif = _other_exif(file, head)
    return _claims(exif)


def _is_heif(head: bytes) -> bool:
    return head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS


def _jpeg_exif(file: IO[bytes]) -> Image.Exif:
    """Only the segment with the EXIF data is read: ten times faster than opening the picture."""
    exif = Image.Exif()
    offset = 2
    for _ in range(MAX_SEGMENTS):
        file.seek(offset)
        start = file.read(10)
        if len(start) < 4 or start[0] != 0xFF or start[1] in (0xD9, 0xDA):
            break
        length = int.from_bytes(start[2:4], "big")
        if start[1] == 0xE1 and start[4:10] == b"Exif\0\0":
            file.seek(offset + 4)
            exif.load(file.read(length - 2))
            break
        offset += 2 + length
    return exif


def _other_exif(file: IO[bytes], head: bytes) -> Image.Exif:
    if _is_heif(head) and head[8:11] != b"avi":
        _register_heif()
    with Image.open(file) as image:
        return image.getexif()


def _register_heif() -> None:
    from pi_heif import register_heif_opener

    register_heif_opener()


def _claims(exif: Image.Exif) -> Claims:
    details: dict[int, Any] = {**exif, **exif.get_ifd(ExifTags.IFD.Exif)}
    claims = []
    for source, date, fraction, offset in FIELDS:
        text = _text(details.get(date))
        if text:
            digits = _text(details.get(fraction))
            zone = _text(details.get(offset)) or "local"
            claims.append((source, f"{text}.{digits}" if digits.isdigit() else text, zone))
    return claims


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return str(value).replace("\0", "").strip() if value is not None else ""
