"""Processes that read the ends of files for who has other work to do meanwhile, tens of thousands a second.

They do what `digest_heads` does, as far as it is easy: a file that is not what was found, that some program has open
for writing or that cannot be read is left to that, which tells why. So is everything a process had when it died.

What is said: (root, [(folder, [(name, (inode, bytes, mtime, ctime)), ...]), ...], whether to read all of them); the
answers come in the order of the files: the digest of the whole file where it is small or all of it was asked for, else
a piece of that of both its ends; or None. Both sides are the same Python, so values go over as `marshal` writes them.
"""

from __future__ import annotations

import fcntl
import os
import selectors
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from app.files import head_reader
from app.files.head_reader import Messages, message

PROGRAM = str(Path(head_reader.__file__).resolve())
#: The key of a file, and its BLAKE3 digest where it was read whole, else a piece of that of both its ends; or None.
Read = tuple[int, bytes | None]
#: Room for all that a process has to do and to say, so that neither waits for the other.
PIPE_BYTES = 1 << 20
#: Files given at once, and where no such room is to be had. A process has less than twice as many.
CHUNK, SMALL_CHUNK = 2_000, 500
#: Files to read whole that a process has at once: they are given up when they take too long.
WHOLE_CHUNK = 4

#: (path, key, its signature when it was found) of a file to read; the key comes back with what was read.
ToRead = tuple[bytes, int, tuple[int, ...]]


class HeadReaders:
    """Processes for files below one folder; used as a context manager by one thread. `offer` waits for nothing."""

    def __init__(self, root: bytes, count: int = 2) -> None:
        self._root = root
        self._offered: deque[ToRead] = deque()
        self._offered_whole: deque[ToRead] = deque()
        self._selector = selectors.DefaultSelector()
        self._processes = [_Process() for _ in range(max(1, count))]
        for process in self._processes:
            self._selector.register(process.output, selectors.EVENT_READ, process)

    def __enter__(self) -> HeadReaders:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        for process in self._processes:
            process.end()

    def offer(self, wanted: Iterable[ToRead]) -> None:
        """Take files to read, those of one folder together."""
        self._offered.extend(wanted)
        self._feed()

    def offer_whole(self, wanted: Iterable[ToRead]) -> None:
        """Take files to read from their beginning to their end; those of which the ends are to be read come first."""
        self._offered_whole.extend(wanted)
        self._feed()

    def collect(self, wait_seconds: float = 0.0) -> list[Read]:
        """What has been read since; waits at most so long for the first."""
        read = [one for key, _ in self._selector.select(wait_seconds) for one in self._hear(key.data)]
        self._feed()
        if not self._processes:
            read += [(key, None) for _, key, _ in (*self._offered, *self._offered_whole)]
            self._offered.clear()
            self._offered_whole.clear()
        return read

    def _feed(self) -> None:
        for process in self._processes:
            while self._offered and len(process.given) < process.chunk:
                part = [self._offered.popleft() for _ in range(min(process.chunk, len(self._offered)))]
                process.give(self._root, part)
            while self._offered_whole and len(process.given) < WHOLE_CHUNK:
                process.give(self._root, [self._offered_whole.popleft()], is_whole=True)

    def _hear(self, process: _Process) -> list[Read]:
        read = process.listen()
        if read is not None:
            return read
        self._selector.unregister(process.output)
        self._processes.remove(process)
        process.end()
        return [(key, None) for key in process.given]


class _Process:
    """One of them, and the keys of what it has to read."""

    def __init__(self) -> None:
        spec = find_spec("blake3")
        assert spec is not None and spec.origin is not None
        self.given: deque[int] = deque()
        self._answers = Messages()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", PROGRAM, str(Path(spec.origin).parents[1])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        assert self._process.stdin is not None and self._process.stdout is not None
        self._input, self.output = self._process.stdin.fileno(), self._process.stdout.fileno()
        self.chunk = CHUNK if _widened(self._input) and _widened(self.output) else SMALL_CHUNK

    def give(self, root: bytes, files: Sequence[ToRead], *, is_whole: bool = False) -> None:
        """Hand files over; that it has died is noticed when it is listened to."""
        self.given.extend(key for _, key, _ in files)
        said = message((root, _by_folder(files), is_whole))
        with suppress(BrokenPipeError):
            while said:
                said = said[os.write(self._input, said) :]

    def listen(self) -> list[Read] | None:
        """What it has read, or None when it is dead or talks nonsense."""
        said = os.read(self.output, PIPE_BYTES)
        try:
            answers = [one for part in self._answers.take(said) for one in part]
        except (ValueError, EOFError, TypeError):
            return None
        if not said or len(answers) > len(self.given):
            return None
        return [(self.given.popleft(), answer) for answer in answers]

    def end(self) -> None:
        """Kill it, and wait for it."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with suppress(BrokenPipeError):
                stream.close()


def _by_folder(files: Sequence[ToRead]) -> list[tuple[bytes, list[tuple[bytes, tuple[int, ...]]]]]:
    found: list[tuple[bytes, list[tuple[bytes, tuple[int, ...]]]]] = []
    last = None
    for path, _, signature in files:
        folder, _, name = path.rpartition(b"/")
        if folder != last:
            found.append((last := folder, in_folder := []))
        in_folder.append((name, signature[1:]))
    return found


def _widened(pipe: int) -> bool:
    try:
        return fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES) >= PIPE_BYTES
    except OSError:
        return False
