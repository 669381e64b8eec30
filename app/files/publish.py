"""Giving a file a name without ever replacing what is there: three ways, tried in turn.

1. renameat2 with RENAME_NOREPLACE; 2. link, which cannot replace; 3. where a file system has neither, an empty
file is claimed exclusively and renamed over. Which way works is found out by trying, never by asking what it is.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from app.files import faults, syscalls
from app.files.directory import NEW_FLAGS, is_regular, look

RENAME, LINK, PLACEHOLDER = "rename", "link", "placeholder"

#: Called with the inode of our placeholder, None before it is made, so that recovery can tell it from a photo.
Note = Callable[[int | None], None]


def publish(source_dir: int, source: bytes, target_dir: int, target: bytes, note: Note) -> str:
    """Give the file at `source` the name `target`; returns the way. After LINK the old name is still there.

    Raises FileExistsError when the name is taken, OSError EXDEV across mounts, and OSError for all else.
    """
    try:
        syscalls.rename_without_replacing(source_dir, source, target_dir, target)
        return RENAME
    except OSError as error:
        if error.errno not in faults.UNSUPPORTED:
            raise
    return without_rename_flag(source_dir, source, target_dir, target, note)


def without_rename_flag(source_dir: int, source: bytes, target_dir: int, target: bytes, note: Note) -> str:
    """The second and the third way, for where the first is not supported. Raises as `publish` does."""
    if look(target_dir, target) is not None:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    try:
        add_name(source_dir, source, target_dir, target)
        return LINK
    except OSError as error:
        if error.errno not in faults.UNSUPPORTED:
            raise
    _over_placeholder(source_dir, source, target_dir, target, note)
    return PLACEHOLDER


def add_name(source_dir: int, source: bytes, target_dir: int, target: bytes) -> None:
    """Give a file a second name. Raises FileExistsError when it is taken, OSError where there are no hard links.

    On a network share the answer to a link that was made may be lost: an error is then checked by inode."""
    try:
        os.link(source, target, src_dir_fd=source_dir, dst_dir_fd=target_dir, follow_symlinks=False)
    except OSError:
        made, mine = look(target_dir, target), look(source_dir, source)
        if made is None or mine is None or (made.st_dev, made.st_ino) != (mine.st_dev, mine.st_ino):
            raise


def _over_placeholder(source_dir: int, source: bytes, target_dir: int, target: bytes, note: Note) -> None:
    note(None)
    fd = os.open(target, NEW_FLAGS, 0o600, dir_fd=target_dir)
    try:
        inode = os.fstat(fd).st_ino
    finally:
        os.close(fd)
    try:
        note(inode)
        if not is_placeholder(target_dir, target, inode):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        os.rename(source, target, src_dir_fd=source_dir, dst_dir_fd=target_dir)
    except BaseException:
        remove_placeholder(target_dir, target, inode)
        raise


def is_placeholder(folder: int, name: bytes, inode: int) -> bool:
    """Whether our own empty file is still what is at this name."""
    seen = look(folder, name)
    return seen is not None and is_regular(seen) and seen.st_size == 0 and seen.st_ino == inode


def remove_placeholder(folder: int, name: bytes, inode: int) -> None:
    """Remove our own empty file, if that is still what is there."""
    if is_placeholder(folder, name, inode):
        os.unlink(name, dir_fd=folder)


def take(source_dir: int, source: bytes, trash_dir: int, trash: bytes) -> None:
    """Take a file away from its name in one step, to a private name of ours where it can be looked at in peace.

    Raises FileExistsError when the private name is taken, FileNotFoundError when the source is gone.
    """
    try:
        syscalls.rename_without_replacing(source_dir, source, trash_dir, trash)
        return
    except OSError as error:
        if error.errno not in faults.UNSUPPORTED:
            raise
    if look(trash_dir, trash) is not None:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    os.rename(source, trash, src_dir_fd=source_dir, dst_dir_fd=trash_dir)


def put_back(trash_dir: int, trash: bytes, target_dir: int, target: bytes) -> None:
    """Give a file at a private name of ours its former name again. Raises FileExistsError when that is taken."""
    if publish(trash_dir, trash, target_dir, target, lambda _inode: None) == LINK:
        os.unlink(trash, dir_fd=trash_dir)
