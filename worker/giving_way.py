"""How the worker gives way to other programs on the machine, as system.worker_nice says."""

from __future__ import annotations

import ctypes
import os
import platform

from app.log import get_logger

#: From so much on it also waits for others at the disk.
IDLE_AT_DISK = 10
#: ioprio_set(2): the number of the call by architecture, "this process", and the class "idle".
IOPRIO_SET = {"x86_64": 251, "aarch64": 30}
THIS_PROCESS = 1
IDLE_CLASS = 3 << 13


def give_way(nice: int) -> None:
    """Take this niceness for this process and all that it starts later: 0 leaves things as they are.

    Call it before threads start: Linux gives each its own. A system that refuses is told of in the log.
    """
    if not nice:
        return
    try:
        os.setpriority(os.PRIO_PROCESS, 0, max(nice, os.getpriority(os.PRIO_PROCESS, 0)))
        if nice >= IDLE_AT_DISK:
            _wait_at_disk()
    except OSError as error:
        get_logger().warning("the worker cannot give way to other programs", reason=error.strerror or str(error))


def _wait_at_disk() -> None:
    number = IOPRIO_SET.get(platform.machine())
    if number is None:
        return
    if ctypes.CDLL(None, use_errno=True).syscall(number, THIS_PROCESS, 0, IDLE_CLASS) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
