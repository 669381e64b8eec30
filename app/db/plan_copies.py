"""The copy of the database on which a plan is made that changes nothing; it is gone when the plan is made."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from app.db.connection import Database
from app.db.snapshot import copy_private
from app.errors import StateError

FOLDER = "plans"


@contextmanager
def copied(db: Database, run_id: int) -> Iterator[Database]:
    """A copy of the rows as they are now, `plans/<run id>.sqlite` in the state folder. What plans that were cut off
    have left there goes. Raises StateError, also for want of room."""
    folder = os.path.join(os.path.dirname(os.path.abspath(db.path)), FOLDER)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    _remove_all(folder)
    path = os.path.join(folder, f"{run_id}.sqlite")
    try:
        copy_private(db.path, path)
    except (sqlite3.DatabaseError, OSError) as error:
        _remove_all(folder)
        raise StateError(f"The database could not be copied to {path}: {error}.") from error
    copy = Database(path, is_rehearsal=True)
    try:
        yield copy
    finally:
        copy.close()
        _remove_all(folder)


def _remove_all(folder: str) -> None:
    for name in os.listdir(folder):
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, name))
