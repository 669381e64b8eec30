"""The child's side of app/files/readers.py: dying with the parent, and answering line by line."""

from __future__ import annotations

import ctypes
import json
import os
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


def end_with(parent_id: int) -> None:
    """Have the kernel kill this process when its parent ends; covers a parent that ended before this call."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_id:
        os._exit(1)
