"""Files of our state: put in place at once and durably, or kept aside under a name of their own; never replaced."""

from __future__ import annotations

import contextlib
import errno
import os
import uuid
from datetime import UTC, datetime

from app.backup.state import COMPANIONS
from app.db.filesystem import flush
from app.errors import StateError
from app.files import publish
from app.files.directory import flush_folder

FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
OWNER_ONLY = 0o600
#: Behind a path while something is being made that is going to lie there.
UNFINISHED = ".new-"


def stamp() -> str:
    """This moment, as part of a file name that sorts by time."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")


def unfinished_name(path: str) -> str:
    """A name beside a path for what is not finished; what an earlier try left at such names is removed."""
    folder, name = os.path.split(os.path.abspath(path))
    for found in os.listdir(folder):
        if found.startswith(name + UNFINISHED):
            os.unlink(os.path.join(folder, found))
    return os.path.join(folder, f"{name}{UNFINISHED}{uuid.uuid4().hex}")


def put_in_place(made: str, path: str) -> None:
    """Give a finished file its name, durably. Raises StateError when something is there already."""
    flush(made)
    try:
        _rename(made, path)
    except FileExistsError:
        raise StateError(f"{path} exists already; it is not replaced.") from None
    except OSError as error:
        raise StateError(f"{path} cannot be written: {error.strerror}.") from error


def keep_aside(path: str) -> str | None:
    """Give a file and its companions of SQLite another name, never replacing one; None when there is none of them.

    Also companions without their file go: a new database must never meet the write-ahead log of another one.
    """
    present = [suffix for suffix in ("", *COMPANIONS) if os.path.lexists(path + suffix)]
    if not present:
        return None
    number, moment = 1, stamp()
    while True:
        kept = f"{path}.kept-{moment}" + (f"-{number}" if number > 1 else "")
        if not any(os.path.lexists(kept + suffix) for suffix in ("", *COMPANIONS)):
            break
        number += 1
    # The log first: a database that lies here without it is merely older, a log without it is foreign.
    for suffix in reversed(present):
        _rename(path + suffix, kept + suffix)
    return kept


def _rename(source: str, target: str) -> None:
    """Both lie in one folder, or at least on one mount."""
    with contextlib.ExitStack() as opened:
        folders = []
        for path in (source, target):
            folders.append(os.open(os.path.dirname(os.path.abspath(path)), FOLDER_FLAGS))
            opened.callback(os.close, folders[-1])
        here, there = folders
        old, new = os.fsencode(os.path.basename(source)), os.fsencode(os.path.basename(target))
        try:
            if publish.publish(here, old, there, new, lambda _inode: None) == publish.LINK:
                os.unlink(old, dir_fd=here)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            words = f"{target} is mounted as a single file and cannot be replaced; mount its folder instead."
            raise StateError(words) from error
        for folder in folders:
            flush_folder(folder)
