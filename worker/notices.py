"""Tells people and programs what happened: takes news from the journal, and sends what is due."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

from app.db import notices
from app.notify.gathering import gather_news
from app.notify.sending import send_notice
from app.notify.targets import is_quiet
from app.services import Services

TICK_SECONDS = 1.0


def tell_news(services: Services, stopping: threading.Event) -> None:
    """One tick: in quiet hours what is for people is gathered and not sent."""
    gather_news(services.db, services.config)
    with services.db.reading() as conn:
        due = notices.list_due(conn, only_undisturbing=is_quiet(services.config, datetime.now(UTC)))
    for notice in due:
        if stopping.is_set():
            return
        send_notice(services.db, services.config, notice)
