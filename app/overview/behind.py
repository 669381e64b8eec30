"""Counts and other answers that take long in a large library: made behind the pages, so that none waits for one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Connection, Engine

#: Of a library of so many files everything is counted while the answer waits.
COUNTED_AT_ONCE = 50_000
#: A count is repeated at the earliest after this many times the time that the last one took.
RECOUNT_AFTER_FACTOR = 200
#: How long it is told what went wrong with an answer; then it is tried again.
TOLD_SECONDS = 5.0
#: So many answers are remembered.
KEPT = 8

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


class _Made(Generic[T]):
    """One answer: being made, or there until some moment."""

    def __init__(self) -> None:
        self.answer: T | None = None
        self.error: Exception | None = None
        self.until = float("inf")
        self.is_there = threading.Event()


class MadeBehind(Generic[T]):
    """Answers by key, each made beside the pages that ask for it, one at a time: each takes a processor for itself.

    What was made is shown for `shown_seconds`; what went wrong is told for `TOLD_SECONDS`, then it is tried again.
    """

    def __init__(self, shown_seconds: float) -> None:
        self._shown_seconds = shown_seconds
        self._known: dict[Hashable, _Made[T]] = {}
        self._lock, self._making = threading.Lock(), threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T], patience_seconds: float = 0.0) -> T | None:
        """What `make` makes, or None when that is not there after `patience_seconds`. Raises what `make` raised."""
        with self._lock:
            found = self._known.get(key)
            if found is None or time.monotonic() >= found.until:
                found = self._begin(key, make)
        found.is_there.wait(patience_seconds)
        if found.error is not None:
            raise found.error
        return found.answer

    def forget(self, key: Hashable) -> None:
        """Have it made anew when it is asked for again, unless that is under way."""
        with self._lock:
            found = self._known.get(key)
            if found is not None and found.is_there.is_set():
                del self._known[key]

    def _begin(self, key: Hashable, make: Callable[[], T]) -> _Made[T]:
        while len(self._known) >= KEPT:
            self._known.pop(next(iter(self._known)))
        begun = self._known[key] = _Made()
        threading.Thread(target=self._make, args=(begun, make), daemon=True).start()
        return begun

    def _make(self, begun: _Made[T], make: Callable[[], T]) -> None:
        with self._making:
            try:
                begun.answer = make()
            except Exception as error:  # noqa: BLE001  raised again by get, in the thread that has a door
                begun.error = error
            begun.until = time.monotonic() + (self._shown_seconds if begun.error is None else TOLD_SECONDS)
            begun.is_there.set()
