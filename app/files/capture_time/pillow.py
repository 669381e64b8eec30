"""Dates in photos, through Pillow; it raises all kinds of errors on damaged files. Imported when a file needs it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import IO

from PIL import ExifTags, Image

from app.files.capture_time.exif import DATES, MAKE, MODEL
from app.files.capture_time.told import Told

# Nothing is decoded, so the size of a picture is no danger here; memory is limited by the kernel.
Image.MAX_IMAGE_PIXELS = None
warnings.simplefilter("ignore")


def read_tiff(file: IO[bytes], told: Told) -> None:
    """What a TIFF says, or a raw file built like one."""
    exif = Image.Exif()
    exif.load_from_fp(file)
    _tell(exif, told)


def read_picture(file: IO[bytes], told: Told, is_heif: bool = False) -> None:
    """What a picture of any other kind says."""
    if is_heif:
        from pi_heif import register_heif_opener

        register_heif_opener()
    with Image.open(file) as image:
        _tell(image.getexif(), told)


def _tell(exif: Image.Exif, told: Told) -> None:
    details: Mapping[int, object] = {**exif, **exif.get_ifd(ExifTags.IFD.Exif)}
    for source, date, fraction, offset in DATES:
        if text := _text(details.get(date)):
            digits = _text(details.get(fraction))
            told.date(source, f"{text}.{digits}" if digits.isdecimal() else text, _text(details.get(offset)) or "local")
    told.camera(_text(details.get(MAKE)), _text(details.get(MODEL)))


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return str(value).replace("\0", "").strip() if value is not None else ""
