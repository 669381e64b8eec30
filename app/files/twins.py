"""A duplicate beside its original: compared byte for byte, or let share its room on the disk. Both are only read.

Neither is replaced, renamed or opened for writing: sharing is asked of the kernel, which compares the bytes itself and
then lets both files lie at one place. A crash in between leaves two files that hold what they held.
"""

from __future__ import annotations

import errno
import mmap
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from app.db.filesystem import file_system_type
from app.errors import CannotShare, ContentDiffers, FileError, SourceChanged
from app.files.hash_reader import BUFFER_BYTES, facts, open_file
from app.files.syscalls import share_range
from app.model import Place, Root

#: Not these files but their file systems, or their mounts, are the reason.
NOT_HERE = (errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.ENOSYS, errno.EROFS)

#: File systems that can let files share their room, if they were made so (statfs f_type): Btrfs, XFS, OCFS2, overlay.
SHARING = frozenset({0x9123683E, 0x58465342, 0x7461636F, 0x794C7630})


def compare_bytes(original: Place, duplicate: Place) -> None:
    """Read both files and compare them. Raises ContentDiffers, SourceChanged when one of them changed meanwhile, and
    FileError when one cannot be read."""
    with _both(original, duplicate) as (first, second, size_bytes):
        if not _hold_the_same(first, second, size_bytes):
            raise ContentDiffers("take as a duplicate", duplicate.absolute, "it differs from", original.absolute)


def share_room(original: Place, duplicate: Place) -> int:
    """Let the duplicate lie where its original lies; returns its bytes. Raises CannotShare where the file system cannot
    do that, ContentDiffers, SourceChanged and FileError as `compare_bytes`."""
    with _both(original, duplicate) as (first, second, size_bytes):
        offset = 0
        while offset < size_bytes:
            shared = _share(first, second, offset, size_bytes - offset, duplicate)
            if shared is None:
                raise ContentDiffers("take as a duplicate", duplicate.absolute, "it differs from", original.absolute)
            if shared == 0:
                raise CannotShare("share the room of", duplicate.absolute, "the file system has shared none of it")
            offset += shared
    return size_bytes


def can_share(root: Root) -> bool:
    """Whether a folder is on a file system that is known to be able to do it."""
    try:
        return file_system_type(root.path) in SHARING
    except OSError:
        return False


def room_to_share(original: Place, duplicate: Place) -> int:
    """What `share_room` would return if both hold the same; nothing is read but what the file system says of them.

    Raises CannotShare unless they lie on one file system, and on one that is known to be able to do it.
    """
    with _both(original, duplicate) as (first, second, size_bytes):
        if os.fstat(first).st_dev != os.fstat(second).st_dev:
            raise CannotShare("share the room of", duplicate.absolute, os.strerror(errno.EXDEV))
        if not can_share(duplicate.root):
            raise CannotShare("share the room of", duplicate.absolute, os.strerror(errno.EOPNOTSUPP))
    return size_bytes


def _share(first: int, second: int, offset: int, size_bytes: int, duplicate: Place) -> int | None:
    try:
        return share_range(first, second, offset, size_bytes)
    except OSError as error:
        kind = CannotShare if error.errno in NOT_HERE else FileError
        raise kind("share the room of", duplicate.absolute, error.strerror or str(error)) from error


@contextmanager
def _both(original: Place, duplicate: Place) -> Iterator[tuple[int, int, int]]:
    """Both files open for reading, and their size; they must stand still until the end."""
    with _opened(original) as first, _opened(duplicate) as second:
        before = facts(os.fstat(first)), facts(os.fstat(second))
        if before[0][2] != before[1][2]:
            raise ContentDiffers("take as a duplicate", duplicate.absolute, "it differs from", original.absolute)
        yield first, second, before[0][2]
        if (facts(os.fstat(first)), facts(os.fstat(second))) != before:
            raise SourceChanged("compare", duplicate.absolute, "it, or its original, changed meanwhile")


@contextmanager
def _opened(place: Place) -> Iterator[int]:
    try:
        descriptor = open_file(place.root.path, place.path)
    except OSError as error:
        raise FileError("read", place.absolute, error.strerror or str(error)) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileError("read", place.absolute, "it is not a regular file")
        yield descriptor
    except OSError as error:
        raise FileError("read", place.absolute, error.strerror or str(error)) from error
    finally:
        os.close(descriptor)


def _hold_the_same(first: int, second: int, size_bytes: int) -> bool:
    with mmap.mmap(-1, BUFFER_BYTES) as one, mmap.mmap(-1, BUFFER_BYTES) as other:
        offset = 0
        while offset < size_bytes:
            counts = _read(first, one, offset), _read(second, other, offset)
            if counts[0] != counts[1] or counts[0] == 0 or one[: counts[0]] != other[: counts[0]]:
                return False
            offset += counts[0]
    return True


def _read(descriptor: int, buffer: mmap.mmap, offset: int) -> int:
    """Fill the buffer from an offset; less only at the end of the file."""
    filled = 0
    with memoryview(buffer) as view:
        while filled < len(view) and (count := os.preadv(descriptor, [view[filled:]], offset + filled)):
            filled += count
    return filled
