"""Directories of TIFF: the shape of EXIF data, of TIFF pictures and of most raw files."""

from __future__ import annotations

import struct

from app.files.capture_time.told import Odd
from app.files.capture_time.window import Window

#: TIFF, BigTIFF, and the first bytes of Panasonic, Leica and Olympus raw files, which are TIFF behind them.
BYTE_ORDERS = {
    b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">",
    b"IIU\0": "<", b"IIRO": "<", b"IIRS": "<", b"MMOR": ">",
}  # fmt: skip
BIG = (b"II+\0", b"MM\0+")

#: Bytes of a value of each kind.
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8, 129: 1}
NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
TEXTS = (1, 2, 7, 129)
RATIONAL = 5

#: Far more than any camera writes.
MAX_ENTRIES = 1000
LONGEST_TEXT = 1000


class Tiff:
    """TIFF data in a window, with the byte order of its numbers and the place of its first directory."""

    __slots__ = ("first", "is_big", "order", "window")

    def __init__(self, window: Window, order: str = "", first: int = 0) -> None:
        self.window, self.order, self.first, self.is_big = window, order, first, False
        if not order:
            self._read_header()

    def _read_header(self) -> None:
        start = self.window.upto(0, 16)
        if start[:4] not in BYTE_ORDERS or len(start) < 8:
            raise Odd("it does not begin as TIFF data does")
        self.order, self.is_big = BYTE_ORDERS[start[:4]], start[:4] in BIG
        self.first = self._number("Q", start[8:16]) if self.is_big else self._number("I", start[4:8])

    def directory(self, start: int, wanted: frozenset[int]) -> dict[int, Entry]:
        """The wanted entries of the directory that begins there."""
        shape, width = (self.order + "HHQ8s", 20) if self.is_big else (self.order + "HHI4s", 12)
        counter = 8 if self.is_big else 2
        count = self._number("Q" if self.is_big else "H", self.window.at(start, counter))
        if count > MAX_ENTRIES:
            raise Odd("a directory is longer than any camera's")
        rows = self.window.at(start + counter, width * count)
        return {
            tag: Entry(self, kind, length, value)
            for tag, kind, length, value in struct.iter_unpack(shape, rows)
            if tag in wanted and kind in SIZES
        }

    def _number(self, letter: str, raw: bytes) -> int:
        if len(raw) != struct.calcsize("=" + letter):
            raise Odd("a number is cut off")
        number: int = struct.unpack(self.order + letter, raw)[0]
        return number


class Entry:
    """One value of a directory; it is read when it is asked for. Raises Odd when it lies outside the file."""

    __slots__ = ("_tiff", "_value", "count", "kind")

    def __init__(self, tiff: Tiff, kind: int, count: int, value: bytes) -> None:
        self._tiff, self.kind, self.count, self._value = tiff, kind, count, value

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return SIZES[self.kind] * self.count

    def raw(self, limit: int = LONGEST_TEXT) -> bytes:
        """Its bytes, or the first of them."""
        if self.size <= len(self._value):
            return self._value[: self.size]
        return self._tiff.window.at(self.offset, min(self.size, limit))

    @property
    def offset(self) -> int:
        """Where a value lies that does not fit into its entry."""
        number: int = struct.unpack(self._tiff.order + ("Q" if self._tiff.is_big else "I"), self._value)[0]
        return number

    def text(self) -> str:
        """A text without its NULs, or nothing when it is of another kind."""
        return self.raw().decode("utf-8", "replace").replace("\0", "").strip() if self.kind in TEXTS else ""

    def number(self) -> int:
        """A whole number, such as the place of another directory; 0 when it is of another kind."""
        letter = NUMBERS.get(self.kind)
        if letter is None or self.count != 1:
            return 0
        number: int = struct.unpack_from(self._tiff.order + letter, self._value)[0]
        return number

    def rationals(self) -> list[float]:
        """Fractions; nothing when one divides by zero or they are of another kind."""
        if self.kind != RATIONAL:
            return []
        raw = self.raw()
        pairs = list(struct.iter_unpack(self._tiff.order + "II", raw[: len(raw) // 8 * 8]))
        return [above / below for above, below in pairs] if all(below for _, below in pairs) else []
