"""A thread that listens to Syncthing: whoever came or went, paused or got something, is noticed within seconds.

What it hears is only a reason to look: it has deliveries looked at early, looks around by itself and tells the journal
what has changed. Without it, or without an answer, deliveries go on by their own clock.
"""

from __future__ import annotations

import threading
import time

from app.errors import MediaPipelineError, SyncthingError, SyncthingRefused
from app.log import get_logger
from app.services import ServiceContainer, Services
from app.syncthing import telling
from app.syncthing.events import EventsClient
from worker.conversation import Conversation
from worker.early_looks import EarlyLooks
from worker.live import Live

#: While nobody delivers through Syncthing, the settings are looked at this often.
IDLE_SECONDS = 5.0
#: A refusal needs a person and is told at once; silence is told when it lasts, as a restart is over sooner.
SILENCE_SECONDS = 30.0
BACKOFF_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)


class Listener(threading.Thread):
    """Listens while Syncthing is the target; anything that goes wrong ends in another try."""

    def __init__(
        self, container: ServiceContainer, live: Live, early: EarlyLooks, stopping: threading.Event
    ) -> None:
        super().__init__(name="syncthing-events", daemon=True)
        self._container = container
        self._live, self._early, self._stopping = live, early, stopping
        self._nudged = threading.Event()
        self._client: EventsClient | None = None
        self._revision = ""
        self._is_heard = False
        self._failures = 0
        self._silent_since: float | None = None
        self._fault = ""

    def run(self) -> None:
        """Listen until the worker stops."""
        while not self._stopping.is_set():
            self._nudged.clear()
            try:
                self._listen()
            except SyncthingError as error:
                self._lose(error)
            # The thread is a door: a fault in it must not end the listening.
            except Exception as error:  # noqa: BLE001
                self._report(error)
            self._live.forget()

    def heed(self, services: Services) -> None:
        """Called about every second by another thread: ends a wait when the worker stops or the settings are new."""
        if self._stopping.is_set() or (self._revision and services.revision != self._revision):
            self._nudge()

    def end(self, timeout_seconds: float) -> None:
        """Wait until the thread has noticed that the worker stops."""
        deadline = time.monotonic() + timeout_seconds
        while self.is_alive() and time.monotonic() < deadline:
            self._nudge()
            self.join(0.1)

    def _nudge(self) -> None:
        self._nudged.set()
        client = self._client
        if client is not None:
            client.cut()

    def _listen(self) -> None:
        services = self._container.services
        self._revision = services.revision
        if services.config.sync_target != "syncthing" or not services.config.syncthing.folder_id:
            self._nudged.wait(IDLE_SECONDS)
            return
        with EventsClient.from_config(services.config) as client:
            self._client = client
            try:
                talk = Conversation(services, client, self._live, self._early, self._nudged.wait)
                talk.go_on_until(self._is_over, lambda: self._succeed(services))
            finally:
                self._client = None

    def _is_over(self) -> bool:
        return self._stopping.is_set() or self._container.services.revision != self._revision

    def _succeed(self, services: Services) -> None:
        if self._is_heard:
            return
        self._is_heard = True
        self._failures, self._silent_since, self._fault = 0, None, ""
        with services.db.reading() as conn:
            was_lost = bool(telling.load(conn).lost)
        if was_lost:
            with services.db.transaction() as conn:
                telling.tell_heard(conn)

    def _lose(self, error: SyncthingError) -> None:
        if self._nudged.is_set():
            return  # the wait was cut off from here
        moment = time.monotonic()
        self._silent_since = self._silent_since or moment
        if isinstance(error, SyncthingRefused) or moment - self._silent_since >= SILENCE_SECONDS:
            services = self._container.services
            with services.db.transaction() as conn:
                telling.tell_lost(conn, str(error), services.config.syncthing.poll_interval_sec)
        self._back_off()

    def _report(self, error: Exception) -> None:
        """Log a fault when it is new, and go on a little later."""
        if str(error) != self._fault:
            self._fault = str(error)
            foreseen = isinstance(error, MediaPipelineError)
            get_logger().error("listening to Syncthing failed", reason=self._fault, exc_info=not foreseen)
        self._back_off()

    def _back_off(self) -> None:
        self._is_heard = False
        seconds = BACKOFF_SECONDS[min(self._failures, len(BACKOFF_SECONDS) - 1)]
        self._failures += 1
        self._nudged.wait(seconds)
