"""The program that verifies files: `python -m app.files.verify_reader <parent> <bytes per second>`.

Files are read from the disk, not from the memory that the system keeps of them: damage on a disk shows in no cache.
See app/files/verifying.py.
"""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
import signal
import stat
import sys
from contextlib import suppress
from typing import Any

from blake3 import blake3

from app.files.hash_reader import BUFFER_BYTES, FETCH_AHEAD_BYTES, facts, has_writer, open_file
from app.files.reader_process import serve
from app.files.throttle import Throttle

#: The first word of each answer. CHANGING: it is being changed just now; NO_FILE: something that is no plain file.
INTACT, ALTERED, READ, CHANGING, VANISHED, NO_FILE, ERROR = (
    "intact", "altered", "read", "changing", "vanished", "no_file", "error",
)  # fmt: skip
UNSTEADY = "reading it twice gave two different contents: the disk, its cable or the memory may be failing"

Digests = dict[str, str]


class VerifyReader:
    """Answers [root, path, algorithm, digest] with what is there now; with an empty digest, with its digests."""

    def __init__(self, bytes_per_second: float) -> None:
        self._buffer = mmap.mmap(-1, BUFFER_BYTES)
        self._throttle = Throttle(bytes_per_second)
        self._fetch_ahead = bytes_per_second <= 0
        self._open: dict[tuple[str, str], int | OSError] = {}

    def prepare(self, requests: list[list[Any]]) -> None:
        """Open what is going to be asked for, forget what the system remembers of it, have it fetched anew."""
        for root, path, _, _ in requests:
            self._open[(root, path)] = self._opened(root, path)

    def answer(self, request: list[Any]) -> list[Any]:
        """Read one file and compare it, or say why not."""
        root, path, algorithm, digest = request
        descriptor = self._open.pop((root, path), None)
        try:
            descriptor = self._opened(root, path) if descriptor is None else descriptor
            if isinstance(descriptor, OSError):
                raise descriptor
            return self._look(descriptor, algorithm, digest)
        except (FileNotFoundError, NotADirectoryError):
            return [VANISHED]
        except OSError as error:
            is_link = error.errno in (errno.ELOOP, errno.ENXIO)
            return [NO_FILE] if is_link else [ERROR, error.strerror or str(error)]
        finally:
            if isinstance(descriptor, int):
                os.close(descriptor)

    def _look(self, descriptor: int, algorithm: str, digest: str) -> list[Any]:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            return [NO_FILE]
        is_known, is_second = bool(digest), False
        found = self._read(descriptor, (algorithm,) if is_known else (algorithm, "sha256"))
        if is_known and found[algorithm] != digest:
            # A second opinion, again from the disk: one wrong read must not be told as a changed file.
            is_second, found = True, self._read(descriptor, (algorithm, "sha256"))
        seen = facts(before)
        if facts(os.fstat(descriptor)) != seen:
            return [CHANGING]
        if is_known and found[algorithm] == digest:
            return [ERROR, UNSTEADY] if is_second else [INTACT, seen]
        if has_writer(descriptor):
            return [CHANGING]
        return [ALTERED if is_known else READ, seen, found[algorithm], found["sha256"]]

    def _read(self, descriptor: int, algorithms: tuple[str, ...]) -> Digests:
        """The digests of the whole content, read once; what was read is not kept in memory afterwards."""
        hashers = {name: blake3() if name == "blake3" else hashlib.new(name) for name in algorithms}
        view = memoryview(self._buffer)
        offset = 0
        try:
            while count := os.preadv(descriptor, [view], offset):
                offset += count
                for hasher in hashers.values():
                    hasher.update(view[:count])
                self._throttle.take(count)
        finally:
            view.release()
            _forget(descriptor)
        return {name: hasher.hexdigest() for name, hasher in hashers.items()}

    def _opened(self, root: str, path: str) -> int | OSError:
        try:
            descriptor = open_file(root.encode("latin-1"), path.encode("latin-1"))
        except OSError as error:
            return error
        _forget(descriptor)
        if self._fetch_ahead:
            with suppress(OSError):
                os.posix_fadvise(descriptor, 0, FETCH_AHEAD_BYTES, os.POSIX_FADV_WILLNEED)
        return descriptor


def _forget(descriptor: int) -> None:
    with suppress(OSError):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


if __name__ == "__main__":
    # Whoever opens a file for writing in the moment of our lease makes the kernel send this; it must not kill us.
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    reader = VerifyReader(float(sys.argv[2]))
    serve(reader.answer, reader.prepare)
