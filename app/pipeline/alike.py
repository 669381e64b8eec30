"""Which of the files that came together are alike, as far as their ends have been read: no disk, no database.

Files of one size are a class. When all of a class that had to be read were read, the verdicts on it are as
app/pipeline/verdicts.py gives them in a library that has nothing else:

* What is unlike all others is unique.
* Photos and videos that hold the same, of which no two are names of one file, are one original and its duplicates:
  the original is the oldest, of these the one with the shortest path.

Both only for files that are alone in their groups. Whatever is not as plain as that is left to dedup.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from app.files.head_reader import HEAD_DIGEST_BYTES
from app.files.walk import Found, is_media

#: Copies of one content that are judged here; more are left to dedup, which is careful with memory.
MANY = 1_000


class Judged(NamedTuple):
    """A file that came, by its key: decided, as unique or as a duplicate of the one with the key `original`, or left
    to dedup."""

    key: int
    is_decided: bool = False
    original: int | None = None
    has_copies: bool = False


#: Of a file that nobody has compared.
UNDECIDED = Judged(0)


class Newcomer(NamedTuple):
    """A file that came, and what it has in common with its group in its folder."""

    found: Found
    stem: bytes

    @property
    def size_bytes(self) -> int:
        """How large it was when it was found."""
        return self.found.signature.size_bytes if self.found.signature is not None else 0


class Alike:
    """Files that came, by keys in the order in which they were added."""

    def __init__(self) -> None:
        self.newcomers: dict[int, Newcomer] = {}
        self.answers: dict[int, bytes] = {}
        self._sizes: dict[int, array[int]] = {}
        self._unread: dict[int, int] = {}
        self._groups: set[int] = set()
        self._shared: set[int] = set()
        self._last = 0

    def add(self, newcomer: Newcomer, *, is_known_size: bool) -> list[int]:
        """Take a file; the keys of those that are to be read now that it is there."""
        self._last += 1
        key, size = self._last, newcomer.size_bytes
        self.newcomers[key] = newcomer
        group = _group(newcomer)
        (self._shared if group in self._groups else self._groups).add(group)
        keys = self._sizes.setdefault(size, array("q"))
        keys.append(key)
        if not size or (len(keys) == 1 and not is_known_size):
            return []
        wanted = [k for k in keys if k in self.newcomers] if len(keys) == 2 and not is_known_size else [key]
        self._unread[size] = self._unread.get(size, 0) + len(wanted)
        return wanted

    def answer(self, key: int, answer: bytes | None) -> int | None:
        """Take what was read of a file, or that nothing was; the size of its class when that was the last of it."""
        newcomer = self.newcomers.get(key)
        if newcomer is None:
            return None
        if answer is not None:
            self.answers[key] = answer
        size = newcomer.size_bytes
        self._unread[size] -= 1
        return None if self._unread[size] else size

    def list_read_sizes(self) -> list[int]:
        """The sizes of all classes of which nothing is still to be read."""
        return [size for size in self._sizes if not self._unread.get(size)]

    def judge(self, size: int) -> Iterator[Judged]:
        """The verdicts on a class; an original comes before its duplicates."""
        keys = self._sizes[size]
        if len(keys) == 1 or not size:
            return (Judged(key, self._is_alone(key)) for key in keys)
        if any(key not in self.answers for key in keys):
            return map(Judged, keys)
        by_answer = sorted(keys, key=self.answers.__getitem__)
        found = (list(same) for _, same in groupby(by_answer, self.answers.__getitem__))
        return (judged for same in found for judged in self._judge_same(same))

    def _judge_same(self, keys: Sequence[int]) -> Iterator[Judged]:
        if len(keys) == 1:
            yield Judged(keys[0], self._is_alone(keys[0]))
        elif len(keys) <= MANY and self._are_plain(keys):
            first, *others = sorted(keys, key=self._rank)
            yield Judged(first, True, has_copies=True)
            yield from (Judged(key, True, first) for key in others)
        else:
            yield from map(Judged, keys)

    def _are_plain(self, keys: Sequence[int]) -> bool:
        """Whether they were read whole, are photos and videos, alone in their groups, and no names of one file."""
        if len(self.answers[keys[0]]) <= HEAD_DIGEST_BYTES:
            return False
        found = [self.newcomers[key].found for key in keys]
        inodes = {one.signature[:2] for one in found if one.signature is not None}
        return len(inodes) == len(keys) and all(map(self._is_alone, keys)) and all(is_media(f.path) for f in found)

    def _is_alone(self, key: int) -> bool:
        return _group(self.newcomers[key]) not in self._shared

    def _rank(self, key: int) -> tuple[int, int, bytes]:
        """As the order in which groups of one file each are judged."""
        found = self.newcomers[key].found
        return found.signature.mtime_ns if found.signature is not None else 0, len(found.path), found.path


def _group(newcomer: Newcomer) -> int:
    """Two groups with one number would at worst be left to dedup."""
    return hash((newcomer.found.path.rpartition(b"/")[0], newcomer.stem))
