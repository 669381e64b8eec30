"""Trying out what a root folder can do, in a folder of our own, before any media file depends on it."""

from __future__ import annotations

import os
import stat
import uuid
from collections.abc import Callable, Iterator

from app.errors import Problem, RootUnavailable
from app.files import syscalls
from app.model import Root

#: Below this no batch can be built and no copy be made.
LEAST_FREE_BYTES = 100_000_000

CONTENT = b"Media Pipeline tries this folder out; this file may be removed.\n"


def preflight(root: Root) -> list[Problem]:
    """What this root cannot do of all that moving files needs; leaves nothing behind.

    Raises RootUnavailable when not even a folder can be made in it.
    """
    folder = os.path.join(root.path, b".mp-" + uuid.uuid4().hex.encode() + b".probe")
    try:
        os.mkdir(folder)
    except OSError as error:
        raise RootUnavailable(root.kind, root.path, f"nothing can be written to it: {error.strerror}") from error
    try:
        found = [*_try_all(folder), *_room(root)]
    finally:
        left = _clear(folder)
    return [Problem(root.kind.value, message) for message in (*found, *left)]


def _try_all(folder: bytes) -> Iterator[str]:
    attempts: list[tuple[str, Callable[[bytes], None]]] = [
        ("files cannot be written", _write),
        ("permissions cannot be set, so files keep those of the mount", _set_mode),
        ("hard links cannot be made, so Syncthing's deletes cannot be held back", _link),
        ("a rename cannot be kept from replacing a file, so each move claims its name first", _rename),
        ("files cannot be renamed", _plain_rename),
    ]
    for message, attempt in attempts:
        try:
            attempt(folder)
        except OSError as error:
            yield f"{message} ({error.strerror})"


def _write(folder: bytes) -> None:
    descriptor = os.open(os.path.join(folder, b"one"), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, CONTENT)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _set_mode(folder: bytes) -> None:
    path = os.path.join(folder, b"one")
    os.chmod(path, 0o640)
    if stat.S_IMODE(os.stat(path).st_mode) != 0o640:
        raise OSError(0, "the mode did not change")


def _link(folder: bytes) -> None:
    os.link(os.path.join(folder, b"one"), os.path.join(folder, b"linked"))


def _rename(folder: bytes) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        syscalls.rename_without_replacing(descriptor, b"one", descriptor, b"two")
        syscalls.rename_without_replacing(descriptor, b"two", descriptor, b"one")
    finally:
        os.close(descriptor)


def _plain_rename(folder: bytes) -> None:
    os.rename(os.path.join(folder, b"one"), os.path.join(folder, b"two"))


def _clear(folder: bytes) -> list[str]:
    try:
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        os.rmdir(folder)
    except OSError as error:
        return [f"files cannot be removed ({error.strerror})"]
    return []


def _room(root: Root) -> list[str]:
    answer = os.statvfs(root.path)
    free_bytes = answer.f_bavail * answer.f_frsize
    if free_bytes >= LEAST_FREE_BYTES:
        return []
    return [f"only {free_bytes // 1_000_000} MB are free; at least {LEAST_FREE_BYTES // 1_000_000} MB are needed"]
