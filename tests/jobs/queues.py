"""One queue file, and the broker under test on it: the package as it is, or ours."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dramatiq import Message
from dramatiq.middleware import Retries
from dramatiq_sqlite import SQLiteBroker

from app.jobs.broker import QueueBroker

QUEUE = "default"
DELAYED = "default.DQ"


class Scenario:
    """One queue file and the way to open the broker under test on it."""

    def __init__(self, path: Path, repaired: bool) -> None:
        self.path = path
        self.repaired = repaired
        self._opened: list[Any] = []

    def open_broker(self) -> Any:
        middleware = [Retries(min_backoff=1, max_backoff=2)]
        if self.repaired:
            broker: Any = QueueBroker(str(self.path), middleware, busy_timeout_seconds=0.05)
        else:
            broker = SQLiteBroker(url=str(self.path), middleware=middleware)
        broker.declare_queue(QUEUE)
        self._opened.append(broker)
        return broker

    def restart(self) -> Any:
        """A new worker process opens the file; the old one is gone without a word."""
        broker = self.open_broker()
        if self.repaired:
            broker.recover()
        return broker

    def states(self) -> dict[str, str]:
        with sqlite3.connect(self.path) as connection:
            rows = connection.execute("SELECT message_id, state FROM dramatiq_messages").fetchall()
        connection.close()
        return dict(rows)

    def close(self) -> None:
        for broker in self._opened:
            if isinstance(broker, QueueBroker):
                broker.close()
            else:
                broker.db.conn.close()


def message(message_id: str, **options: Any) -> Message[Any]:
    return Message(
        queue_name=QUEUE, actor_name="work", args=(message_id,), kwargs={}, options=options, message_id=message_id
    )


def take(consumer: Any, seconds: float = 2.0) -> Any:
    """The consumer's next message, or None when none came in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = next(consumer)
        if found is not None:
            return found
    return None


def until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program writes to the file for as long as the block runs."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()
