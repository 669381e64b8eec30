"""Folders opened part by part below their root, never through a link, and a look at a name that tells three answers.

A path is never given to the system whole: every part is opened from its parent's descriptor with O_NOFOLLOW, so
a folder that is swapped for a link while we work cannot lead outside the root.
"""

from __future__ import annotations

import errno
import os
import resource
import stat
from collections import OrderedDict

from app.errors import OutsideRoot, RootUnavailable
from app.files import faults, syscalls
from app.files.roots import MARKER_NAME
from app.model import Place, Root, Signature

FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
NEW_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

#: So many folders stay open while a group is worked on; fewer where the system allows us few descriptors.
OPEN_AT_MOST = 192

#: What a part of a path may not be.
NOT_A_NAME = frozenset((b"", b".", b".."))

#: More folders than this are flushed by one syncfs instead of an fsync each.
FLUSH_SINGLY_AT_MOST = 2


def look(folder: int, name: bytes) -> os.stat_result | None:
    """What is at this name (links not followed), or None only when there is certainly nothing.

    Any other answer of the system than "no such file" raises: not knowing is not the same as absent.
    """
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def signature_of(seen: os.stat_result) -> Signature:
    """The signature that a stat result tells."""
    return Signature(seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)


def is_regular(seen: os.stat_result) -> bool:
    """Whether this is a plain file: not a link, folder, pipe, socket or device."""
    return stat.S_ISREG(seen.st_mode)


def split(place: Place) -> tuple[bytes, bytes]:
    """(folder, name) of a place. Raises OutsideRoot for a path that is empty, absolute or climbs."""
    folder, _, name = place.path.rpartition(b"/")
    if not NOT_A_NAME.isdisjoint(place.path.split(b"/")) or b"\0" in place.path:
        raise OutsideRoot("use", place.absolute, "the path leaves its root")
    return folder, name


def open_root(root: Root) -> int:
    """A descriptor of the root folder, its marker checked. Raises RootUnavailable."""
    try:
        fd = os.open(root.path, FOLDER_FLAGS)
    except OSError as error:
        raise faults.of_root(error, root) from error
    try:
        _check_marker(fd, root)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _check_marker(fd: int, root: Root) -> None:
    """An unmounted share is an empty folder: without our marker nothing is written there."""
    if not root.marker_id:
        return
    try:
        marker = os.open(MARKER_NAME, READ_FLAGS, dir_fd=fd)
        try:
            found = os.read(marker, 4096)
        finally:
            os.close(marker)
    except OSError as error:
        words = "its marker file is missing (not mounted?)" if error.errno == errno.ENOENT else str(error.strerror)
        raise RootUnavailable(root.kind.value, root.path, words) from error
    if root.marker_id.encode() not in found:
        raise RootUnavailable(root.kind.value, root.path, "its marker file belongs to another installation")


class Folders:
    """Open folders under several roots, reused while one group of files is worked on."""

    def __init__(self) -> None:
        self._limit = min(OPEN_AT_MOST, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4)
        self._roots: dict[int, int] = {}
        self._open: OrderedDict[tuple[int, bytes], int] = OrderedDict()
        self._changed: dict[tuple[int, bytes], Root] = {}

    def __enter__(self) -> Folders:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every descriptor."""
        for fd in (*self._open.values(), *self._roots.values()):
            os.close(fd)
        self._open.clear()
        self._roots.clear()

    def root(self, root: Root) -> int:
        """The root's own descriptor. Raises RootUnavailable."""
        if root.id not in self._roots:
            self._roots[root.id] = open_root(root)
        return self._roots[root.id]

    def open(self, root: Root, folder: bytes) -> int:
        """A folder below the root. Raises OSError: ENOENT when it is missing, ELOOP or ENOTDIR when it is none.

        The descriptor stays valid until many other folders have been opened: use it at once.
        """
        return self._get(root, folder, make=False)

    def make(self, root: Root, folder: bytes) -> int:
        """As `open`, but missing folders are made (the process's umask applies)."""
        return self._get(root, folder, make=True)

    def _get(self, root: Root, folder: bytes, make: bool) -> int:
        if not folder:
            return self.root(root)
        key = (root.id, folder)
        if key not in self._open:
            while len(self._open) >= self._limit:
                os.close(self._open.popitem(last=False)[1])
            self._open[key] = self._descend(root, folder, make)
        self._open.move_to_end(key)
        return self._open[key]

    def _descend(self, root: Root, folder: bytes, make: bool) -> int:
        top = parent = self.root(root)
        parts = folder.split(b"/")
        for depth, part in enumerate(parts):
            try:
                fd = self._step(parent, part, root, b"/".join(parts[:depth]), make)
            finally:
                if parent != top:
                    os.close(parent)
            parent = fd
        return parent

    def _step(self, parent: int, part: bytes, root: Root, parent_path: bytes, make: bool) -> int:
        try:
            return os.open(part, FOLDER_FLAGS | os.O_NOFOLLOW, dir_fd=parent)
        except FileNotFoundError:
            if not make:
                raise
        try:
            os.mkdir(part, 0o777, dir_fd=parent)
            self._changed[root.id, parent_path] = root
        except FileExistsError:
            pass
        return os.open(part, FOLDER_FLAGS | os.O_NOFOLLOW, dir_fd=parent)

    def changed(self, root: Root, folder: bytes) -> None:
        """Note that an entry of this folder was made, renamed or removed: `flush` makes that durable."""
        self._changed[root.id, folder] = root

    def removed(self, root: Root, folder: bytes) -> None:
        """Note that this folder itself was removed: nothing of it is left to flush, and some file systems (mergerfs)
        answer ESTALE to whoever asks them about it."""
        self._changed.pop((root.id, folder), None)
        fd = self._open.pop((root.id, folder), None)
        if fd is not None:
            os.close(fd)

    def flush(self) -> None:
        """Make every noted change of a folder durable. Raises RootUnavailable."""
        todo, self._changed = self._changed, {}
        flushed: set[int] = set()
        for (_, folder), root in todo.items():
            try:
                self._flush_one(root, folder, flushed, len(todo))
            except FileNotFoundError:
                continue  # the folder itself is gone, and with it what there was to flush
            except OSError as error:
                raise faults.of_root(error, root) from error

    def _flush_one(self, root: Root, folder: bytes, flushed: set[int], total: int) -> None:
        fd = self.open(root, folder)
        if total > FLUSH_SINGLY_AT_MOST and syscalls.one_flush_is_enough(fd):
            device = os.fstat(fd).st_dev
            if device not in flushed:
                syscalls.flush_file_system(fd)
                flushed.add(device)
            return
        flush_folder(fd)


def flush_folder(fd: int) -> None:
    """fsync a folder; file systems that cannot do that (EINVAL) are left to themselves."""
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
            raise
