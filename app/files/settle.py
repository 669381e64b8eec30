"""Telling files that stand still from files that are still being written.

A file counts when two looks, at least `settle_seconds` of monotonic time apart, show the same size, mtime and ctime.
There is no short cut for files with old times: a program may have laid a file out in full long ago and fill it only
now, and on a machine without a clock battery, or on a server with another clock, old times prove nothing.
First looks are remembered as long as the process lives, so that only a file nobody has seen yet is waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.files.walk import Found
from app.model import Signature

#: With more first looks than this at once, the oldest are waited for before the walk goes on; bounds memory.
MAX_PENDING = 100_000


@dataclass(slots=True)
class _Look:
    found: Found
    at: float
    scan: int


def stands_still(before: Signature, after: Signature) -> bool:
    """Whether two looks show the same content as far as the file system can tell; inodes may be made up (FUSE)."""
    return (before.size_bytes, before.mtime_ns, before.ctime_ns) == (after.size_bytes, after.mtime_ns, after.ctime_ns)


class FirstLooks:
    """What was seen once and waits for its second look; kept between the scans of one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._looks: dict[tuple[int, bytes], _Look] = {}
        self._scan = 0

    def __len__(self) -> int:
        return len(self._looks)

    def begin(self) -> None:
        """A scan begins: what it does not see again is forgotten when it ends."""
        self._scan += 1

    def is_settled(self, root_id: int, found: Found, settle_seconds: float) -> bool:
        """Note a look at a file. True when an earlier look, long enough ago, showed the same."""
        if settle_seconds <= 0:
            return True
        assert found.signature is not None
        key = (root_id, found.path)
        look = self._looks.get(key)
        if look is not None and look.found.signature and stands_still(look.found.signature, found.signature):
            look.scan = self._scan
            if self._clock() - look.at < settle_seconds:
                return False
            del self._looks[key]
            return True
        # Out and in again, so that the looks stay in the order of their times.
        self._looks.pop(key, None)
        self._looks[key] = _Look(found, self._clock(), self._scan)
        return False

    def pending(self, root_id: int) -> Iterator[tuple[Found, float]]:
        """(file, time of its first look) of this scan's looks that wait, the oldest first."""
        for (root, _), look in list(self._looks.items()):
            if root == root_id and look.scan == self._scan:
                yield look.found, look.at

    def forget(self, root_id: int, path: bytes) -> None:
        """The file is gone; it needs no second look."""
        self._looks.pop((root_id, path), None)

    def end(self) -> None:
        """The scan ended: forget what it did not see."""
        self._looks = {key: look for key, look in self._looks.items() if look.scan == self._scan}

    def now(self) -> float:
        """The clock that looks are timed by."""
        return self._clock()
