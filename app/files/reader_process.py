"""The child's side of app/files/readers.py: dying with the parent, and answering line by line."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

PR_SET_PDEATHSIG = 1
#: So many requests are prepared while as many are answered: each may be an open file.
WINDOW = 64
#: Made once: `json.dumps` looks its arguments through for each call.
_as_json = json.JSONEncoder(check_circular=False).encode


def serve(
    answer: Callable[[list[Any]], Any],
    prepare: Callable[[list[list[Any]]], None] | None = None,
    linger_seconds: float = 0.0,
) -> None:
    """Answer every request until the input ends. `prepare` sees requests that wait, before their turn comes.

    Answers that come within `linger_seconds` are sent together; a crash then costs files that were answered already.
    """
    end_with(int(sys.argv[1]))
    # A library that prints must not talk into the answers.
    output = os.dup(1)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    buffer = b""
    while said := os.read(0, 1 << 18):
        *lines, buffer = (buffer + said).split(b"\n")
        requests = [json.loads(line) for line in lines]
        if prepare is not None:
            prepare(requests[:WINDOW])
        said_at, ready = time.monotonic(), b""
        for number, request in enumerate(requests):
            if prepare is not None and number % WINDOW == 0:
                prepare(requests[number + WINDOW : number + 2 * WINDOW])
            ready += _as_json(answer(request)).encode() + b"\n"
            if time.monotonic() - said_at >= linger_seconds:
                os.write(output, ready)
                said_at, ready = time.monotonic(), b""
        if ready:
            os.write(output, ready)


def confine(memory_bytes: int, open_files: int) -> None:
    """From now on this process has no more memory and open files than that, and cannot write a file."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))


def allow_processor_time(seconds: int) -> None:
    """This much more from now on; the kernel kills a process that uses it up on one file."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds, hard))


def end_with(parent_id: int) -> None:
    """Have the kernel kill this process when its parent ends; covers a parent that ended before this call."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_id:
        os._exit(1)
