"""A copy of the database as it is at one moment, whole by itself, made while others write."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

from app.errors import StateError

OWNER_ONLY = 0o600


def snapshot_into(path: str, target: str) -> None:
    """Copy the database at `path` to a new file. Raises StateError; what was begun is then removed."""
    try:
        with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as conn:
            conn.execute("VACUUM INTO ?", (target,))
        os.chmod(target, OWNER_ONLY)
        descriptor = os.open(target, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except (sqlite3.Error, OSError) as error:
        if os.path.lexists(target):
            os.unlink(target)
        raise StateError(f"The database {path} cannot be copied to {target}: {error}.") from error
