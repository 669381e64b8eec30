"""Which file of the ingest folders may be which one that lay elsewhere, by what they have in common: no disk, no
database.

Inode, size and time of modification together are enough where the name or the fraction of the time agree as well, or
nothing is known of what the file held; inodes are given anew, and some programs keep whole seconds only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from app.db.moved_files import Former
from app.files.belonging import group_key
from app.files.walk import Found
from app.model import AssetStatus

#: Times that file systems keep with less care may differ by so much.
CARELESS_NS = 2_000_000_000
#: More files than this of one size and time, or name, are no clue.
FEW = 16


class Pair(NamedTuple):
    """A file and the row that may be its own, the more likely pairs first."""

    doubt: tuple[bool, bool, bool, bool, int]
    found: Found
    former: Former

    @property
    def is_certain(self) -> bool:
        """Whether the file need not be read for that."""
        return not self.doubt[0]


class Clues:
    """Files of one size, by what a row may have in common with them."""

    def __init__(self, alike: Sequence[Found]) -> None:
        self._by_inode: dict[tuple[int, int], list[Found]] = {}
        self._by_name: dict[bytes, list[Found]] = {}
        self._by_time: dict[int, list[Found]] = {}
        for found in alike:
            assert found.signature is not None
            inode, mtime_ns = found.signature.inode, found.signature.mtime_ns
            self._by_inode.setdefault((inode, mtime_ns), []).append(found)
            self._by_name.setdefault(name_of(found.path), []).append(found)
            self._by_time.setdefault(mtime_ns // CARELESS_NS, []).append(found)

    def pairs_with(self, former: Former) -> Iterator[Pair]:
        """The files that may be that of a row."""
        same = {found.path: found for found in self._by_inode.get((former.inode, former.mtime_ns), ())}
        for found in same.values():
            is_chance = name_of(found.path) != name_of(former.path) and former.mtime_ns % 1_000_000_000 == 0
            if not (is_chance and former.was_read):
                yield _pair(found, former, is_certain=True)
            elif former.sha256 is not None:
                yield _pair(found, former, is_certain=False)
        if same or former.sha256 is None or former.size_bytes == 0:
            return
        named = self._by_name.get(name_of(former.path), [])
        moment = former.mtime_ns // CARELESS_NS
        near = [found for i in (-1, 0, 1) for found in self._by_time.get(moment + i, ())]
        # One of a crowd is not told from the others without reading all of them for each.
        clues = [found for alike in (named, near) if len(alike) <= FEW for found in alike]
        for found in {one.path: one for one in clues}.values():
            yield _pair(found, former, is_certain=False)


def _pair(found: Found, former: Former, *, is_certain: bool) -> Pair:
    has_same_name = name_of(found.path) == name_of(former.path)
    doubt = (not is_certain, found.path != former.path, not has_same_name, former.status is AssetStatus.GONE)
    return Pair((*doubt, -former.id), found, former)


def stem_of(found: Found) -> bytes:
    """What its group in its folder is called."""
    return group_key(found.group_name or name_of(found.path))


def name_of(path: bytes) -> bytes:
    """The last part of a path."""
    return path.rpartition(b"/")[2]
