"""The program that hashes files: `python -m app.files.hash_reader <parent>`. See app/files/digest.py.

Imports as little as it can: it is started for every dedup step.
"""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
import signal
import stat
from contextlib import suppress
from typing import Any

from blake3 import blake3

from app.files.head_reader import END_BYTES, FILE_FLAGS, HEAD_DIGEST_BYTES, fill, has_writer, open_folder
from app.files.reader_process import serve

__all__ = ["BUFFER_BYTES", "END_BYTES", "HEAD", "digests_of", "facts", "has_writer", "open_file"]

BUFFER_BYTES = 1 << 20
#: How much of each waiting file the kernel is asked to fetch ahead.
FETCH_AHEAD_BYTES = 1 << 20
#: Asked for in place of an algorithm.
HEAD = "head"
#: Answers that come so close together are sent as one.
LINGER_SECONDS = 0.005

#: Answers that are not digests, beside ["error", words].
CHANGED, VANISHED, BEING_WRITTEN, ERROR = "changed", "vanished", "being_written", "error"

def open_file(root: bytes, path: bytes) -> int:
    """A read-only descriptor of a file under a root, reached without following any symbolic link below the root."""
    folder, _, name = path.rpartition(b"/")
    descriptor = open_folder(root, folder)
    try:
        return os.open(name, FILE_FLAGS, dir_fd=descriptor)
    finally:
        os.close(descriptor)


def facts(status: os.stat_result) -> list[int]:
    """Device, inode, size, mtime and ctime: what must be the same before and after reading."""
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def hash_descriptor(descriptor: int, algorithm: str, buffer: mmap.mmap) -> tuple[str, str]:
    """(digest, sha256) of all that the descriptor gives, read once."""
    sha256 = hashlib.sha256()
    quick = blake3() if algorithm == "blake3" else None
    view = memoryview(buffer)
    try:
        offset = 0
        while count := os.preadv(descriptor, [view], offset):
            offset += count
            sha256.update(view[:count])
            if quick is not None:
                quick.update(view[:count])
    finally:
        view.release()
    proof = sha256.hexdigest()
    return (quick.hexdigest() if quick is not None else proof), proof


def head_digest(descriptor: int, size_bytes: int, buffer: mmap.mmap) -> str:
    """The digest of both ends of a file, or of all of it where they meet."""
    view = memoryview(buffer)
    try:
        if size_bytes <= 2 * END_BYTES:
            count = fill(descriptor, view[: 2 * END_BYTES], 0)
        else:
            count = fill(descriptor, view[:END_BYTES], 0)
            count += fill(descriptor, view[count : count + END_BYTES], size_bytes - END_BYTES)
        return blake3(view[:count]).hexdigest(length=HEAD_DIGEST_BYTES)
    finally:
        view.release()


def digests_of(descriptor: int, size_bytes: int, algorithm: str, buffer: mmap.mmap) -> tuple[str, str, str]:
    """(head digest, digest, sha256) of a file; a small one is read once for all of them."""
    if size_bytes > 2 * END_BYTES:
        return head_digest(descriptor, size_bytes, buffer), *hash_descriptor(descriptor, algorithm, buffer)
    with memoryview(buffer) as view, view[: fill(descriptor, view[: 2 * END_BYTES], 0)] as content:
        quick, proof = blake3(content).hexdigest(), hashlib.sha256(content).hexdigest()
    return quick[: 2 * HEAD_DIGEST_BYTES], quick if algorithm == "blake3" else proof, proof


class HashReader:
    """Answers [root, path, facts, algorithm] with [head digest, digest, sha256], [root, path, facts, HEAD] with
    [head digest], and both with one of the words above where there is none."""

    def __init__(self) -> None:
        self._buffer = mmap.mmap(-1, BUFFER_BYTES)
        self._open: dict[tuple[str, str], int | OSError] = {}
        self._folder: tuple[str, str] | None = None
        self._folder_descriptor = -1

    def prepare(self, requests: list[list[Any]]) -> None:
        """Open what is going to be asked for and have the kernel fetch it."""
        for root, path, expected, algorithm in requests:
            self._open[(root, path)] = self._opened(root, path, expected[2], algorithm)
        self._leave_folder()

    def answer(self, request: list[Any]) -> list[str]:
        """Hash one file, or say why not."""
        root, path, expected, algorithm = request
        descriptor = self._open.pop((root, path), None)
        try:
            descriptor = self._opened(root, path, expected[2], algorithm) if descriptor is None else descriptor
            if isinstance(descriptor, OSError):
                raise descriptor
            return self._hash(descriptor, expected, algorithm)
        except (FileNotFoundError, NotADirectoryError):
            return [VANISHED]
        except OSError as error:
            return [CHANGED] if error.errno == errno.ELOOP else [ERROR, error.strerror or str(error)]
        finally:
            if isinstance(descriptor, int):
                os.close(descriptor)

    def _hash(self, descriptor: int, expected: list[int], algorithm: str) -> list[str]:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode) or facts(before)[1:] != expected[1:]:
            return [CHANGED]
        if has_writer(descriptor):
            return [BEING_WRITTEN]
        if algorithm == HEAD:
            digests = [head_digest(descriptor, before.st_size, self._buffer)]
        else:
            digests = [*digests_of(descriptor, before.st_size, algorithm, self._buffer)]
        return digests if facts(os.fstat(descriptor)) == facts(before) else [CHANGED]

    def _opened(self, root: str, path: str, size_bytes: int, algorithm: str) -> int | OSError:
        folder, _, name = path.rpartition("/")
        try:
            descriptor = os.open(name.encode("latin-1"), FILE_FLAGS, dir_fd=self._entered(root, folder))
        except OSError as error:
            return error
        ahead = FETCH_AHEAD_BYTES if algorithm != HEAD or size_bytes <= 2 * END_BYTES else END_BYTES
        with suppress(OSError):
            os.posix_fadvise(descriptor, 0, ahead, os.POSIX_FADV_WILLNEED)
            if ahead < size_bytes:
                os.posix_fadvise(descriptor, size_bytes - END_BYTES, END_BYTES, os.POSIX_FADV_WILLNEED)
        return descriptor

    def _entered(self, root: str, folder: str) -> int:
        """The descriptor of a folder; that of the last one is kept, for files of one folder come together."""
        if self._folder != (root, folder):
            self._leave_folder()
            self._folder_descriptor = open_folder(root.encode("latin-1"), folder.encode("latin-1"))
            self._folder = (root, folder)
        return self._folder_descriptor

    def _leave_folder(self) -> None:
        if self._folder is not None:
            os.close(self._folder_descriptor)
            self._folder = None


if __name__ == "__main__":
    # Whoever opens a file for writing in the moment of our lease makes the kernel send this; it must not kill us.
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    reader = HashReader()
    serve(reader.answer, reader.prepare, LINGER_SECONDS)
