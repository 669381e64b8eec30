"""The program that reads the ends of files beside a scan: `python -I -S head_reader.py <folder of blake3>`.

A small file is read whole: its digest is known then; a larger one is read whole where that is asked for.
See app/files/head_readers.py for what is said and answered.
Imports next to nothing, not even this package: two of them are started for a scan that may take a tenth of a second.
"""

from __future__ import annotations

import errno
import fcntl
import marshal
import mmap
import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

#: A head digest is of so many bytes at the start of a file and at its end. With another number, those of before
#: would be of no use.
END_BYTES = 1 << 16
#: A piece of a digest: it tells files apart, and proves nothing.
HEAD_DIGEST_BYTES, DIGEST_BYTES = 8, 32
#: So many files are open ahead, their ends on the way from the disk.
WINDOW = 64
#: What is read whole is read so much at a time, while the kernel fetches what comes next.
BUFFER_BYTES, AHEAD_BYTES = 1 << 20, 8 << 20
#: How long a message is, before it.
LENGTH_BYTES = 4

FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class Messages:
    """Messages out of what comes through a pipe."""

    def __init__(self) -> None:
        self._buffer = b""

    def take(self, said: bytes) -> list[Any]:
        """Those that are complete now."""
        found, at, buffer = [], 0, self._buffer + said
        while (begin := at + LENGTH_BYTES) <= len(buffer):
            end = begin + int.from_bytes(buffer[at:begin], "little")
            if end > len(buffer):
                break
            found.append(marshal.loads(buffer[begin:end]))
            at = end
        self._buffer = buffer[at:]
        return found


def message(values: Any) -> bytes:
    """The same for the other side."""
    body = marshal.dumps(values)
    return len(body).to_bytes(LENGTH_BYTES, "little") + body


class HeadReader:
    """Reads what it is asked for, a window of files at a time. None stands for a file that is left to others."""

    def __init__(self, blake3: Callable[..., Any]) -> None:
        self._blake3 = blake3
        self._view = memoryview(mmap.mmap(-1, BUFFER_BYTES))

    def read(
        self, root: bytes, folders: Iterable[tuple[bytes, list[tuple[bytes, tuple[int, ...]]]]], is_whole: bool
    ) -> None:  # fmt: skip
        """Answer for every file of these folders, in their order."""
        self._is_whole = is_whole
        window: list[tuple[int | None, tuple[int, ...]]] = []
        for folder, files in folders:
            descriptor = _entered(root, folder)
            for name, facts in files:
                window.append((_opened(descriptor, name, facts[1]), facts))
                if len(window) >= 2 * WINDOW:
                    self._tell(window[:WINDOW])
                    del window[:WINDOW]
            if descriptor is not None:
                os.close(descriptor)
        self._tell(window)

    def _tell(self, window: Iterable[tuple[int | None, tuple[int, ...]]]) -> None:
        said = message([self._answer(descriptor, facts) for descriptor, facts in window])
        while said:
            said = said[os.write(1, said) :]

    def _answer(self, descriptor: int | None, facts: tuple[int, ...]) -> bytes | None:
        if descriptor is None:
            return None
        try:
            return self._digest(descriptor, facts)
        except OSError:
            return None
        finally:
            os.close(descriptor)

    def _digest(self, descriptor: int, facts: tuple[int, ...]) -> bytes | None:
        # The times of a file that was changed before it was read tell of it afterwards as well.
        if has_writer(descriptor):
            return None
        digest = self._of_all(descriptor, facts[1]) if self._is_whole else self._of_ends(descriptor, facts[1])
        return digest if _is(descriptor, facts) else None

    def _of_all(self, descriptor: int, size: int) -> bytes:
        hashing, view, offset = self._blake3(), self._view, 0
        ahead = 0
        while offset < size:
            if offset >= ahead - AHEAD_BYTES // 2:
                ahead = offset + AHEAD_BYTES
                os.posix_fadvise(descriptor, offset, AHEAD_BYTES, os.POSIX_FADV_WILLNEED)
            count = os.preadv(descriptor, (view,), offset)
            if not count:
                break
            hashing.update(view[:count])
            offset += count
        digest: bytes = hashing.digest(length=DIGEST_BYTES)
        return digest

    def _of_ends(self, descriptor: int, size: int) -> bytes:
        view = self._view
        is_small = size <= 2 * END_BYTES
        count = fill(descriptor, view[: size if is_small else END_BYTES], 0)
        if not is_small:
            count += fill(descriptor, view[count : count + END_BYTES], size - END_BYTES)
        length = DIGEST_BYTES if is_small else HEAD_DIGEST_BYTES
        digest: bytes = self._blake3(view[:count]).digest(length=length)
        return digest


def fill(descriptor: int, view: memoryview, offset: int) -> int:
    """Read as much as there is from there, as far as it fits; returns how much that was."""
    filled = os.preadv(descriptor, (view,), offset)
    while filled < len(view) and (count := os.preadv(descriptor, (view[filled:],), offset + filled)):
        filled += count
    return filled


def has_writer(descriptor: int) -> bool:
    """True when some program on this machine has the file open for writing, as far as the kernel tells us.

    A read lease is granted only when there is none; file systems and owners that allow no lease tell nothing.
    """
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _is(descriptor: int, facts: tuple[int, ...]) -> bool:
    seen = os.fstat(descriptor)
    now = (seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)
    return now == facts and stat.S_ISREG(seen.st_mode)


def open_folder(root: bytes, folder: bytes) -> int:
    """A descriptor of a folder under a root, reached without following any symbolic link below the root."""
    descriptor = os.open(root, FOLDER_FLAGS & ~os.O_NOFOLLOW)
    for part in folder.split(b"/") if folder else ():
        try:
            deeper = os.open(part, FOLDER_FLAGS, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = deeper
    return descriptor


def _entered(root: bytes, folder: bytes) -> int | None:
    try:
        return open_folder(root, folder)
    except OSError:
        return None


def _opened(folder: int | None, name: bytes, size_bytes: int) -> int | None:
    """A descriptor of a file whose ends the kernel was asked to fetch."""
    if folder is None:
        return None
    try:
        descriptor = os.open(name, FILE_FLAGS, dir_fd=folder)
    except OSError:
        return None
    try:
        if size_bytes <= 2 * END_BYTES:
            os.posix_fadvise(descriptor, 0, size_bytes, os.POSIX_FADV_WILLNEED)
        else:
            os.posix_fadvise(descriptor, 0, END_BYTES, os.POSIX_FADV_WILLNEED)
            os.posix_fadvise(descriptor, size_bytes - END_BYTES, END_BYTES, os.POSIX_FADV_WILLNEED)
    except OSError:
        return descriptor
    return descriptor


def main() -> None:
    """Serve until the input ends."""
    import signal

    # Whoever opens a file for writing in the moment of our lease makes the kernel send this; it must not kill us.
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    sys.path.append(sys.argv[1])
    from blake3 import blake3  # found in the folder that was named

    reader, asked = HeadReader(blake3), Messages()
    while said := os.read(0, 1 << 18):
        for root, folders, is_whole in asked.take(said):
            reader.read(root, folders, is_whole)


if __name__ == "__main__":
    main()
