"""The state of the whole appliance as one flat object, for Home Assistant and whatever else polls or listens.

Keys, units and what stands where nothing is known: docs/home-assistant.md, which a test holds against what is answered.
"""

from __future__ import annotations

import threading
import time

from app import __version__
from app.overview import ConfigFacts, overview
from app.overview.home import media, surroundings, work
from app.overview.home.values import NEVER, instant, text
from app.services import Services

__all__ = ["NEVER", "HomeState"]

#: How long an answer is used, however many ask.
KEEP_SECONDS = 1.0

State = dict[str, str | int | bool]


class HomeState:
    """One process's answers. Threads may share it: one of them reads the rows, the others get what it found."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._services: Services | None = None
        self._state: State = {}
        self._until = 0.0

    def read(self, services: Services, config: ConfigFacts) -> State:
        """The state, at most a second old: every key, never null, no text longer than Home Assistant takes.

        Reads rows only: no walk over the disk, no call to Syncthing. Raises StateError when the database cannot be
        read.
        """
        with self._lock:
            if services is not self._services or time.monotonic() >= self._until:
                self._state = home_state(services, config)
                self._services, self._until = services, time.monotonic() + KEEP_SECONDS
            return dict(self._state)


def home_state(services: Services, config: ConfigFacts) -> State:
    """The state, read anew."""
    seen = overview(services, config)
    with services.db.reading() as conn:
        found: State = {
            **work.of_runs(seen),
            **media.of_files(seen),
            **media.of_batches(conn),
            **media.of_deliveries(conn, seen),
            **surroundings.of_syncthing(conn, services),
            **surroundings.of_roots(seen["roots"]),
            **surroundings.of_backups(conn, services),
        }
    found |= _of_warnings(seen["warnings"])
    return {**found, "version": __version__, "generated_at": instant(seen["generated_at"])}


def _of_warnings(warnings: list[dict[str, str]]) -> State:
    """Whether a person should look, and the gravest reason; warnings come with the gravest first."""
    levels = [warning["level"] for warning in warnings]
    return {
        "problem": "error" in levels,
        "errors": levels.count("error"),
        "warnings": levels.count("warning"),
        "message": text(warnings[0]["message"] if warnings else None),
    }
