"""Metrics for Prometheus, read from rows when they are asked for: no walk over the disk, no call to Syncthing.

Names, types and meanings: docs/metrics.md, which a test holds against what is exposed.
"""

from __future__ import annotations

import threading

from prometheus_client.metrics_core import Metric

from app.db import facts
from app.db.connection import Database
from app.db.migrate import DATABASE_ID
from app.overview import ConfigFacts
from app.overview.metrics import media, surroundings, work
from app.overview.metrics.tallies import Tallies
from app.overview.roots import look_at_roots
from app.services import Services


class Metrics:
    """One process's metrics. Threads may share it: they scrape one after the other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._db: Database | None = None
        self._tallies = Tallies()

    def collect(self, services: Services, config: ConfigFacts) -> list[Metric]:
        """Every family, also those without a sample. Raises StateError when the database cannot be read."""
        with self._lock:
            found, database_id = self._from_rows(services)
        roots = sorted((root for of_kind in services.roots.values() for root in of_kind), key=lambda root: root.id)
        found += surroundings.of_roots(look_at_roots(roots, database_id))
        return [*found, *surroundings.of_program(services, config.fault)]

    def _from_rows(self, services: Services) -> tuple[list[Metric], str]:
        if self._db is not services.db:
            # The settings may name another database, or a backup was restored: what was counted was of the old one.
            self._db, self._tallies = services.db, Tallies()
        tallies = self._tallies
        with services.db.reading() as conn:
            tallies.catch_up(conn)
            found = [
                *media.of_files(conn),
                *media.of_batches(conn),
                *media.of_deliveries(conn),
                *work.of_runs(conn, tallies),
                work.of_steps(tallies),
                work.of_troubles(tallies),
                *work.of_worker(conn),
                *surroundings.of_syncthing(conn, services),
            ]
            return found, facts.find(conn, DATABASE_ID) or ""
