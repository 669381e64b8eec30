"""Which of the files that came together are alike, as far as they have been read: no disk, no database.

Files of one size are a class. When all of a class that had to be read were read, the verdicts on it are as
app/pipeline/verdicts.py gives them in a library that has nothing else:

* What is unlike all others is unique.
* Photos and videos that hold the same, of which no two are names of one file, are one original and its duplicates:
  the original is the oldest, of these the one with the shortest path. Large ones that have the same ends are read
  whole for that.

Both only for files that are alone in their groups. Whatever is not as plain as that is left to dedup.

Files have keys, numbered from 0 as they come, and a place in each of a few lists: that is what a hundred thousand of
them have room and time for.
"""

from __future__ import annotations

from array import array
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from app.files.belonging import group_key
from app.files.head_reader import HEAD_DIGEST_BYTES
from app.files.head_readers import ToRead
from app.files.size_census import SizeCensus
from app.files.walk import Found

#: What a verdict is when it is not the key of the original.
UNDECIDED, UNIQUE = -2, -1
#: Copies of one content that are judged here; more are left to dedup, which is careful with memory.
MANY = 1_000
#: Numbers of a signature.
FACTS = 5
INODE, SIZE, MTIME = 1, 2, 3


@dataclass(slots=True)
class _SameEnds:
    """Large files of one size with the same ends, and how many of them are still to be read whole."""

    keys: list[int]
    left: int


