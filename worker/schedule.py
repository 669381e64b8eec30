"""What the worker does by the clock: a sign of life, runs that nobody woke it for, and deliveries under way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from app.db import facts, runs
from app.db.clock import now
from app.jobs.wake import HEARTBEAT_FACT, wake_worker
from app.log import get_logger
from app.model import RunStatus
from app.pipeline.tick import advance_debug_pause, look_at_deliveries, wake_waiting
from app.services import ServiceContainer
from worker.executor import Executor

TICK_SECONDS = 1.0
HEARTBEAT_SECONDS = 5.0
#: A queued run gets a new message this long after the last one; a second message for a run has no effect.
REMIND_SECONDS = 5.0


class Ticker(threading.Thread):
    """Calls `action` about every `seconds` until `stopping` is set; an error is logged and the next tick comes."""

    def __init__(self, name: str, action: Callable[[], None], stopping: threading.Event, seconds: float) -> None:
        super().__init__(name=name, daemon=True)
        self._action = action
        self._stopping = stopping
        self._seconds = seconds

    def run(self) -> None:
        """Tick until the worker stops."""
        while not self._stopping.is_set():
            try:
                self._action()
            # The tick is a door: one that fails must not end the ticking.
            except Exception as error:  # noqa: BLE001
                get_logger().error("a tick failed", ticker=self.name, reason=str(error), exc_info=True)
            self._stopping.wait(self._seconds)


class Schedule:
    """The worker's two tickers: one for rows, which is quick, and one for deliveries, which may wait for Syncthing."""

    def __init__(self, container: ServiceContainer, executor: Executor, stopping: threading.Event) -> None:
        self._container = container
        self._executor = executor
        self._reminded_at: dict[int, float] = {}
        self._beaten_at = float("-inf")
        self._tickers = [
            Ticker("schedule", self.tick, stopping, TICK_SECONDS),
            Ticker("deliveries", self._look_at_deliveries, stopping, TICK_SECONDS),
        ]

    def start(self) -> None:
        """Begin to tick."""
        for ticker in self._tickers:
            ticker.start()

    def join(self, timeout_seconds: float) -> None:
        """Wait until the tickers have noticed the stop."""
        deadline = time.monotonic() + timeout_seconds
        for ticker in self._tickers:
            ticker.join(max(0.0, deadline - time.monotonic()))

    def tick(self) -> None:
        """One look at the rows."""
        self._beat()
        self._executor.mend()
        services = self._container.services
        wake_waiting(services)
        advance_debug_pause(services)
        self._remind()

    def _beat(self) -> None:
        if time.monotonic() - self._beaten_at < HEARTBEAT_SECONDS:
            return
        with self._container.services.db.transaction() as conn:
            facts.put(conn, HEARTBEAT_FACT, now())
        self._beaten_at = time.monotonic()

    def _remind(self) -> None:
        """Send a message for each queued run that got none lately: its own may be lost, or was never sent."""
        services = self._container.services
        with services.db.reading() as conn:
            queued = {run.id for run in runs.list_by_status(conn, [RunStatus.QUEUED])}
        moment = time.monotonic()
        self._reminded_at = {run_id: at for run_id, at in self._reminded_at.items() if run_id in queued}
        for run_id in queued:
            if moment - self._reminded_at.get(run_id, float("-inf")) >= REMIND_SECONDS:
                wake_worker(services, run_id)
                self._reminded_at[run_id] = moment

    def _look_at_deliveries(self) -> None:
        look_at_deliveries(self._container.services)
