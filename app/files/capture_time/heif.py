"""HEIC and AVIF: the items that hold EXIF data and XMP. JPEG XL: its boxes of the same content."""

from __future__ import annotations

from collections.abc import Container

from app.files.capture_time import embedded_xmp, exif
from app.files.capture_time.boxes import Box, boxes
from app.files.capture_time.told import Faults, Odd, Told, Unread
from app.files.capture_time.window import Window

XMP_TYPE = b"application/rdf+xml"
EXIF_START = b"Exif\0\0"
#: A large picture of many tiles has a few hundred.
MAX_ITEMS = 10_000
#: A picture has one of each that says something of it.
MAX_TELLING = 8
#: An item is in one piece, as a rule; one that needs no bytes to be told of could be in any number of them.
MAX_PIECES = 64
#: Where an item lies: in the file, or in the box idat.
IN_FILE, IN_DATA = 0, 1


class _Numbers:
    """Numbers of given widths, one after the other."""

    def __init__(self, content: bytes, at: int = 0) -> None:
        self.content, self.at = content, at

    def next(self, width: int) -> int:
        end = self.at + width
        if end > len(self.content):
            raise Odd("a list of items is cut off")
        value = int.from_bytes(self.content[self.at : end], "big")
        self.at = end
        return value


def read(window: Window, told: Told) -> None:
    """EXIF and XMP of a picture; raises Odd when its boxes or items are damaged."""
    has_items = False
    for box in boxes(window, 0, window.size):
        if box.kind == b"meta":
            has_items = True
            _read_items(window, box, told)
        elif box.kind == b"mpvd":
            told.motion_photo = True
    if not has_items:
        raise Odd("it has no list of items")


def read_jxl(window: Window, told: Told) -> None:
    """EXIF and XMP of a JPEG XL, unless they are packed; raises Odd when they are."""
    for box in boxes(window, 0, window.size):
        if box.kind == b"Exif":
            _read_exif(box.content(window), told)
        elif box.kind == b"xml ":
            embedded_xmp.read(box.content(window), told)
        elif box.kind == b"brob" and window.at(box.start, 4) in (b"Exif", b"xml "):
            raise Unread("its EXIF data is packed")


def _read_items(window: Window, meta: Box, told: Told) -> None:
    parts = {box.kind: box for box in boxes(window, meta.start + 4, meta.end)}
    if b"iinf" not in parts or b"iloc" not in parts:
        raise Odd("its list of items is not complete")
    kinds = _kinds(window, parts[b"iinf"])
    if not kinds:
        return
    faults = Faults()
    places = _places(parts[b"iloc"].content(window), kinds.keys())
    for item in sorted(kinds, key=lambda item: kinds[item] != "exif")[:MAX_TELLING]:
        data = _content(window, places.get(item), parts.get(b"idat"))
        faults.attempt(_read_exif if kinds[item] == "exif" else embedded_xmp.read, data, told)
    faults.raise_first()


def _read_exif(data: bytes, told: Told) -> None:
    start = 4 + int.from_bytes(data[:4], "big")
    exif.read(Window.of_bytes(data[start:].removeprefix(EXIF_START)), told)


def _kinds(window: Window, iinf: Box) -> dict[int, str]:
    """The items that say something of the picture."""
    content = iinf.content(window)
    start = 4 + (4 if content[:1] != b"\0" else 2)
    found = {}
    inner = Window.of_bytes(content)
    for box in boxes(inner, start, len(content)):
        version = content[box.start] if box.end - box.start > 12 else 0
        width = 4 if version == 3 else 2
        numbers = _Numbers(content, box.start + 4)
        item, _ = numbers.next(width), numbers.next(2)
        kind = content[numbers.at : numbers.at + 4]
        if kind == b"Exif":
            found[item] = "exif"
        elif kind == b"mime" and content[numbers.at + 4 : box.end].split(b"\0")[1:2] == [XMP_TYPE]:
            found[item] = "xmp"
    return found


Place = tuple[int, list[tuple[int, int]]]


def _places(content: bytes, wanted: Container[int]) -> dict[int, Place]:
    """Where the wanted items lie: how it is told, and their pieces."""
    numbers, found = _Numbers(content), {}
    version = numbers.next(4) >> 24
    widths = numbers.next(2)
    offset_width, length_width, origin_width = widths >> 12, widths >> 8 & 15, widths >> 4 & 15
    index_width = widths & 15 if version else 0
    count = numbers.next(4 if version == 2 else 2)
    for _ in range(min(count, MAX_ITEMS)):
        item = numbers.next(4 if version == 2 else 2)
        method = numbers.next(2) & 15 if version else IN_FILE
        numbers.next(2)
        origin = numbers.next(origin_width)
        pieces = _pieces(numbers, origin, (index_width, offset_width, length_width))
        if item in wanted:
            found[item] = (method, pieces)
    return found


def _pieces(numbers: _Numbers, origin: int, widths: tuple[int, int, int]) -> list[tuple[int, int]]:
    count, (index_width, offset_width, length_width) = numbers.next(2), widths
    if count > MAX_PIECES:
        raise Odd("an item is in too many pieces")
    pieces = []
    for _ in range(count):
        numbers.next(index_width)
        offset = origin + numbers.next(offset_width)
        pieces.append((offset, numbers.next(length_width)))
    return pieces


def _content(window: Window, place: Place | None, data: Box | None) -> bytes:
    if place is None or place[0] not in (IN_FILE, IN_DATA) or (place[0] == IN_DATA and data is None):
        raise Odd("an item lies elsewhere")
    origin = data.start if place[0] == IN_DATA and data is not None else 0
    return b"".join(window.at(origin + offset, length) for offset, length in place[1])
