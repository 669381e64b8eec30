"""Runs that start because new files came, as workflow.watch says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from app import jobs
from app.errors import Conflict, RootUnavailable
from app.log import get_logger
from app.model import Trigger
from app.pipeline.new_files import Look, NewFiles
from app.services import Services
from worker.scheduled_runs import may_start

TICK_SECONDS = 1.0
#: Files that stand still wait so long for others that are still being written, so that a photo and its RAW, or the
#: two halves of a Live Photo, go together. One that never stands still holds nobody up for ever.
PATIENCE_SECONDS = 600.0


class Watcher:
    """Looks into the ingest folders every `workflow.watch_seconds`, while nothing runs and nothing is in the way."""

    def __init__(self, stopping: threading.Event, clock: Callable[[], float] = time.monotonic) -> None:
        self._stopping, self._clock = stopping, clock
        self._news, self._at = NewFiles(clock), 0.0

    def watch(self, services: Services) -> int | None:
        """Ask for a run when new files stand still; returns its id. Does nothing between two looks."""
        if services.config.workflow.watch == "off" or self._clock() < self._at or not may_start(services):
            return None
        look = self._look(services)
        self._at = self._clock() + self._pause_seconds(services, look)
        is_time = look.still and (not look.changing or look.longest_seconds >= PATIENCE_SECONDS)
        return self._start(services, look) if is_time else None

    def _look(self, services: Services) -> Look:
        try:
            return self._news.look(services, self._stopping)
        except RootUnavailable as away:
            # The dashboard says so; a run would only wait for the folder.
            get_logger().debug("new files cannot be looked for", why=str(away))
            return Look()

    def _pause_seconds(self, services: Services, look: Look) -> float:
        """Until the next look: shorter where a file only has to be seen once more."""
        wanted = float(services.config.workflow.watch_seconds)
        return min(wanted, max(services.config.scan.settle_seconds, TICK_SECONDS)) if look.changing else wanted

    def _start(self, services: Services, look: Look) -> int | None:
        try:
            run = jobs.start_workflow(services, Trigger.WATCH)
        except Conflict as conflict:
            get_logger().debug("new files are there and no run can begin", why=str(conflict))
            return None
        get_logger().info("a run begins because new files came", run_id=run.id, files=look.still)
        self._news.answer(services.config.scan.settle_seconds)
        return run.id