class Alike:
    """Files that came. The path of a file is None when it has been taken out, its answer None when it was not read.

    An answer is the digest of both ends, or that of all of a small file, or both digests of a large one.
    """

    def __init__(self, *, judges_copies: bool) -> None:
        self.paths: list[bytes | None] = []
        self.stems: list[bytes] = []
        self.answers: list[bytes | None] = []
        self.verdicts = array("q")
        #: The originals among the verdicts.
        self.copied: set[int] = set()
        self._facts = array("q")
        self._judges_copies = judges_copies
        self._sizes: dict[int, int | list[int]] = {}
        self._unread: dict[int, int] = {}
        #: By a number of its group, the first of it; two groups with one number would at worst be left to dedup.
        self._groups: dict[int, int] = {}
        self._alone = bytearray()
        #: Photos and videos; the others are sidecars.
        self._media = bytearray()
        self._same_ends: dict[int, _SameEnds] = {}
        self._to_read_whole: list[int] = []

    def add(self, files: Iterable[Found], known_sizes: Container[int]) -> list[int]:
        """Take files; the keys of those that are to be read now that these are there, as others have their size."""
        wanted: list[int] = []
        paths, stems, alone, sizes, groups = self.paths, self.stems, self._alone, self._sizes, self._groups
        for key, (path, kind, signature, _, group_name, _) in enumerate(files, len(paths)):
            folder, _, name = path.rpartition(b"/")
            stem = group_key(group_name or name)
            paths.append(path)
            stems.append(stem)
            first = groups.setdefault(hash((folder, stem)), key)
            alone.append(first == key)
            alone[first] = first == key
            self._media.append(kind == "media")
            assert signature is not None
            self._facts.extend(signature)
            size = signature[SIZE]
            same = sizes.setdefault(size, key)
            if same != key:
                wanted += self._join(size, same, key)
            elif size in known_sizes:
                sizes[size] = [key]
                self._unread[size] = 1
                wanted.append(key)
        more = len(self.paths) - len(self.answers)
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

    def facts(self, key: int) -> tuple[int, ...]:
        """The signature of a file."""
        return tuple(self._facts[key * FACTS : key * FACTS + FACTS])

    def to_read(self, keys: Iterable[int]) -> list[ToRead]:
        """Paths, keys and signatures of those that have no rows yet."""
        paths, facts = self.paths, self._facts
        found = [(paths[key], key) for key in keys]
        return [(path, key, tuple(facts[key * FACTS : key * FACTS + FACTS])) for path, key in found if path is not None]

    def originals_first(self, keys: Iterable[int]) -> list[int]:
        """Else as they came: in the order of folders few pages of an index change at a time."""
        verdicts, ordered = self.verdicts, sorted(keys)
        copies = [key for key in ordered if verdicts[key] >= 0]
        return [key for key in ordered if verdicts[key] < 0] + copies if copies else ordered

    def forget_sizes(self) -> None:
        """From now on only what comes is compared with what comes; nothing is judged any more."""
        self._sizes.clear()
        self._unread.clear()

    def take_out(self, keys: Iterable[int]) -> None:
        """These have their rows; what was known of them is forgotten."""
        paths, answers = self.paths, self.answers
        for key in keys:
            paths[key] = answers[key] = None

    def answer(self, key: int, answer: bytes | None) -> int | None:
        """Take what was read of a file, or that nothing was; the size of its class when that was the last of it."""
        if self.paths[key] is None:
            return None
        self.answers[key] = answer
        size = self._facts[key * FACTS + SIZE]
        left = self._unread[size] = self._unread.get(size, 0) - 1
        return None if left else size

    def answer_whole(self, key: int, digest: bytes | None) -> Sequence[int]:
        """Take the digest of all of a file, or that there is none; the keys of which all is known by that."""
        waiting = self._same_ends.pop(key)
        if digest is not None:
            self.answers[key] = (self.answers[key] or b"") + digest
        waiting.left -= 1
        if waiting.left:
            return ()
        if all(self._was_read_whole(key) for key in waiting.keys):
            self._decide(self._by_answer(waiting.keys))
        return waiting.keys

    def list_read_sizes(self) -> list[int]:
        """The sizes of all classes of which nothing is still to be read."""
        return [size for size in self._sizes if not self._unread.get(size)]

    def take_to_read_whole(self) -> list[int]:
        """Files that are to be read whole since some classes were judged."""
        wanted, self._to_read_whole = self._to_read_whole, []
        return wanted

    def judge(self, size: int) -> Sequence[int]:
        """Write the verdicts on a class; those of its keys of which all is known, an original before its duplicates."""
        same = self._sizes[size]
        if not isinstance(same, list):
            self._decide_unlike(same)
            return (same,)
        if not size:
            for key in same:
                self._decide_unlike(key)
            return same
        if len(same) == 2 and self._differ(*same):
            return same
        contents = self._by_answer(same)
        if None in contents:
            return same
        waiting = [keys for keys in contents.values() if len(keys) > 1 and self._must_be_read_whole(keys)]
        for keys in waiting:
            self._same_ends.update(dict.fromkeys(keys, _SameEnds(keys, len(keys))))
            self._to_read_whole += keys
            del contents[self.answers[keys[0]]]
        self._decide(contents)
        return [key for keys in contents.values() for key in keys]

    def _differ(self, one: int, other: int) -> bool:
        """Whether both were read and are unlike, which is most of what there is; then they are judged."""
        first, second = self.answers[one], self.answers[other]
        if first is None or second is None or first == second:
            return False
        self._decide_unlike(one)
        self._decide_unlike(other)
        return True

    def judge_lone(self, keys: Iterable[int], census: SizeCensus) -> None:
        """Write the verdicts on those of which a census knows that no other file is as large, in folders that the walk
        has left."""
        last_folder = self._folder(self.paths[-1] or b"")
        for key in keys:
            _, inode, size, _, _ = self.facts(key)
            if census.is_lone(inode, size) and self._folder(self.paths[key] or b"") != last_folder:
                self._decide_unlike(key)

    def _folder(self, path: bytes) -> bytes:
        return path.rpartition(b"/")[0]

    def _by_answer(self, keys: Iterable[int]) -> dict[bytes | None, list[int]]:
        contents: dict[bytes | None, list[int]] = {}
        for key in keys:
            contents.setdefault(self.answers[key], []).append(key)
        return contents

    def _decide(self, contents: dict[bytes | None, list[int]]) -> None:
        for keys in contents.values():
            if len(keys) == 1:
                self._decide_unlike(keys[0])
            elif self._was_read_whole(keys[0]) and self._are_plain(keys):
                self._decide_copies(keys)

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

    def _was_read_whole(self, key: int) -> bool:
        return len(self.answers[key] or b"") > HEAD_DIGEST_BYTES

    def _must_be_read_whole(self, keys: Sequence[int]) -> bool:
        return not self._was_read_whole(keys[0]) and self._are_plain(keys)

    def _are_plain(self, keys: Sequence[int]) -> bool:
        """Whether they are not too many, photos and videos, alone in their groups, and no names of one file."""
        if not self._judges_copies or len(keys) > MANY or not all(self._alone[key] for key in keys):
            return False
        facts = self._facts
        inodes = {(facts[key * FACTS], facts[key * FACTS + INODE]) for key in keys}
        return len(inodes) == len(keys) and all(self._media[key] for key in keys)

    def _rank(self, key: int) -> tuple[int, int, bytes]:
        """As the order in which groups of one file each are judged."""
        path = self.paths[key] or b""
        return self._facts[key * FACTS + MTIME], len(path), path
