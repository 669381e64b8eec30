"""A limit on bytes per second: a bucket of tokens that fills with time and is emptied by reading."""

from __future__ import annotations

import time
from collections.abc import Callable

#: At most so much unused time is made up for afterwards: reading may be uneven, but a rest leads to no rush.
SAVED_SECONDS = 1.0


class Throttle:
    """Call `take` after each piece that was read: it sleeps as long as the pieces so far were too fast.

    0 bytes per second: no limit.
    """

    def __init__(
        self,
        bytes_per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = bytes_per_second
        self._clock, self._sleep = clock, sleep
        self._paid_until = clock()

    def take(self, size_bytes: int) -> None:
        """Account for a piece, and wait until the rate is kept again."""
        if self._rate <= 0:
            return
        moment = self._clock()
        self._paid_until = max(self._paid_until, moment - SAVED_SECONDS) + size_bytes / self._rate
        if self._paid_until > moment:
            self._sleep(self._paid_until - moment)
