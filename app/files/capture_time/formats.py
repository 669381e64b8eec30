"""Which kind of file this is by its first bytes, and who reads it: a reader of ours first, then a library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from app.files.capture_time import exif, gif, heif, jpeg, matroska, movie, png, raw, riff, transport
from app.files.capture_time.tiff import BYTE_ORDERS
from app.files.capture_time.told import Told, Unread
from app.files.capture_time.window import Window

Library = Literal["", "pillow", "tiff", "heif", "media_info"]

HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1")
AVIF_BRANDS = (b"avif", b"avis")
MOVIE_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"uuid", b"styp")


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file. `read` tells what it can and raises Odd; `library` is asked when that told no date."""

    read: Callable[[Window, Told], None]
    library: Library = ""


def _says_nothing(_window: Window, _told: Told) -> None:
    """A kind of file that holds no dates."""


def _is_for_others(_window: Window, _told: Told) -> None:
    raise Unread("no reader of ours knows it")


PICTURE, FILM = Format(jpeg.read, "pillow"), Format(movie.read, "media_info")
HEIC, AVIF, RAW_FILM = Format(heif.read, "heif"), Format(heif.read, "pillow"), Format(movie.read)
TIFF, RAW_TIFF = Format(exif.read, "tiff"), Format(exif.read)
STREAM = Format(transport.read, "media_info")
OTHER_PICTURE, OTHER_FILM = Format(_is_for_others, "pillow"), Format(_is_for_others, "media_info")
WEBP, AVI = Format(riff.read_webp, "pillow"), Format(riff.read_avi, "media_info")

BY_START: tuple[tuple[bytes, Format], ...] = (
    (b"\xff\xd8", PICTURE),
    *((start, TIFF) for start in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    (b"IIU\0", Format(raw.read_rw2)),
    *((start, RAW_TIFF) for start in BYTE_ORDERS if start[2:] in (b"RO", b"RS", b"OR")),
    (b"FUJIFILMCCD-RAW", Format(raw.read_raf)),
    (b"FOVb", Format(raw.read_x3f)),
    (b"\0MRM", Format(raw.read_mrw)),
    (b"\x89PNG\r\n\x1a\n", Format(png.read, "pillow")),
    (b"GIF8", Format(gif.read)),
    # MediaInfo knows no more of its dates, and goes round in circles in some damaged ones.
    (b"\x1aE\xdf\xa3", Format(matroska.read)),
    (b"\0\0\0\x0cJXL ", Format(heif.read_jxl)),
    (b"\xff\x0a", Format(_says_nothing)),
    (b"BM", Format(_says_nothing)),
    (b"\0\0\0\x0cjP  ", OTHER_PICTURE),
    *((start, OTHER_FILM) for start in (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", b"\0\0\x01\xba", b"\0\0\x01\xb3")),
    *((start, OTHER_FILM) for start in (b"FLV", b"OggS", b"\x06\x0e\x2b\x34")),
    (b"II\x1a\0\0\0HEAPCCDR", Format(_is_for_others)),
)


def format_of(head: bytes) -> Format | None:
    """The kind of file that begins so, or None when no photo or video is known that does."""
    if head[4:8] in MOVIE_BOXES:
        return _by_brand(head[8:12]) if head[4:8] == b"ftyp" else FILM
    if head.startswith(b"RIFF"):
        return {b"WEBP": WEBP, b"AVI ": AVI, b"AVIX": AVI}.get(head[8:12])
    found = next((kind for start, kind in BY_START if head.startswith(start)), None)
    return STREAM if found is None and transport.prefix_of(head) is not None else found


def _by_brand(brand: bytes) -> Format:
    if brand in HEIC_BRANDS:
        return HEIC
    if brand in AVIF_BRANDS:
        return AVIF
    return RAW_FILM if brand == b"crx " else FILM
