"""The database files of previews: each is a copy of the state database, kept beside it, that a preview plays on.

Named after its run: `previews/<run id>.sqlite` in the state folder. Once finished it is a plain file that is only read.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from app.db.connection import Database
from app.db.snapshot import copy_private
from app.errors import StateError

FOLDER = "previews"
NAME = re.compile(r"(\d+)\.sqlite(-wal|-shm|-journal)?")
COMPANIONS = ("-wal", "-shm", "-journal")
#: The newest finished previews can still be looked through.
KEPT = 2


def path_of(db: Database, run_id: int) -> str:
    """Where the copy of a preview lies, or would lie."""
    return os.path.join(os.path.dirname(os.path.abspath(db.path)), FOLDER, f"{run_id}.sqlite")


def is_kept(db: Database, run_id: int) -> bool:
    """Whether the copy of this preview is there."""
    try:
        os.stat(path_of(db, run_id))
    except FileNotFoundError:
        return False
    return True


@contextmanager
def opened(db: Database, run_id: int) -> Iterator[Database]:
    """The copy of a preview, to be worked on or read. Raises StateError when it cannot be used."""
    copy = Database(path_of(db, run_id), is_rehearsal=True)
    try:
        yield copy
    finally:
        copy.close()


def copy_database(db: Database, run_id: int) -> None:
    """Make the copy of a preview, in place of one that was cut off. Raises StateError, also for want of room."""
    path = path_of(db, run_id)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    _remove(path)
    try:
        copy_private(db.path, path)
    except (sqlite3.DatabaseError, OSError) as error:
        _remove(path)
        raise StateError(f"The database could not be copied to {path}: {error}.") from error


def finish(db: Database, run_id: int) -> None:
    """Fold everything into the one file, and remove the copies of older previews."""
    with closing(sqlite3.connect(path_of(db, run_id), timeout=30, isolation_level=None)) as conn:
        conn.execute("PRAGMA journal_mode=DELETE").fetchall()
    remove_all_but(db, KEPT)


def remove_all_but(db: Database, newest: int) -> list[int]:
    """Remove all copies but the newest ones; returns the runs whose copies are gone."""
    folder = os.path.dirname(path_of(db, 0))
    found = sorted({int(match[1]) for name in _names(folder) if (match := NAME.fullmatch(name))}, reverse=True)
    for run_id in found[newest:]:
        _remove(path_of(db, run_id))
    return found[newest:]


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def _remove(path: str) -> None:
    for name in (path, *(path + ending for ending in COMPANIONS)):
        with suppress(FileNotFoundError):
            os.unlink(name)
