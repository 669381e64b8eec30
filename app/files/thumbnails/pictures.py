"""Decoding a picture no larger than needed, the right way up, as a small WebP. Runs in the limited process alone."""

from __future__ import annotations

import io
import warnings
from typing import IO

from PIL import Image, ImageOps, UnidentifiedImageError

from app.files.thumbnails.shelf import SIDE

#: Decoded, this many pixels take a quarter of what the process may use. JPEG is decoded at an eighth of its size.
MOST_PIXELS = 64_000_000
QUALITY = 75
ORIENTATION = 0x0112
#: No other decoder of Pillow is asked.
FORMATS = ("JPEG", "MPO", "PNG", "GIF", "WEBP", "TIFF", "BMP", "DIB", "AVIF", "JPEG2000", "HEIF")
LONGEST_PROFILE = 4_096

Image.MAX_IMAGE_PIXELS = None
warnings.simplefilter("ignore")


class Undrawable(Exception):
    """There is no picture to be had; says why."""


def shrink(source: IO[bytes] | bytes, orientation: int = 0) -> bytes:
    """A WebP of at most SIDE pixels each way. `orientation` counts where the picture itself tells none.

    Raises Undrawable, or whatever Pillow raises on damaged files.
    """
    with open_picture(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
        image.draft("RGB", (2 * SIDE, 2 * SIDE))
        if image.width * image.height > MOST_PIXELS:
            raise Undrawable("it has too many pixels")
        told = image.getexif()
        if orientation and ORIENTATION not in told:
            told[ORIENTATION] = orientation
        turns = told.get(ORIENTATION, 1)
        profile = image.info.get("icc_profile") or b""
        small = _plain(image)
    small.thumbnail((SIDE, SIDE), Image.Resampling.BICUBIC, reducing_gap=2.0)
    small.getexif()[ORIENTATION] = turns
    small = ImageOps.exif_transpose(small)
    drawn = io.BytesIO()
    kept = profile if len(profile) <= LONGEST_PROFILE else b""
    small.save(drawn, "WEBP", quality=QUALITY, method=4, icc_profile=kept, exif=b"")
    return drawn.getvalue()


def open_picture(source: IO[bytes]) -> Image.Image:
    """The picture, not decoded yet. Raises Undrawable when no decoder here knows it."""
    head = source.read(12)
    source.seek(0)
    if head[4:8] == b"ftyp" and head[8:12] not in (b"avif", b"avis"):
        # Large, and slow to start: a library of plain photos never needs it.
        from pi_heif import register_heif_opener

        register_heif_opener()
    try:
        return Image.open(source, formats=[name for name in FORMATS if name in _known()])
    except (UnidentifiedImageError, SyntaxError) as error:
        raise Undrawable("no decoder here knows it") from error


def _known() -> set[str]:
    Image.preinit()
    Image.init()
    return set(Image.OPEN)


def _plain(image: Image.Image) -> Image.Image:
    """With three colours, or four where parts can be seen through."""
    if image.mode.startswith("I;16") or image.mode == "I":
        return image.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    has_alpha = image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info
    return image.convert("RGBA" if has_alpha else "RGB")
