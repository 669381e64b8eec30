"""Which files below a folder are of a size that no other one has: names and sizes alone, for libraries that are too
large to be kept in memory."""

from __future__ import annotations

import os
import stat
from array import array
from bisect import bisect_left
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

from app.files.walk import open_folder
from app.model import Root


class SizeCensus:
    """Sixteen bytes for each file that was there when it was taken."""

    def __init__(self, root: Root, safe_point: Callable[[], None]) -> None:
        """Look at all files; `safe_point` is called for each folder. What cannot be looked at is not counted."""
        sizes, files = array("q"), array("q")
        waiting = [b""]
        while waiting:
            safe_point()
            folder = waiting.pop()
            with suppress(OSError):
                self._count(root, folder, waiting, sizes, files)
        in_order = sorted(sizes)
        self._repeated = {size for size, other in pairwise(in_order) if size == other}
        self._files = array("q", sorted(files))

    def _count(self, root: Root, folder: bytes, waiting: list[bytes], sizes: array[int], files: array[int]) -> None:
        descriptor = open_folder(root, folder)
        try:
            with os.scandir(descriptor) as entries:
                for entry in entries:
                    found = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(found.st_mode):
                        waiting.append(os.path.join(folder, os.fsencode(entry.name)))
                    elif stat.S_ISREG(found.st_mode):
                        sizes.append(found.st_size)
                        files.append(hash((found.st_ino, found.st_size)))
        finally:
            os.close(descriptor)

    def is_lone(self, inode: int, size_bytes: int) -> bool:
        """Whether this file was counted, with this size, and no other file had that size then."""
        if size_bytes in self._repeated:
            return False
        file = hash((inode, size_bytes))
        at = bisect_left(self._files, file)
        return at < len(self._files) and self._files[at] == file
