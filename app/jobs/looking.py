"""Looks at deliveries before their time, because a person wants to see how things are."""

from __future__ import annotations

from dataclasses import dataclass

from app.db import batches, heartbeat
from app.model import Batch
from app.model.counting import counted
from app.services import Services


@dataclass(frozen=True)
class Refreshed:
    """What was asked for: the deliveries that are due now, and whether a worker is there to look at them."""

    batches: list[Batch]
    worker_alive: bool

    @property
    def sentence(self) -> str:
        """What happens now, for a person."""
        if not self.batches:
            return "No delivery is under way, so there is nothing to look at."
        many = counted(len(self.batches), "delivery", "deliveries")
        if not self.worker_alive:
            return f"The worker is not running; it looks at {many} as soon as it is started."
        return f"The worker looks at {many} now."


def look_now(services: Services) -> Refreshed:
    """Make every delivery to a peer that was begun due for a look; the worker takes it within a second or two."""
    with services.db.transaction() as conn:
        is_alive = heartbeat.is_recent(heartbeat.find(conn))
        return Refreshed(batches.make_looks_due(conn), is_alive)
