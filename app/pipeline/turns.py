"""How long one look may ask for files, and which of them are asked first by the next one.

Every answer has its own time limit, but ten thousand slow ones would take a day, and no other delivery is looked at
meanwhile. What was proven is kept; the next look goes on where this one stopped.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Self

from app.db import facts
from app.model import Asset
from app.services import Services

ASK_SECONDS = 60.0


class Turn:
    """One look's time to ask for files. `is_over` tells that there was not enough of it."""

    def __init__(self, services: Services, what: str, batch_id: int) -> None:
        self._services = services
        self._name = f"turn:{what}:{batch_id}"
        with services.db.reading() as conn:
            self._before = facts.find(conn, self._name) or "0"
        self._ends_at = time.monotonic() + ASK_SECONDS
        self._last_id = 0
        self.asked, self.answered = 0, 0
        self.is_over = False

    def order(self, found: Sequence[Asset]) -> list[Asset]:
        """Those that the last look did not come to, then the others."""
        reached = int(self._before)
        return sorted(found, key=lambda asset: (asset.id <= reached, asset.id))

    def while_it_lasts(self, found: Sequence[Asset]) -> Iterator[Asset]:
        """These files, until the time is over; one at least. Each is to be asked for before the next is taken, or
        `stopped_at` told."""
        for asset in found:
            if self.asked and time.monotonic() >= self._ends_at:
                self.is_over = True
            if self.is_over:
                return
            self.asked, self._last_id = self.asked + 1, asset.id
            yield asset

    def ends_after(self, asset: Asset) -> bool:
        """Whether the time is over now that this file is answered; those taken after it are not waited for."""
        self.answered += 1
        if time.monotonic() < self._ends_at:
            return False
        self.is_over, self._last_id = True, asset.id
        return True

    def stopped_at(self, asset: Asset) -> None:
        """This file got no answer, and what was taken after it was not asked for."""
        self._last_id = asset.id

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, *__: object) -> None:
        """Remember where to go on, also behind a file that got no answer; nothing is written while every look comes
        to its end."""
        reached = str(self._last_id) if self.is_over or error is not None else "0"
        if reached != self._before:
            with self._services.db.transaction() as conn:
                facts.put(conn, self._name, reached)
