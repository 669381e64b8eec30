"""Boxes, of which MP4, QuickTime, HEIC, AVIF, CR3 and JPEG XL are built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from app.files.capture_time.told import Odd
from app.files.capture_time.window import Window

#: No part of what is read here has more.
MAX_BOXES = 2_000

#: A uuid box that holds XMP.
XMP_ID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


class Box(NamedTuple):
    """A box by its kind and by where its content begins and ends."""

    kind: bytes
    start: int
    end: int

    def content(self, window: Window) -> bytes:
        """All of it; raises Odd when it is longer than any metadata."""
        return window.at(self.start, self.end - self.start)


def boxes(window: Window, start: int, end: int) -> Iterator[Box]:
    """One box after the other, not what is in them; raises Odd when one ends behind the end."""
    for _ in range(MAX_BOXES):
        if end - start < 8:
            return
        head = window.upto(start, 16)
        size, content = int.from_bytes(head[:4], "big"), start + 8
        if size == 1:
            size, content = int.from_bytes(head[8:16], "big"), start + 16
        elif size == 0:
            size = end - start
        if start + size > end or content > start + size:
            raise Odd("a box is cut off")
        yield Box(head[4:8], content, start + size)
        start += size
    raise Odd("it has too many boxes")
