"""Opening the database: WAL, synchronous=FULL, foreign keys, and two kinds of transaction.

FULL because with NORMAL a power cut takes back committed rows, and the move journal must never forget.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from app.errors import StateError

#: Code outside app/db types the connections that it is given by this module's name.
__all__ = ["BUSY_TIMEOUT_SECONDS", "Connection", "Database"]

#: How long a writer waits for another one before it gives up.
BUSY_TIMEOUT_SECONDS = 30
#: So often a waiting writer looks whether the other one is done. SQLite itself sleeps up to a tenth of a second between
#: two looks, in which whoever writes one transaction after the other has long begun the next.
LOOK_SECONDS = 0.003
#: Whoever has written for so long leaves the database alone for so long before it goes on: time for a few looks.
LONG_SECONDS, ASIDE_SECONDS = 0.05, 3 * LOOK_SECONDS
#: So often others may spoil what is read before it is written; then they have to wait.
TRIES_BESIDE_OTHERS = 3

T = TypeVar("T")

#: How much of the database each connection keeps in memory.
CACHE_BYTES = 16 << 20

#: Connections that stay open, each with its memory; and how many more may be opened at once, and closed again.
KEPT_CONNECTIONS, MORE_CONNECTIONS = 2, 30

PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    f"PRAGMA cache_size=-{CACHE_BYTES // 1024}",
    # 16 MB: the pages that every commit changes again are folded in four times less often.
    "PRAGMA wal_autocheckpoint=4000",
)


class _ChangedMeanwhile(StateError):
    """Somebody writes, or has written since a transaction began to read; nothing of it was written."""


class Database:
    """One open database. Threads may share it; processes must each open their own.

    `is_rehearsal` marks the copy that a preview works on: whoever moves media refuses to do so for it.
    """

    def __init__(self, path: str, *, is_rehearsal: bool = False) -> None:
        self.path = path
        self.is_rehearsal = is_rehearsal
        self.engine: Engine = _engine(path)

    @contextmanager
    def transaction(self, cache_bytes: int = CACHE_BYTES) -> Iterator[Connection]:
        """A write transaction (BEGIN IMMEDIATE): commits at the end, rolls back on any error. More of the database
        may be kept in memory meanwhile, where very much is written at once.

        Who writes much does it in several transactions of a part of a second each: other writers come in between.

        Raises StateError when the database is locked for too long, full or damaged.
        """
        with _plain_errors(self.path), self.engine.connect() as plain:
            conn = plain.execution_options(begin="IMMEDIATE")
            try:
                with conn.begin():
                    began_at = time.monotonic()
                    if cache_bytes != CACHE_BYTES:
                        conn.exec_driver_sql(_cache_pragma(cache_bytes))
                    yield conn
                _step_aside(time.monotonic() - began_at)
            finally:
                if cache_bytes != CACHE_BYTES:
                    plain.connection.cursor().execute(_cache_pragma(CACHE_BYTES))

    def read_then_write(self, act: Callable[[Connection], T]) -> T:
        """Do what reads long and then writes, as one transaction, in which others may write until its first write.

        When one of them has, what was read is the past: nothing is written, and `act` is called again, the last time
        in `transaction`. It must not do anything that lasts beside its writes.
        """
        for _ in range(TRIES_BESIDE_OTHERS):
            with suppress(_ChangedMeanwhile), self.reading() as conn:
                return act(conn)
        with self.transaction() as conn:
            return act(conn)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A short read transaction with a stable view. Raises StateError as `transaction` does."""
        with _plain_errors(self.path), self.engine.connect() as conn, conn.begin():
            yield conn

    def checkpoint(self) -> None:
        """Fold the write-ahead log into the database and shorten its file, unless a reader stands in the way."""
        with _plain_errors(self.path):
            raw = self.engine.raw_connection()
            try:
                raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                raw.close()

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def _cache_pragma(size_bytes: int) -> str:
    return f"PRAGMA cache_size=-{size_bytes // 1024}"


def _step_aside(written_seconds: float) -> None:
    if written_seconds > LONG_SECONDS:
        time.sleep(ASIDE_SECONDS)


@contextmanager
def _plain_errors(path: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.IntegrityError):
            raise
        said = f"The database {path} cannot be used: {error.orig}."
        # Also what SQLite says at once to a reader who wants to write while another one does.
        raise (_ChangedMeanwhile if _is_busy(error) else StateError)(said) from error


def _engine(path: str) -> Engine:
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        pool_size=KEPT_CONNECTIONS,
        max_overflow=MORE_CONNECTIONS,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(dbapi_connection: Any, _record: object) -> None:
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(conn: Connection) -> None:
    if conn.get_execution_options().get("begin") == "IMMEDIATE":
        _begin_to_write(conn)
    else:
        conn.exec_driver_sql("BEGIN DEFERRED")


def _begin_to_write(conn: Connection) -> None:
    execute, gives_up_at = conn.connection.cursor().execute, time.monotonic() + BUSY_TIMEOUT_SECONDS
    execute("PRAGMA busy_timeout=0")
    try:
        while not _has_begun(conn, gives_up_at):
            time.sleep(LOOK_SECONDS)
    finally:
        execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_SECONDS * 1000}")


def _has_begun(conn: Connection, gives_up_at: float) -> bool:
    try:
        conn.exec_driver_sql("BEGIN IMMEDIATE")
    except DBAPIError as error:
        if not _is_busy(error) or time.monotonic() > gives_up_at:
            raise
        return False
    return True


def _is_busy(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
