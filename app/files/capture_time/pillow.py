"""Dates in photos, through Pillow; it raises all kinds of errors on damaged files. Imported when a file needs it."""

from __future__ import annotations

import warnings
from typing import IO

from PIL import ExifTags, Image

from app.files.capture_time.exif import Claims, claims

# Nothing is decoded, so the size of a picture is no danger here; memory is limited by the kernel.
Image.MAX_IMAGE_PIXELS = None
warnings.simplefilter("ignore")


def read_segment(segment: bytes) -> Claims:
    """The dates in the EXIF segment of a JPEG, or in no segment at all."""
    exif = Image.Exif()
    exif.load(segment)
    return _claims(exif)


def read_tiff(file: IO[bytes]) -> Claims:
    """The dates in a TIFF, or in a raw file built like one."""
    exif = Image.Exif()
    exif.load_from_fp(file)
    return _claims(exif)


def read_picture(file: IO[bytes], is_heif: bool) -> Claims:
    """The dates in a picture of any other kind."""
    if is_heif:
        _register_heif()
    with Image.open(file) as image:
        return _claims(image.getexif())


def _register_heif() -> None:
    from pi_heif import register_heif_opener

    register_heif_opener()


def _claims(exif: Image.Exif) -> Claims:
    return claims({**exif, **exif.get_ifd(ExifTags.IFD.Exif)})
