"""One act of setting Syncthing up: what it works with, what it says it did, and that it is alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from app.config.schema import Config
from app.db import confirmation, journal
from app.errors import Conflict
from app.services import ServiceContainer, Services
from app.syncthing.client import SyncthingClient

#: How long an act waits for another one to end.
WAIT_SECONDS = 15.0
_one_at_a_time = threading.Lock()


@dataclass
class PeerSetup:
    """One act of the set-up, by whom, and the sentences about what it did."""

    container: ServiceContainer
    actor: str
    client: SyncthingClient
    done: list[str] = field(default_factory=list)

    @property
    def services(self) -> Services:
        """The services of the settings as they are now; an act may have saved some."""
        return self.container.services

    @property
    def config(self) -> Config:
        """The settings as they are now."""
        return self.services.config

    def tell(self, kind: str, sentence: str, **detail: Any) -> None:
        """Say what was done, and write it into the journal."""
        self.done.append(sentence)
        with self.services.db.transaction() as conn:
            journal.record(conn, kind, sentence, detail={**detail, "actor": self.actor})

    def save(self, changes: Mapping[str, Any], path: str) -> bool:
        """Save a setting, unless the environment holds it; whether it was saved. Raises ConfigError."""
        store = self.container.store
        if path in store.current().environment_keys:
            return False
        store.save_partial(changes, actor=self.actor)
        return True


@contextmanager
def peer_setup(container: ServiceContainer, actor: str) -> Iterator[PeerSetup]:
    """One act at a time in this process: two that add a device to the folder would each write its whole list."""
    with container.services.db.reading() as conn:
        awaited = confirmation.sentence(conn)
    if awaited is not None:
        raise Conflict(awaited)
    if not _one_at_a_time.acquire(timeout=WAIT_SECONDS):
        raise Conflict("Syncthing is being set up by another request; try again in a moment.")
    try:
        with SyncthingClient.from_config(container.services.config) as client:
            yield PeerSetup(container, actor, client)
    finally:
        _one_at_a_time.release()
