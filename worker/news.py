"""Whether it is worth while to look at the rows: because somebody wrote, or because it was not done for a while."""

from __future__ import annotations

import time

from app.db.news import News
from app.services import Services

#: Rows are looked at this often although nobody has written, for what falls due by the clock.
ROWS_SECONDS = 5.0


class Occasion:
    """Asked by one ticker, every second: looking each time would cost half a percent of a core for ever."""

    def __init__(self, services: Services) -> None:
        self._news, self._at = News(services.db), 0.0

    def has_come(self, services: Services) -> bool:
        """Whether to look at the rows now."""
        if self._news.db is not services.db:
            self._news.close()
            self._news = News(services.db)
        if not self._news.has_come() and time.monotonic() < self._at:
            return False
        self._at = time.monotonic() + ROWS_SECONDS
        return True
