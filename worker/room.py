"""Looks at how full the folders' disks are: what the forecast of the dashboard is made from."""

from __future__ import annotations

import time

from app.db import facts, room_samples, totals
from app.db.connection import Connection
from app.db.migrate import DATABASE_ID
from app.db.room_samples import Room
from app.model import AssetStatus
from app.overview.roots import look_at_roots
from app.services import Services
from worker.low_room import tell_low_room

TICK_SECONDS = 10.0
#: While nothing changes, a look is taken this often.
LOOK_SECONDS = 3_600.0
#: What is ours is counted anew, when something has changed, at the earliest after this many times as long as it took.
RECOUNT_AFTER_FACTOR = 500

Counted = dict[int, tuple[int, int]]


class RoomSampler:
    """Called by one ticker; counts what is ours anew only when something has changed."""

    def __init__(self) -> None:
        self._due_at = self._recount_at = float("-inf")
        self._known: frozenset[int] = frozenset()
        self._totals: dict[AssetStatus, tuple[int, int]] | None = None
        self._own: Counted = {}

    def sample(self, services: Services) -> None:
        """Write down the room of each root that answers, when it is time or something has changed."""
        roots = [root for of_kind in services.roots.values() for root in of_kind]
        ids, moment = frozenset(root.id for root in roots), time.monotonic()
        with services.db.reading() as conn:
            has_changed = self._has_new_totals(conn, moment) or ids != self._known
            if not has_changed and moment < self._due_at:
                return
            database_id, own = facts.find(conn, DATABASE_ID) or "", self._own
        self._due_at, self._known = moment + LOOK_SECONDS, ids
        looks = look_at_roots(roots, database_id)
        rooms = [Room(look["id"], look["free_bytes"], look["total_bytes"]) for look in looks if not look["fault"]]
        with services.db.transaction() as conn:
            room_samples.put(conn, rooms, own)
            tell_low_room(conn, looks)

    def _has_new_totals(self, conn: Connection, moment: float) -> bool:
        """Whether files have come to other statuses since they were counted by folder; counts them then."""
        found = totals.read(conn)
        if found == self._totals or moment < self._recount_at:
            return False
        self._totals, self._own = found, room_samples.measure_own(conn)
        self._recount_at = time.monotonic() + RECOUNT_AFTER_FACTOR * (time.monotonic() - moment)
        return True
