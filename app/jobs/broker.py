"""A Dramatiq broker on SQLite that loses no message: dramatiq-sqlite with its defects repaired.

What differs from the package: the file is opened lazily and never across a fork; claiming is one statement in a
promised order (priority, then age); a delayed message stays in the file until it is due; an acknowledgement only
touches the very claim that it answers; a locked file is reported so that Dramatiq tries again; requeue works;
`recover` brings back what a killed worker held; `join`, `flush`, `flush_all` and `close` exist.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Collection, Iterable
from typing import Any

from dramatiq import Message
from dramatiq.broker import Broker, MessageProxy
from dramatiq.common import current_millis, dq_name
from dramatiq.errors import BrokerConnectionError, QueueJoinTimeout
from dramatiq.middleware import Middleware
from dramatiq_sqlite import SQLiteBroker, SQLiteConsumer

from app.jobs.queue_file import BUSY_TIMEOUT_SECONDS, QueueFile

#: How long an idle consumer waits between two looks into the file.
POLL_SECONDS = 0.2
#: The same for messages that are not due yet.
DELAYED_POLL_SECONDS = 0.5
#: Messages that ended are kept this long, for a look at what happened.
KEEP_ENDED_SECONDS = 7 * 24 * 3600

ENQUEUE = """
INSERT OR REPLACE INTO dramatiq_messages (message_id, queue_name, state, message, priority, due_at_ms, mtime)
VALUES (?, ?, 'queued', ?, ?, ?, ?)
"""
WAITS = "SELECT 1 FROM dramatiq_messages WHERE queue_name = ? AND state = 'queued' LIMIT 1 OFFSET ?"
#: Asked before a claim: many times a second nothing is due, and reading takes a tenth of a write transaction.
IS_DUE = "SELECT 1 FROM dramatiq_messages WHERE queue_name = ? AND state = 'queued' AND due_at_ms <= ? LIMIT 1"
CLAIM = """
UPDATE dramatiq_messages SET state = 'consumed', claim = ?, mtime = ?
WHERE seq = (
    SELECT seq FROM dramatiq_messages WHERE queue_name = ? AND state = 'queued' AND due_at_ms <= ?
    ORDER BY priority, seq LIMIT 1
)
RETURNING message
"""
END = """
UPDATE dramatiq_messages SET state = ?, message = ?, claim = NULL, mtime = ?
WHERE message_id = ? AND state = 'consumed' AND claim = ?
"""
FORGET = "DELETE FROM dramatiq_messages WHERE message_id = ? AND state = 'consumed' AND claim = ?"
REQUEUE = """
UPDATE dramatiq_messages SET state = 'queued', claim = NULL, mtime = ?
WHERE message_id = ? AND state = 'consumed' AND claim = ?
"""


class QueueBroker(SQLiteBroker):  # type: ignore[misc]
    """The broker on one queue file. Making one opens nothing. Of queues that it `forgets`, no message is kept that was
    handled."""

    def __init__(
        self,
        path: str,
        middleware: list[Middleware] | None = None,
        busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS,
        forgets: Collection[str] = (),
    ) -> None:
        # Not SQLiteBroker.__init__, which opens the file at once.
        Broker.__init__(self, middleware)
        self.forgets = frozenset(forgets)
        self.file = QueueFile(path, busy_timeout_seconds)

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """Put a message on its queue, not to be delivered before `delay` milliseconds.

        A message sent again under the same id replaces the older one. A smaller `broker_priority` option goes first.
        """
        self.emit_before("enqueue", message, delay)
        due_at_ms = 0
        if delay:
            message = message.copy(queue_name=dq_name(message.queue_name))
            message.options["eta"] = due_at_ms = current_millis() + delay
        priority = int(message.options.get("broker_priority", 0))
        body = message.encode().decode()
        row = (message.message_id, message.queue_name, body, priority, due_at_ms, int(time.time()))
        with self.file.transaction() as connection:
            connection.execute(ENQUEUE, row)
        self.emit_after("enqueue", message, delay)
        return message

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 30_000) -> QueueConsumer:
        """An iterator over the queue's messages; at most `prefetch` are held at a time."""
        return QueueConsumer(self.file, queue_name, prefetch, forgets=queue_name in self.forgets)

    def recover(self) -> int:
        """Give back every message that a worker which is gone had taken; returns how many. Drops old ended ones.

        Only the one worker process may call it, before it starts to consume.
        """
        moment = int(time.time())
        with self.file.transaction() as connection:
            returned = connection.execute(
                "UPDATE dramatiq_messages SET state = 'queued', claim = NULL, mtime = ? WHERE state = 'consumed'",
                (moment,),
            ).rowcount
            connection.execute(
                "DELETE FROM dramatiq_messages WHERE state IN ('done', 'rejected') AND mtime < ?",
                (moment - KEEP_ENDED_SECONDS,),
            )
        return returned

    def count_waiting(self, queue_name: str) -> int:
        """How many messages of the queue, delayed ones too, have not ended."""
        with self.file.transaction() as connection:
            row = connection.execute(
                "SELECT count(*) FROM dramatiq_messages WHERE queue_name IN (?, ?) AND state IN ('queued', 'consumed')",
                (queue_name, dq_name(queue_name)),
            ).fetchone()
        return int(row[0])

    def has_waiting(self, queue_name: str, count: int) -> bool:
        """Whether so many messages of the queue wait to be taken; quick, as it is asked before each new one."""
        return self.file.has_row(WAITS, (queue_name, count - 1))

    def join(self, queue_name: str, *, timeout: int | None = None) -> None:
        """Wait until the queue has no message left. Raises QueueJoinTimeout after `timeout` milliseconds."""
        deadline = None if timeout is None else time.monotonic() + timeout / 1000
        while self.count_waiting(queue_name):
            if deadline is not None and time.monotonic() >= deadline:
                raise QueueJoinTimeout(queue_name)  # type: ignore[no-untyped-call]
            time.sleep(POLL_SECONDS)

    def flush(self, queue_name: str) -> None:
        """Drop the queue's messages, delayed ones too, that nobody has taken yet."""
        with self.file.transaction() as connection:
            connection.execute(
                "DELETE FROM dramatiq_messages WHERE queue_name IN (?, ?) AND state = 'queued'",
                (queue_name, dq_name(queue_name)),
            )

    def flush_all(self) -> None:
        """`flush` for every declared queue."""
        for queue_name in self.get_declared_queues():
            self.flush(queue_name)

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class ClaimedMessage(MessageProxy):
    """A message taken from the file, with the claim under which it was taken."""

    def __init__(self, message: Message[Any], claim: str) -> None:
        super().__init__(message)
        self.claim = claim


