"""Which of the files that came together are alike, as far as their ends have been read: no disk, no database.

Files of one size are a class. When all of a class that had to be read were read, the verdicts on it are as
app/pipeline/verdicts.py gives them in a library that has nothing else:

* What is unlike all others is unique.
* Photos and videos that hold the same, of which no two are names of one file, are one original and its duplicates:
  the original is the oldest, of these the one with the shortest path.

Both only for files that are alone in their groups. Whatever is not as plain as that is left to dedup.

Files have keys, numbered from 0 as they come, and a place in each of a few lists: that is what a hundred thousand of
them have room and time for.
"""

from __future__ import annotations

from array import array
from collections.abc import Container, Iterable, Sequence

from app.files.belonging import group_key
from app.files.head_reader import HEAD_DIGEST_BYTES
from app.files.walk import Found, is_media

#: What a verdict is when it is not the key of the original.
UNDECIDED, UNIQUE = -2, -1
#: Copies of one content that are judged here; more are left to dedup, which is careful with memory.
MANY = 1_000


class Alike:
    """Files that came. `found` and `answers` of a file are None when it has been taken out, or was not read."""

    def __init__(self, *, judges_copies: bool) -> None:
        self.found: list[Found | None] = []
        self.stems: list[bytes] = []
        self.answers: list[bytes | None] = []
        self.verdicts = array("q")
        #: The originals among the verdicts.
        self.copied: set[int] = set()
        self._judges_copies = judges_copies
        self._sizes: dict[int, int | list[int]] = {}
        self._unread: dict[int, int] = {}
        #: By a number of its group, the first of it; two groups with one number would at worst be left to dedup.
        self._groups: dict[int, int] = {}
        self._alone = bytearray()

    def add(self, files: Iterable[Found], known_sizes: Container[int]) -> list[int]:
        """Take files; the keys of those that are to be read now that these are there, as others have their size."""
        wanted: list[int] = []
        for found in files:
            key = len(self.found)
            folder, _, name = found.path.rpartition(b"/")
            stem = group_key(found.group_name or name)
            self.found.append(found)
            self.stems.append(stem)
            first = self._groups.setdefault(hash((folder, stem)), key)
            self._alone.append(first == key)
            self._alone[first] = first == key
            size = found.signature.size_bytes if found.signature is not None else 0
            same = self._sizes.setdefault(size, key)
            if same != key:
                wanted += self._join(size, same, key)
            elif size in known_sizes:
                self._sizes[size] = [key]
                self._unread[size] = 1
                wanted.append(key)
        more = len(self.found) - len(self.answers)
        self.answers.extend([None] * more)
        self.verdicts.extend([UNDECIDED] * more)
        return wanted

    def _join(self, size: int, same: int | list[int], key: int) -> list[int]:
        if isinstance(same, list):
            same.append(key)
            wanted = [key]
        else:
            self._sizes[size] = wanted = [same, key]
            wanted = wanted.copy()
        if not size:
            return []
        self._unread[size] = self._unread.get(size, 0) + len(wanted)
        return wanted

    def forget_sizes(self) -> None:
        """From now on only what comes is compared with what comes; nothing is judged any more."""
        self._sizes.clear()
        self._unread.clear()

    def answer(self, key: int, answer: bytes | None) -> int | None:
        """Take what was read of a file, or that nothing was; the size of its class when that was the last of it."""
        found = self.found[key]
        if found is None or found.signature is None:
            return None
        self.answers[key] = answer
        size = found.signature.size_bytes
        left = self._unread[size] = self._unread.get(size, 0) - 1
        return None if left else size

    def list_read_sizes(self) -> list[int]:
        """The sizes of all classes of which nothing is still to be read."""
        return [size for size in self._sizes if not self._unread.get(size)]

    def judge(self, size: int) -> Sequence[int]:
        """Write the verdicts on a class; its keys, an original before its duplicates."""
        same = self._sizes[size]
        if not isinstance(same, list):
            self._decide_unlike(same)
            return (same,)
        if not size:
            for key in same:
                self._decide_unlike(key)
            return same
        contents: dict[bytes | None, list[int]] = {}
        for key in same:
            contents.setdefault(self.answers[key], []).append(key)
        if None in contents:
            return same
        for keys in contents.values():
            if len(keys) == 1:
                self._decide_unlike(keys[0])
            elif self._judges_copies and len(keys) <= MANY and self._are_plain(keys):
                self._decide_copies(keys)
        return [key for keys in contents.values() for key in keys]

    def _decide_unlike(self, key: int) -> None:
        if self._alone[key]:
            self.verdicts[key] = UNIQUE

    def _decide_copies(self, keys: list[int]) -> None:
        keys.sort(key=self._rank)
        first = keys[0]
        self.copied.add(first)
        for key in keys:
            self.verdicts[key] = first
        self.verdicts[first] = UNIQUE

    def _are_plain(self, keys: Sequence[int]) -> bool:
        """Whether they were read whole, are photos and videos, alone in their groups, and no names of one file."""
        if len(self.answers[keys[0]] or b"") <= HEAD_DIGEST_BYTES or not all(self._alone[key] for key in keys):
            return False
        files = [found for key in keys if (found := self.found[key]) is not None]
        inodes = {found.signature[:2] for found in files if found.signature is not None}
        return len(inodes) == len(keys) and all(is_media(found.path) for found in files)

    def _rank(self, key: int) -> tuple[int, int, bytes]:
        """As the order in which groups of one file each are judged."""
        found = self.found[key]
        assert found is not None and found.signature is not None
        return found.signature.mtime_ns, len(found.path), found.path
