"""Child processes that read files for us: hashing beside the interpreter's lock, parsing hostile bytes behind limits.

A reader is a small program of its own (`python -m app.files.hash_reader`), started by exec, so that it may be
started from a process with threads. It takes one JSON line per job and answers one line per job, in order.
It dies with the thread that started it, at the latest when its input ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

#: Jobs in one message. A reader has twice as many before its first answer, so that it never waits; bounds memory.
CHUNK = 32
#: Room for a chunk of large messages, so that giving it waits for nothing; where that is refused, it waits.
PIPE_BYTES = 1 << 20
#: An answer is a few hundred bytes; a reader that says more than this has lost its mind.
MAX_ANSWER_BYTES = 1 << 20
#: Made once: `json.dumps` looks its arguments through for each call.
_as_json = json.JSONEncoder(check_circular=False).encode
PROGRAM_FOLDER = str(Path(__file__).resolve().parents[2])


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a job: `value` is the reader's answer; `fault` says why there is none."""

    key: int
    value: Any = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One file to read: `key` comes back with the answer, `request` is JSON for the reader."""

    key: int
    request: Sequence[Any]


class _Reader:
    """One child process, the jobs it has, and what it has said so far."""

    def __init__(self, module: str, arguments: Sequence[str]) -> None:
        self.jobs: deque[Job] = deque()
        self.heard_at = time.monotonic()
        self._buffer = b""
        environment = {**os.environ, "PYTHONPATH": PROGRAM_FOLDER}
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, str(os.getpid()), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self.input, self.output = self.process.stdin.fileno(), self.process.stdout.fileno()
        with suppress(OSError):
            fcntl.fcntl(self.input, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def give(self, jobs: Sequence[Job]) -> None:
        """Hand jobs over; a reader that has died is noticed when it is listened to."""
        if not self.jobs:
            self.heard_at = time.monotonic()
        self.jobs.extend(jobs)
        message = "".join([_as_json(job.request) + "\n" for job in jobs]).encode()
        with suppress(BrokenPipeError):
            while message:
                message = message[os.write(self.input, message) :]

    def listen(self) -> list[Answer] | None:
        """The answers that have come, or None when the reader is dead or talks nonsense."""
        said = os.read(self.output, 1 << 16)
        *lines, self._buffer = (self._buffer + said).split(b"\n")
        if not said or len(self._buffer) > MAX_ANSWER_BYTES or len(lines) > len(self.jobs):
            return None
        self.heard_at = time.monotonic()
        try:
            return [Answer(self.jobs.popleft().key, json.loads(line)) for line in lines]
        except ValueError:
            return None

    def end(self) -> None:
        """Kill the reader and whatever it started, and wait for it."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            with suppress(BrokenPipeError):
                stream.close()


class Readers:
    """A few readers of one kind, used as a context manager by one thread."""

    def __init__(
        self,
        module: str,
        count: int,
        timeout_seconds: float | None = None,
        arguments: Sequence[str] = (),
        chunk: int = CHUNK,
    ) -> None:
        self._chunk = chunk
        self._module, self._arguments, self._timeout_seconds = module, arguments, timeout_seconds
        self._selector = selectors.DefaultSelector()
        self._readers: list[_Reader] = []
        for _ in range(max(1, count)):
            self._start()

    def __enter__(self) -> Readers:
        return self

    def __exit__(self, *_: object) -> None:
        for reader in list(self._readers):
            self._drop(reader)
        self._selector.close()

    def read(self, jobs: Iterable[Job], tick_seconds: float = 0.25) -> Iterator[Answer | None]:
        """The answer to every job, as they come; None now and then while nothing comes, so that the caller can look
        about. A reader that crashes or takes too long costs the one file that it was at, with a fault in words."""
        waiting = iter(jobs)
        while True:
            self._feed(waiting)
            if not any(reader.jobs for reader in self._readers):
                return
            heard = self._selector.select(tick_seconds)
            if not heard:
                yield None
            for key, _ in heard:
                yield from self._hear(key.data)
            yield from self._end_late_ones()

    def _feed(self, waiting: Iterator[Job]) -> None:
        for reader in self._readers:
            while len(reader.jobs) <= self._chunk:
                chunk = list(islice(waiting, self._chunk))
                if not chunk:
                    return
                reader.give(chunk)

    def _hear(self, reader: _Reader) -> Iterator[Answer]:
        if reader not in self._readers:
            return
        answers = reader.listen()
        if answers is not None:
            yield from answers
            return
        yield from self._replace(reader, "the program that reads it crashed on it")

    def _end_late_ones(self) -> Iterator[Answer]:
        if self._timeout_seconds is None:
            return
        limit = time.monotonic() - self._timeout_seconds
        for reader in [r for r in self._readers if r.jobs and r.heard_at < limit]:
            yield from self._replace(reader, f"reading it took longer than {self._timeout_seconds:.0f} s")

    def _replace(self, reader: _Reader, fault: str) -> Iterator[Answer]:
        jobs = reader.jobs
        self._drop(reader)
        fresh = self._start()
        if jobs:
            yield Answer(jobs.popleft().key, fault=fault)
        fresh.give(list(jobs))

    def _start(self) -> _Reader:
        reader = _Reader(self._module, self._arguments)
        self._readers.append(reader)
        self._selector.register(reader.output, selectors.EVENT_READ, reader)
        return reader

    def _drop(self, reader: _Reader) -> None:
        self._readers.remove(reader)
        self._selector.unregister(reader.output)
        reader.end()
