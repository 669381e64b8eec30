"""What the worker does by the clock: a sign of life, runs that nobody woke it for, and deliveries under way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from app.db import heartbeat, runs
from app.errors import MediaPipelineError
from app.jobs.keeping import keep_decisions
from app.jobs.wake import wake_worker
from app.log import get_logger
from app.model import RunStatus
from app.pipeline.tick import advance_debug_pause, look_at_deliveries, wake_waiting
from app.services import ServiceContainer, Services
from worker.backups import TICK_SECONDS as BACKUP_SECONDS
from worker.backups import make_due_backup
from worker.due_sidecars import start_due_sidecars
from worker.early_looks import EarlyLooks
from worker.executor import Executor
from worker.home_link import HomeLink
from worker.hours import keep_hours
from worker.live import Live
from worker.news import Occasion
from worker.room import TICK_SECONDS as ROOM_SECONDS
from worker.room import RoomSampler
from worker.sampling import SAMPLE_SECONDS, Sampler
from worker.scheduled_runs import start_due_run
from worker.syncthing_events import Listener
from worker.timetable import start_due_verify
from worker.watching import TICK_SECONDS as WATCH_SECONDS
from worker.watching import Watcher

TICK_SECONDS = 1.0
HEARTBEAT_SECONDS = 5.0
#: A queued run gets a new message this long after the last one; a second message for a run has no effect.
REMIND_SECONDS = 5.0
#: While nothing is executed, the database's write-ahead log is shortened this often.
CHECKPOINT_SECONDS = 60.0


class Ticker(threading.Thread):
    """Calls `action` about every `seconds` until `stopping` is set; an error is logged and the next tick comes."""

    def __init__(self, name: str, action: Callable[[], None], stopping: threading.Event, seconds: float) -> None:
        super().__init__(name=name, daemon=True)
        self._action = action
        self._stopping = stopping
        self._seconds = seconds
        self._fault = ""

    def run(self) -> None:
        """Tick until the worker stops."""
        while not self._stopping.is_set():
            try:
                self._action()
                self._fault = ""
            # The tick is a door: one that fails must not end the ticking.
            except Exception as error:  # noqa: BLE001
                self._report(error)
            self._stopping.wait(self._seconds)

    def _report(self, error: Exception) -> None:
        """Log a fault when it is new: one that lasts would fill the log, tick by tick."""
        if str(error) != self._fault:
            self._fault = str(error)
            foreseen = isinstance(error, MediaPipelineError)
            get_logger().error("a tick failed", ticker=self.name, reason=self._fault, exc_info=not foreseen)


class Schedule:
    """The worker's tickers: a sign of life, a look at the rows, deliveries, which may wait long for Syncthing, samples
    of them and of the room on the disks, backups, the watch for new files; and the threads that listen to Syncthing
    and talk to Home Assistant."""

    def __init__(self, container: ServiceContainer, executor: Executor, stopping: threading.Event) -> None:
        self._container = container
        self._executor = executor
        self._stopping = stopping
        self._state_dir = container.services.state_dir
        self._checkpoint_at = time.monotonic() + CHECKPOINT_SECONDS
        self._reminded_at: dict[int, float] = {}
        self._rows, self._deliveries = Occasion(container.services), Occasion(container.services)
        live, self._early = Live(), EarlyLooks()
        self._sampler, self._room = Sampler(live), RoomSampler()
        self._watcher = Watcher(stopping)
        self._listener = Listener(container, live, self._early, stopping)
        self._home_link = HomeLink(container, stopping)
        self._tickers = [
            Ticker("heartbeat", self._beat, stopping, HEARTBEAT_SECONDS),
            Ticker("schedule", self._tick, stopping, TICK_SECONDS),
            Ticker("deliveries", self._look_at_deliveries, stopping, TICK_SECONDS),
            Ticker("samples", self._sample, stopping, SAMPLE_SECONDS),
            Ticker("room", self._look_at_room, stopping, ROOM_SECONDS),
            Ticker("backups", self._back_up, stopping, BACKUP_SECONDS),
            Ticker("watch", self._watch, stopping, WATCH_SECONDS),
        ]

    def start(self) -> None:
        """Begin to tick, and to listen."""
        for ticker in self._tickers:
            ticker.start()
        self._listener.start()
        self._home_link.start()

    def join(self, timeout_seconds: float) -> None:
        """Wait until the tickers and the listener have noticed the stop."""
        deadline = time.monotonic() + timeout_seconds
        self._listener.end(timeout_seconds)
        self._home_link.join(max(0.0, deadline - time.monotonic()))
        for ticker in self._tickers:
            ticker.join(max(0.0, deadline - time.monotonic()))

    def _tick(self) -> None:
        """One look at the rows."""
        services = self._container.services
        if services.state_dir != self._state_dir:
            # The lock that this process holds does not cover the new place: start again there.
            get_logger().warning("the database has moved; the worker starts again", state_dir=str(services.state_dir))
            self._stopping.set()
            return
        self._listener.heed(services)
        if self._rows.has_come(services):
            self._look_at_rows(services)

    def _look_at_rows(self, services: Services) -> None:
        wake_waiting(services)
        advance_debug_pause(services)
        keep_decisions(services)
        keep_hours(services)
        start_due_run(services)
        start_due_verify(services)
        start_due_sidecars(services)
        self._remind()
        self._executor.mend()
        self._checkpoint_when_idle()

    def _beat(self) -> None:
        with self._container.services.db.transaction() as conn:
            heartbeat.beat(conn)

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

    def _checkpoint_when_idle(self) -> None:
        services = self._container.services
        if time.monotonic() >= self._checkpoint_at and not self._executor.is_busy:
            self._checkpoint_at = time.monotonic() + CHECKPOINT_SECONDS
            services.db.checkpoint()

    def _look_at_deliveries(self) -> None:
        services = self._container.services
        if self._early.make_due(services) or self._deliveries.has_come(services):
            look_at_deliveries(services)

    def _sample(self) -> None:
        self._sampler.sample(self._container.services)

    def _look_at_room(self) -> None:
        self._room.sample(self._container.services)

    def _watch(self) -> None:
        self._watcher.watch(self._container.services)

    def _back_up(self) -> None:
        make_due_backup(self._container)
