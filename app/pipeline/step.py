"""What a stage is given: which run and step it works for, and a way to report progress and to be stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from app.db import runs
from app.pipeline.pace import Pace
from app.services import Services

#: Progress is written, and wishes are read, at most this often.
PROGRESS_INTERVAL_SECONDS = 0.5

#: The reason for `Stopped` beside a person's "pause" and "cancel".
STOPPING = "stopping"


class Stopped(Exception):
    """A stage was asked to stop at a safe point; everything it has done so far is committed.

    `wish` is "pause" or "cancel" (a person asked), or "stopping" (the worker is shutting down).
    """

    def __init__(self, wish: str) -> None:
        self.wish = wish
        super().__init__(f"The step was stopped ({wish}).")


class StepContext:
    """One stage at work inside one run. Stages call `safe_point` between files, never inside one."""

    def __init__(
        self,
        services: Services,
        run_id: int,
        step_id: int,
        batch_id: int | None,
        stopping: threading.Event | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.services = services
        self.run_id = run_id
        self.step_id = step_id
        self.batch_id = batch_id
        self.stopping = stopping if stopping is not None else threading.Event()
        self.arguments: Mapping[str, Any] = arguments or {}
        self._next_look = 0.0
        self._pace = Pace()
        self._latest: tuple[int, int, int] | None = None

    def safe_point(self, done: int, total: int, size_bytes: int = 0, left_bytes: int | None = None) -> None:
        """Note how far the step is, and raise Stopped when it has to stop here. A total of 0 is not known.

        Cheap enough to be called for every file. Must not be called inside a transaction.
        """
        self._latest = (done, total, size_bytes)
        if self.stopping.is_set():
            raise Stopped(STOPPING)
        moment = time.monotonic()
        if moment < self._next_look:
            return
        self._next_look = moment + PROGRESS_INTERVAL_SECONDS
        self._pace.note(moment, done, total, size_bytes, left_bytes)
        with self.services.db.transaction() as conn:
            runs.progress(conn, self.step_id, done, total, size_bytes)
            runs.note_pace(conn, self.step_id, self._pace.as_detail())
            wish = runs.wish_of(conn, self.run_id)
        if wish is not None:
            raise Stopped(wish)

    @property
    def progress(self) -> tuple[int, int, int] | None:
        """(files done, files in all, bytes done) as last told at a safe point."""
        return self._latest
