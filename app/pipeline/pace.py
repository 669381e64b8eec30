"""How fast a step goes, and how long it may still take: only what was measured, and nothing that is not known.

The rate is that of the last half minute. A time that is left is told once there was something to measure for some
seconds, and only while it is known how much there is to do.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

from app.model.pace import pace_in_words

WINDOW_SECONDS = 30.0
#: Nothing is said of what was measured for less time.
LEAST_SECONDS = 3.0


class _Sample(NamedTuple):
    at: float
    files: int
    size_bytes: int


class Pace:
    """The pace of one step; `note` how far it is, again and again."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque()
        self._left: tuple[int, int | None] | None = None

    def note(self, moment: float, done: int, total: int, size_bytes: int, left_bytes: int | None = None) -> None:
        """So many files and bytes are done at a moment, of so many files (0: nobody knows). `left_bytes` are still to
        be read, if that is known: it says more of the time than files do."""
        if self._samples and (done < self._samples[-1].files or size_bytes < self._samples[-1].size_bytes):
            self._samples.clear()  # something else is being done now
        self._samples.append(_Sample(moment, done, size_bytes))
        while len(self._samples) > 2 and self._samples[1].at <= moment - WINDOW_SECONDS:
            self._samples.popleft()
        self._left = (max(total - done, 0), left_bytes) if total else None

    def as_detail(self) -> dict[str, Any]:
        """`files_per_second`, `bytes_per_second` and `remaining_seconds`, each None while it is not known, and all of
        it in `words`."""
        first, last = (self._samples[0], self._samples[-1]) if self._samples else (None, None)
        files = rate = remaining = None
        if first is not None and last is not None and last.at - first.at >= LEAST_SECONDS:
            files = (last.files - first.files) / (last.at - first.at)
            rate = (last.size_bytes - first.size_bytes) / (last.at - first.at)
            remaining = self._remaining(files, rate)
        return {
            "files_per_second": None if files is None else round(files, 1),
            "bytes_per_second": None if rate is None else round(rate),
            "remaining_seconds": remaining,
            "words": "" if files is None else pace_in_words(files, rate or 0, remaining),
        }

    def _remaining(self, files: float, rate: float) -> int | None:
        if self._left is None:
            return None
        left_files, left_bytes = self._left
        if left_bytes is not None:
            return round(left_bytes / rate) if rate else None
        return round(left_files / files) if files else None
