"""How much a piece of code does, counted and not timed: the same on every machine and under any load."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def instructions_of(work: Callable[[], object]) -> int:
    """How many instructions of Python's machine a call carries out, in all functions that it calls."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        if event == "call":
            frame.f_trace_lines, frame.f_trace_opcodes = False, True
        elif event == "opcode":
            count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def assert_grows_evenly(work: Callable[[int], Callable[[], object]], small: int, *, times: int = 4) -> None:
    """`work(size)` prepares a call; for `times` the size it may take hardly more than `times` the instructions."""
    few, many = instructions_of(work(small)), instructions_of(work(small * times))
    assert few > small, "nothing was done for most of the files"
    assert many <= few * times * 1.25, (few, many)
