"""Parts of a file, or of bytes in it, read where they are wanted; never past the end, never more than asked for."""

from __future__ import annotations

import os

from app.files.capture_time.told import Odd

#: Read at once: what most photos say of themselves lies in it.
HEAD_BYTES = 16 << 10
#: No metadata of a photo or a film is longer in one piece.
MAX_PART_BYTES = 8 << 20


class Window:
    """`size` bytes that begin somewhere in a file; `at` reads from them. Raises Odd where there is nothing to read."""

    __slots__ = ("_descriptor", "_start", "head", "size")

    def __init__(self, head: bytes, size: int, descriptor: int = -1, start: int = 0) -> None:
        self.head, self.size = head, size
        self._descriptor, self._start = descriptor, start

    @classmethod
    def of_file(cls, descriptor: int, size: int) -> Window:
        """A whole file."""
        return cls(os.pread(descriptor, HEAD_BYTES, 0), size, descriptor)

    @classmethod
    def of_bytes(cls, content: bytes) -> Window:
        """Bytes that were read already."""
        return cls(content, len(content))

    def at(self, offset: int, length: int) -> bytes:
        """Exactly these bytes."""
        end = offset + length
        if 0 <= offset <= end <= len(self.head):
            return self.head[offset:end]
        if not 0 <= offset <= end <= self.size or length > MAX_PART_BYTES:
            raise Odd("it points outside itself")
        part = os.pread(self._descriptor, length, self._start + offset)
        if len(part) != length:
            raise Odd("it is shorter than it was")
        return part

    def upto(self, offset: int, length: int) -> bytes:
        """These bytes, or those of them that there are."""
        return self.at(offset, max(0, min(length, self.size - offset)))

    def part(self, offset: int, length: int) -> Window:
        """A window of its own on these bytes."""
        head = self.at(offset, min(length, HEAD_BYTES))
        if offset + length > self.size:
            raise Odd("it points outside itself")
        return Window(head, length, self._descriptor, self._start + offset)
