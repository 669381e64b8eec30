"""What tests of notices share: services with targets on loopback, things that happen, and time that passes."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from app.db import journal
from app.db.clock import later
from app.services import Services
from tests.conftest import make_services
from tests.notify.receiver import Receiver
from worker.notices import tell_news

TOKEN = "tk-CANARY-0123456789"
SECRET = "CANARY-webhook-secret-01"


def phone(receiver: Receiver, name: str = "phone") -> dict[str, str]:
    """An address of Apprise whose path holds a secret."""
    return {"name": name, "url": f"json://127.0.0.1:{receiver.port}/{TOKEN}"}


def program(receiver: Receiver, events: str = "", name: str = "program") -> dict[str, str]:
    """A webhook whose address holds a secret too."""
    url = f"http://127.0.0.1:{receiver.port}/hook/{TOKEN}?token={TOKEN}"
    return {"name": name, "url": url, "secret": SECRET, "events": events}


def telling(base: Path, **notify: Any) -> Services:
    """Services that tell somebody; what happens from now on is news."""
    services = make_services(base, notify={"group_minutes": 0, **notify})
    tell(services)
    return services


def happen(services: Services, kind: str = "run.failed", times: int = 1, level: str = "error", **detail: Any) -> None:
    """So many events of a kind."""
    with services.db.transaction() as conn:
        for number in range(1, times + 1):
            journal.record(conn, kind, f"{kind} number {number}.", level=level, detail=detail)


def tell(services: Services) -> None:
    """One tick of the worker."""
    tell_news(services, threading.Event())


def make_due(services: Services) -> None:
    """The time for which messages wait has passed."""
    with services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE notices SET due_at = ? WHERE state = 'waiting'", (later(-1),))


def tell_at_last(services: Services) -> None:
    """Take up what happened, and send it as if its time had come."""
    tell(services)
    make_due(services)
    tell(services)


def states(services: Services) -> list[tuple[str, str, str, int, int]]:
    """(target, event, state, count, attempts) of every message."""
    with services.db.reading() as conn:
        sql = "SELECT target, event, state, count, attempts FROM notices ORDER BY id"
        return [(row[0], row[1], row[2], row[3], row[4]) for row in conn.exec_driver_sql(sql).all()]