class QueueConsumer(SQLiteConsumer):  # type: ignore[misc]
    """Takes messages of one queue from the file and answers for them."""

    def __init__(self, file: QueueFile, queue_name: str, prefetch: int, *, forgets: bool = False) -> None:
        # Not SQLiteConsumer.__init__, which opens a connection of its own.
        self.file = file
        self.queue_name = queue_name
        self.prefetch = prefetch
        self.forgets = forgets
        self._poll_seconds = DELAYED_POLL_SECONDS if queue_name == dq_name(queue_name) else POLL_SECONDS
        self._held: set[str] = set()
        self._closed = threading.Event()

    def __next__(self) -> ClaimedMessage | None:
        """The next message that is due, or None after a short wait."""
        message = self._claim() if len(self._held) < self.prefetch else None
        if message is None:
            self._closed.wait(self._poll_seconds)
        return message

    def _claim(self) -> ClaimedMessage | None:
        claim = uuid.uuid4().hex
        try:
            if not self.file.has_row(IS_DUE, (self.queue_name, current_millis())):
                return None
            with self.file.transaction() as connection:
                row = connection.execute(CLAIM, (claim, int(time.time()), self.queue_name, current_millis())).fetchone()
        except BrokerConnectionError:
            # A file locked for long is tried again; raising would make Dramatiq forget the messages it holds.
            return None
        if row is None:
            return None
        self._held.add(claim)
        return ClaimedMessage(Message.decode(row[0].encode()), claim)

    def ack(self, message: MessageProxy) -> None:
        """The message was handled. Raises BrokerConnectionError when that cannot be written; it is tried again."""
        self._end(message, "done")

    def nack(self, message: MessageProxy) -> None:
        """The message failed for good. Raises as `ack` does."""
        self._end(message, "rejected")

    def _end(self, message: MessageProxy, state: str) -> None:
        claim = getattr(message, "claim", "")
        body = message.encode().decode()
        with self.file.transaction() as connection:
            if self.forgets:
                connection.execute(FORGET, (message.message_id, claim))
            else:
                connection.execute(END, (state, body, int(time.time()), message.message_id, claim))
        self._held.discard(claim)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Put messages that were taken but not handled back in their old position."""
        moment = int(time.time())
        rows = [(moment, m.message_id, getattr(m, "claim", "")) for m in messages]
        if not rows:
            return
        with self.file.transaction() as connection:
            connection.executemany(REQUEUE, rows)
        self._held.difference_update(claim for _moment, _message_id, claim in rows)

    def close(self) -> None:
        """Stop waiting. The file stays open: it belongs to the broker."""
        self._closed.set()
