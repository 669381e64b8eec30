"""The queue's own SQLite file: opened when first used, once per process, never shared across a fork.

It is kept apart from the state database so that a long write there never delays an acknowledgement here.
Rows in it are wake-up calls; the runs table is the truth.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dramatiq.errors import BrokerConnectionError

#: How long a writer waits for another one before the call fails (and Dramatiq tries it again).
BUSY_TIMEOUT_SECONDS = 5.0

SCHEMA = """
CREATE TABLE IF NOT EXISTS dramatiq_messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL UNIQUE,
    queue_name TEXT NOT NULL,
    state TEXT NOT NULL,
    message TEXT NOT NULL,
    priority INTEGER NOT NULL DEFAULT 0,
    due_at_ms INTEGER NOT NULL DEFAULT 0,
    claim TEXT,
    mtime INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS ix_messages_next
    ON dramatiq_messages (queue_name, state, priority, seq);
"""


class QueueFile:
    """One process's access to the queue file. Threads share the one connection, one at a time."""

    def __init__(self, path: str, busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS) -> None:
        self.path = path
        self._busy_timeout_seconds = busy_timeout_seconds
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._owner_pid = 0

    @property
    def is_open(self) -> bool:
        """Whether this process has opened the file."""
        return self._connection is not None and self._owner_pid == os.getpid()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction. Raises BrokerConnectionError when the file is locked for too long or unusable."""
        self._forget_connection_of_another_process()
        with self._lock:
            try:
                connection = self._open()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                except BaseException:
                    connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._close_quietly()
                words = f"The queue {self.path} cannot be used: {error}."
                raise BrokerConnectionError(words) from error  # type: ignore[no-untyped-call]

    def has_row(self, query: str, parameters: tuple[Any, ...]) -> bool:
        """Whether a query finds anything, without a transaction. Raises BrokerConnectionError as `transaction` does."""
        self._forget_connection_of_another_process()
        with self._lock:
            try:
                return self._open().execute(query, parameters).fetchone() is not None
            except sqlite3.Error as error:
                self._close_quietly()
                words = f"The queue {self.path} cannot be used: {error}."
                raise BrokerConnectionError(words) from error  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            self._close_quietly()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            os.makedirs(os.path.dirname(os.path.abspath(self.path)), exist_ok=True)
            connection = sqlite3.connect(
                self.path, timeout=self._busy_timeout_seconds, isolation_level=None, check_same_thread=False
            )
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=NORMAL")
                connection.executescript(SCHEMA)
            except sqlite3.Error:
                connection.close()
                raise
            self._connection, self._owner_pid = connection, os.getpid()
        return self._connection

    def _forget_connection_of_another_process(self) -> None:
        if self._connection is not None and self._owner_pid != os.getpid():
            # After a fork, closing the parent's connection here would drop the parent's file locks.
            self._lock = threading.Lock()
            _INHERITED.append(self._connection)
            self._connection = None

    def _close_quietly(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


#: Connections inherited through a fork: kept from being collected, and thus from being closed.
_INHERITED: list[sqlite3.Connection] = []
