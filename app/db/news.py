"""Whether anybody has written to the database: a question that costs next to nothing, for whoever asks every second."""

from __future__ import annotations

import sqlite3
from contextlib import suppress

from app.db.connection import Database


class News:
    """Watches one database through a connection of its own. For one thread at a time."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self._connection: sqlite3.Connection | None = None
        self._version = -1

    def has_come(self) -> bool:
        """Whether something was committed since the last call; True at the first one, and when it cannot be told."""
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(self.db.path, isolation_level=None, check_same_thread=False)
            # It counts what others have committed, and this connection never writes.
            version = int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error:
            self.close()
            return True
        has_come, self._version = version != self._version, version
        return has_come

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection, self._version = None, -1
