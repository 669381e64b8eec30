"""Looks before their time: what Syncthing's events ask for, bounded so that looking never becomes the work.

An event only sets the due time of the next look, so a lost one costs no more than waiting for the next turn.
"""

from __future__ import annotations

import threading
import time

from app.db import batches
from app.db.clock import now
from app.model import Batch
from app.pipeline.tick import list_under_way
from app.services import Services

#: Between two early looks at a delivery.
LEAST_SECONDS = 2.0
#: A look asks once for each file that is not proven yet; so it may come early at most every so many times that long.
SECONDS_PER_FILE = 0.02


class EarlyLooks:
    """Told by the thread that listens; heeded by the one that looks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_asked = self._is_urgent = False
        self._looked_at: dict[int, float] = {}

    def ask(self, *, urgent: bool) -> None:
        """Have every delivery under way looked at soon; an urgent wish does not wait for a large batch's turn."""
        with self._lock:
            self._is_asked = True
            self._is_urgent = self._is_urgent or urgent

    def make_due(self, services: Services) -> list[int]:
        """Make the deliveries due whose early look may be taken now; returns their ids."""
        with self._lock:
            is_asked, is_urgent = self._is_asked, self._is_urgent
            self._is_asked = self._is_urgent = False
        if not is_asked:
            return []
        with services.db.reading() as conn:
            under_way = list_under_way(conn)
        moment = time.monotonic()
        self._looked_at = {b.id: self._looked_at[b.id] for b in under_way if b.id in self._looked_at}
        due = [batch for batch in under_way if moment >= self._earliest(batch, is_urgent)]
        if len(due) < len(under_way):
            self.ask(urgent=is_urgent)
        for batch in due:
            self._looked_at[batch.id] = moment
        _bring_forward(services, due)
        return [batch.id for batch in due]

    def _earliest(self, batch: Batch, is_urgent: bool) -> float:
        unproven = max(0, batch.file_count - batch.confirmed_count)
        pause = LEAST_SECONDS if is_urgent else max(LEAST_SECONDS, unproven * SECONDS_PER_FILE)
        return self._looked_at.get(batch.id, float("-inf")) + pause


def _bring_forward(services: Services, due: list[Batch]) -> None:
    moment = now()
    early = [batch for batch in due if batch.next_look_at is not None and batch.next_look_at > moment]
    if early:
        with services.db.transaction() as conn:
            batches.bring_looks_forward(conn, [batch.id for batch in early])
