"""The files of a process's log: `<log_dir>/<process>.log`, rotated to `.1`, `.2` and so on; one JSON object a line.

A place in a log stays true when its files are rotated and when the process starts anew, so whoever followed it can go
on after a break where it was.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import IO

#: A longer line is no record of ours.
MAX_LINE_BYTES = 1_000_000
BLOCK_BYTES = 65_536
#: So much of a file's first line tells it from the others: it begins with the moment at which it was written.
MARK_BYTES = 4_096
#: So much of one log is read at a time.
READ_BYTES = 1_000_000
#: Whoever has not read for so long is shown the end only.
MOST_BEHIND_BYTES = 2_000_000
#: While files are being rotated, one name in their row has no file.
GAPS = 2


@dataclass(frozen=True)
class Place:
    """Behind a line of a log: the file, known by a mark of its first line, and the bytes before the place in it.

    An empty mark stands for the time before anything was written.
    """

    mark: str = ""
    offset: int = 0


class Part:
    """One file of a log, open."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        status = os.fstat(file.fileno())
        self.identity, self.size = (status.st_dev, status.st_ino), status.st_size
        self.mark = _mark(file)

    def holds(self, place: Place) -> bool:
        """Whether the place is in this file."""
        return bool(self.mark) and self.mark == place.mark and place.offset <= self.size

    def end(self) -> int:
        """Where the last whole line ends: what is being written is not there yet."""
        start = max(0, self.size - MAX_LINE_BYTES)
        self._file.seek(start)
        return start + self._file.read(self.size - start).rfind(b"\n") + 1

    def lines_back(self) -> Iterator[bytes]:
        """Its whole lines, the newest first."""
        end, rest = self.end(), b""
        while end > 0:
            start = max(0, end - BLOCK_BYTES)
            self._file.seek(start)
            first, *lines = (self._file.read(end - start) + rest).split(b"\n")
            yield from (line for line in reversed(lines) if line)
            rest, end = first[:MAX_LINE_BYTES], start
        if rest:
            yield rest

    def lines_on(self, offset: int) -> Iterator[tuple[bytes, Place]]:
        """Whole lines from an offset on, at most READ_BYTES of them, each with the place behind it."""
        self._file.seek(offset)
        *lines, rest = self._file.read(READ_BYTES).split(b"\n")
        for line in lines:
            offset += len(line) + 1
            yield line, Place(self.mark, offset)
        if not lines and len(rest) == READ_BYTES:
            # No line is that long: what it is will never be known, and what comes after it shall be.
            yield b"", Place(self.mark, offset + READ_BYTES)

    def next_line(self, offset: int) -> int:
        """Where the first line begins that begins after an offset."""
        self._file.seek(offset)
        found = self._file.read(MAX_LINE_BYTES).find(b"\n")
        return offset + found + 1 if found >= 0 else self.size


def parts_of(log_dir: str, process: str, opened: ExitStack) -> Iterator[Part]:
    """The files of a log that hold something, the newest first; each is opened when it is asked for.

    A rotation meanwhile shows one of them twice, which is left out, and passes none over.
    """
    generation = missing = 0
    seen = set()
    while missing < GAPS:
        try:
            file = opened.enter_context(open(_path(log_dir, process, generation), "rb"))  # noqa: SIM115  by `opened`
        except FileNotFoundError:
            missing += 1
        else:
            missing, part = 0, Part(file)
            if part.mark and part.identity not in seen:
                yield part
            seen.add(part.identity)
        generation += 1


def end_of(log_dir: str, process: str) -> Place:
    """The place behind everything that was written so far."""
    with ExitStack() as opened:
        for part in parts_of(log_dir, process, opened):
            return Place(part.mark, part.end())
    return Place()


def read_on(log_dir: str, process: str, place: Place) -> tuple[list[tuple[bytes, Place]], bool]:
    """The lines after a place, each with the place behind it; and whether some before them were passed over."""
    with ExitStack() as opened:
        parts: list[Part] = []
        for part in parts_of(log_dir, process, opened):
            parts.append(part)
            if part.holds(place):
                break
        if not parts:
            return [], False
        is_found = parts[-1].holds(place)
        start = place.offset if is_found else 0
        is_passed_over = bool(place.mark) and not is_found
        behind = sum(part.size for part in parts) - start
        if behind > MOST_BEHIND_BYTES:
            is_passed_over = True
            start = _catch_up(parts)
        found: list[tuple[bytes, Place]] = []
        for part in reversed(parts):
            found += part.lines_on(start)
            if found and found[-1][1].offset < part.end():
                break
            start = 0
        return found, is_passed_over


def _catch_up(parts: list[Part]) -> int:
    """Leave out the parts that are too far behind; where to begin in the oldest one left."""
    left = MOST_BEHIND_BYTES
    for number, part in enumerate(parts):
        if part.size >= left:
            del parts[number + 1 :]
            return part.next_line(part.size - left)
        left -= part.size
    return 0


def _path(log_dir: str, process: str, generation: int = 0) -> str:
    return os.path.join(log_dir, f"{process}.log" + (f".{generation}" if generation else ""))


def _mark(file: IO[bytes]) -> str:
    """A mark of the first line; empty as long as that is not whole."""
    with suppress(OSError):
        head = file.read(MARK_BYTES)
        first, ended, _ = head.partition(b"\n")
        if ended or len(head) == MARK_BYTES:
            return f"{zlib.crc32(first):08x}"
    return ""
