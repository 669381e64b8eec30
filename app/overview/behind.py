"""Counts that take long in a large library: made behind the answers, so that no page waits for one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Connection, Engine

#: Of a library of so many files everything is counted while the answer waits.
COUNTED_AT_ONCE = 50_000
#: A count is repeated at the earliest after this many times the time that the last one took.
RECOUNT_AFTER_FACTOR = 200

T = TypeVar("T")


@dataclass(frozen=True)
class _Counted(Generic[T]):
    """What was counted last, and until when that answer is used."""

    found: T
    until: float


class CountedBehind(Generic[T]):
    """One count, remembered by database. The first one is waited for; those that follow are made in the background."""

    def __init__(self, count: Callable[[Connection], T]) -> None:
        self._count = count
        self._known: dict[str, _Counted[T]] = {}
        self._counting: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()

    def answer(self, conn: Connection, database: str, files: int) -> T:
        """The count as it is now in a library of few files, else as it was made last, which is a moment ago."""
        if files <= COUNTED_AT_ONCE:
            return self._count(conn)
        with self._lock:
            known = self._known.get(database)
        if known is None:
            return self._count_and_keep(conn, database)
        if time.monotonic() >= known.until:
            self._count_in_background(conn.engine, database)
        return known.found

    def _count_and_keep(self, conn: Connection, database: str) -> T:
        began = time.monotonic()
        found = self._count(conn)
        ended = time.monotonic()
        with self._lock:
            self._known[database] = _Counted(found, ended + RECOUNT_AFTER_FACTOR * (ended - began))
        return found

    def _count_in_background(self, engine: Engine, database: str) -> None:
        def count() -> None:
            with engine.connect() as conn, conn.begin():
                self._count_and_keep(conn, database)

        with self._lock:
            counting = self._counting.get(database)
            if counting is None or not counting.is_alive():
                self._counting[database] = threading.Thread(target=count, daemon=True)
                self._counting[database].start()
