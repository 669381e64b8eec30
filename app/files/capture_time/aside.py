"""Libraries of native code are asked in a fork of the reader: one that hangs or crashes costs its own answer alone."""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from app.files.capture_time.told import Told
from app.files.reader_process import end_with

#: With exiftool's share it stays below the time that a reader has for one file.
ANSWER_SECONDS = 3.0
MAX_ANSWER_BYTES = 1 << 20


def ask(read: Callable[[Told], None], faults: tuple[type[BaseException], ...], told: Told) -> bool:
    """Have a library add to what was told; whether it came to its end without any of these faults."""
    # The reader has no other thread; what it opened is only read.
    output, inlet = os.pipe()
    parent_id, child_id = os.getpid(), os.fork()
    if child_id == 0:
        os.close(output)
        _answer(read, faults, told, inlet, parent_id)
    os.close(inlet)
    try:
        said = _heard(output)
    finally:
        os.close(output)
        os.kill(child_id, signal.SIGKILL)
        os.waitpid(child_id, 0)
    return _take(said, told)


def _answer(
    read: Callable[[Told], None], faults: tuple[type[BaseException], ...], told: Told, inlet: int, parent_id: int
) -> None:
    """The fork's side; it never returns."""
    try:
        end_with(parent_id)
        is_done = True
        try:
            read(told)
        except faults:
            is_done = False
        with os.fdopen(inlet, "wb") as pipe:
            pipe.write(json.dumps({"done": is_done, "told": asdict(told)}).encode())
    finally:
        os._exit(0)


def _heard(output: int) -> bytes:
    said, deadline = b"", time.monotonic() + ANSWER_SECONDS
    while select.select([output], [], [], max(0.0, deadline - time.monotonic()))[0]:
        part = os.read(output, 1 << 16)
        if not part or len(said) > MAX_ANSWER_BYTES:
            return said
        said += part
    return b""


def _take(said: bytes, told: Told) -> bool:
    if not said:
        return False
    answer: dict[str, Any] = json.loads(said)
    for name, value in answer["told"].items():
        setattr(told, name, value)
    told.claims = [(source, text, zone) for source, text, zone in told.claims]
    return bool(answer["done"])
