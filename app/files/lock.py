"""One mover at a time: an flock on a file in the state folder, held by the process that moves.

The kernel gives it back when the process ends, however it ends. It counts within a process, so code that holds it
may call code that takes it. Threads of one process are kept apart by `moving`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.db.connection import Database
from app.errors import MoverBusy, StateError

LOCK_NAME = "mover.lock"

LOOKS_TO_OUTLAST, LOOK_SECONDS = 3, 0.01

#: Held by the thread that moves, for as long as one call works on media.
moving = threading.RLock()

_guard = threading.Lock()
_held: dict[str, tuple[int, int]] = {}


def _forget_in_child() -> None:
    """A forked child shares the parent's lock but is not the mover."""
    global _guard, moving
    _guard, moving = threading.Lock(), threading.RLock()
    for fd, _ in _held.values():
        os.close(fd)
    _held.clear()


os.register_at_fork(after_in_child=_forget_in_child)


def refuse_rehearsal(db: Database) -> None:
    """Raise StateError for the database of a preview: nothing may be moved because of its rows."""
    if db.is_rehearsal:
        raise StateError(f"{db.path} is the copy that a preview works on; no file is moved for it.")


@contextmanager
def mover_lock(state_dir: Path | str) -> Iterator[None]:
    """Hold the mover's lock. Raises MoverBusy at once when another process holds it."""
    path = os.path.join(os.path.realpath(state_dir), LOCK_NAME)
    _acquire(path)
    try:
        yield
    finally:
        _release(path)


def _acquire(path: str) -> None:
    with _guard:
        if path in _held:
            fd, count = _held[path]
            _held[path] = (fd, count + 1)
            return
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        if not _try_patiently(fd):
            os.close(fd)
            raise MoverBusy("Another process is moving files; wait for it to end.")
        _held[path] = (fd, 1)


def _release(path: str) -> None:
    with _guard:
        if path not in _held:
            return  # forked away meanwhile
        fd, count = _held[path]
        if count > 1:
            _held[path] = (fd, count - 1)
            return
        del _held[path]
        os.close(fd)


def _try_patiently(fd: int) -> bool:
    """A look by `is_locked` holds the lock for an instant; that is no other mover."""
    for _ in range(LOOKS_TO_OUTLAST):
        if _try(fd):
            return True
        time.sleep(LOOK_SECONDS)
    return _try(fd)


def _try(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def is_locked(state_dir: Path | str) -> bool:
    """Whether any process, this one included, holds the mover's lock now."""
    try:
        fd = os.open(os.path.join(os.path.realpath(state_dir), LOCK_NAME), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _try(fd)
    finally:
        os.close(fd)


def find_holder(state_dir: Path | str) -> int | None:
    """The process that holds the mover's lock now, 0 when it is held and the kernel does not tell by whom, or None."""
    if not is_locked(state_dir):
        return None
    try:
        found = os.stat(os.path.join(os.path.realpath(state_dir), LOCK_NAME))
        with open("/proc/locks", encoding="ascii") as file:
            lines = [line.split() for line in file]
    except OSError:
        return 0
    ours = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    holders = [int(parts[4]) for parts in lines if parts[1] == "FLOCK" and parts[5] == ours]
    return max(holders, default=0)
