"""The preview that a camera put into its raw file: a JPEG, found by how it begins. Nothing raw is developed."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator

from PIL import Image

from app.files.kinds import RAW_SUFFIXES, suffix
from app.files.thumbnails.pictures import ORIENTATION, Undrawable
from app.files.thumbnails.shelf import SIDE

BEGINNING = b"\xff\xd8\xff"
PART_BYTES = 1 << 20
#: Cameras put previews before the raw data, or right behind them.
LOOKED_AT_BYTES = 128 << 20
LONGEST_BYTES = 24 << 20
MOST_CANDIDATES = 40


def is_raw(name: bytes) -> bool:
    """Whether a file of this name is a raw one."""
    return suffix(name) in RAW_SUFFIXES


def preview(descriptor: int) -> tuple[bytes, int]:
    """A preview that is large enough, or the largest one there is; and how the raw file says it is to be turned (0: it
    does not say). Raises Undrawable when there is none."""
    best: tuple[int, int] | None = None
    for _, offset in zip(range(MOST_CANDIDATES), _beginnings(descriptor), strict=False):
        side = _side_of(descriptor, offset)
        if side and (best is None or side > best[0]):
            best = (side, offset)
        if best is not None and best[0] >= SIDE:
            break
    if best is None:
        raise Undrawable("no preview was found in it")
    return os.pread(descriptor, LONGEST_BYTES, best[1]), _orientation_of(descriptor)


def _beginnings(descriptor: int) -> Iterator[int]:
    """Where a JPEG may begin."""
    for start in range(0, LOOKED_AT_BYTES, PART_BYTES):
        part = os.pread(descriptor, PART_BYTES + len(BEGINNING) - 1, start)
        found = part.find(BEGINNING)
        while found != -1:
            yield start + found
            found = part.find(BEGINNING, found + 1)
        if len(part) < PART_BYTES:
            return


def _side_of(descriptor: int, offset: int) -> int:
    """The shorter side of the picture that begins there; 0 when none does. Raw data in JPEG are none."""
    head = os.pread(descriptor, 256 << 10, offset)
    try:
        with Image.open(io.BytesIO(head), formats=["JPEG"]) as image:
            return min(image.size) if image.mode in ("RGB", "L") else 0
    except (OSError, SyntaxError, ValueError):
        return 0


def _orientation_of(descriptor: int) -> int:
    exif = Image.Exif()
    try:
        with os.fdopen(os.dup(descriptor), "rb") as file:
            file.seek(0)
            exif.load_from_fp(file)
            found = exif.get(ORIENTATION, 0)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError):
        return 0
    return found if isinstance(found, int) and 1 <= found <= 8 else 0
