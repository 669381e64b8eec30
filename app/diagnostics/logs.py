"""Reading the log files: the last lines of all processes in the order of their times, and new ones as they come.

Each process writes `<log_dir>/<process>.log`, one JSON object a line, and rotates it to `.1`, `.2` and so on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, Any

PROCESSES = ("api", "worker", "dbui", "cli")
LEVELS = ("debug", "info", "warning", "error", "critical")
#: A longer line is no record of ours.
MAX_LINE_BYTES = 1_000_000
BLOCK_BYTES = 65_536

Record = dict[str, Any]


def read_last(log_dir: str, processes: Sequence[str], least_level: str, limit: int) -> list[Record]:
    """The last `limit` records of these processes with at least this level, the oldest first."""
    found: list[Record] = []
    for process in processes:
        records = (parse(line, process) for line in _lines_backwards(log_dir, process))
        found += islice((record for record in records if is_wanted(record, least_level)), limit)
    found.sort(key=lambda record: str(record.get("at", "")))
    return found[-limit:]


def parse(line: bytes, process: str) -> Record:
    """A line as a record; a line that is no JSON object becomes one with the line as its event."""
    text = line.decode("utf-8", "backslashreplace")
    try:
        record = json.loads(text)
    except ValueError:
        record = None
    if isinstance(record, dict):
        return {"process": process, **record}
    return {"process": process, "event": text, "level": "info", "at": ""}


def is_wanted(record: Record, least_level: str) -> bool:
    """Whether a record has at least this level; one without a known level always has."""
    level = record.get("level")
    return level not in LEVELS or LEVELS.index(level) >= LEVELS.index(least_level)


def _path(log_dir: str, process: str, generation: int = 0) -> str:
    return os.path.join(log_dir, f"{process}.log" + (f".{generation}" if generation else ""))


def _lines_backwards(log_dir: str, process: str) -> Iterator[bytes]:
    """Every line of a process's files, the newest first."""
    generation = 0
    while True:
        try:
            with open(_path(log_dir, process, generation), "rb") as file:
                yield from _file_backwards(file)
        except FileNotFoundError:
            return
        generation += 1


def _file_backwards(file: IO[bytes]) -> Iterator[bytes]:
    end = file.seek(0, os.SEEK_END)
    rest = b""
    while end > 0:
        start = max(0, end - BLOCK_BYTES)
        file.seek(start)
        first, *lines = (file.read(end - start) + rest).split(b"\n")
        yield from (line for line in reversed(lines) if line)
        rest, end = first[:MAX_LINE_BYTES], start
    if rest:
        yield rest


@dataclass
class Follower:
    """Reads what is appended to one process's log, across rotations. Begins at the end of the file."""

    log_dir: str
    process: str
    _file: IO[bytes] | None = field(default=None, repr=False)
    _unended: bytes = field(default=b"", repr=False)

    def begin(self) -> None:
        """Remember where the file ends now."""
        self._file = self._open()
        if self._file is not None:
            self._file.seek(0, os.SEEK_END)

    def read(self) -> Iterator[Record]:
        """What has come since the last call."""
        yield from self._read_rest()
        if self._was_rotated():
            # What was still written to the old file before the new one was there.
            yield from self._read_rest()
            self.close()
            self._file = self._open()
            yield from self._read_rest()

    def close(self) -> None:
        """Let the file go."""
        if self._file is not None:
            self._file.close()
        self._file, self._unended = None, b""

    def _open(self) -> IO[bytes] | None:
        try:
            return open(_path(self.log_dir, self.process), "rb")
        except FileNotFoundError:
            return None

    def _read_rest(self) -> Iterator[Record]:
        if self._file is None:
            return
        *lines, self._unended = (self._unended + self._file.read()).split(b"\n")
        yield from (parse(line, self.process) for line in lines if line)

    def _was_rotated(self) -> bool:
        try:
            now = os.stat(_path(self.log_dir, self.process))
        except FileNotFoundError:
            return False
        if self._file is None:
            return True
        mine = os.fstat(self._file.fileno())
        return (mine.st_dev, mine.st_ino) != (now.st_dev, now.st_ino) or now.st_size < self._file.tell()
