"""A copy of the database as it is at one moment, whole by itself, made while others write."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

from app.db.filesystem import flush
from app.errors import StateError

OWNER_ONLY = 0o600


def create_private(path: str) -> None:
    """Make a new empty file that from its first moment on only its owner may read. Raises OSError."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY))


def copy_private(path: str, target: str) -> None:
    """Copy the database at `path` to a new file that only its owner may read. Raises OSError, sqlite3.Error."""
    create_private(target)
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as conn:
        conn.execute("VACUUM INTO ?", (target,))


def snapshot_into(path: str, target: str) -> None:
    """`copy_private`, durably. Raises StateError; what was begun is then removed."""
    try:
        copy_private(path, target)
        flush(target)
    except (sqlite3.Error, OSError) as error:
        if not isinstance(error, FileExistsError) and os.path.lexists(target):
            os.unlink(target)
        raise StateError(f"The database {path} cannot be copied to {target}: {error}.") from error
