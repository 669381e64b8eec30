"""What people and programs are to be told, kept from the event until it is sent or given up.

One row is one message to one target: it takes up further events of its kind until it is sent.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from app.db.clock import later, now
from app.db.rows import build, columns_for
from app.db.tables_of_notices import notices
from app.model.notices import TEST

MESSAGE, WEBHOOK = "message", "webhook"
WAITING, SENT, GIVEN_UP, DROPPED = "waiting", "sent", "given_up", "dropped"
#: So many events are kept word for word in a row; more are counted.
MOST_TOLD = 100
#: What has ended is forgotten after so long.
KEPT_SECONDS = 30 * 86_400

Told = dict[str, Any]


@dataclass(frozen=True)
class Notice:
    """One message: `told` are the first events that it is about, `count` is how many they are in all."""

    id: int
    channel: str
    target: str
    event: str
    state: str
    count: int
    told: list[Told]
    created_at: str
    due_at: str
    attempts: int
    error: str | None
    ended_at: str | None


def gather(
    conn: Connection, address: tuple[str, str], event: str, told: Sequence[Told], count: int, due_at: str
) -> None:
    """Add events for `address` (channel, target): to the message that waits there, else as one that is due then."""
    waiting = select(*columns_for(notices, Notice)).where(
        notices.c.channel == address[0], notices.c.target == address[1], notices.c.event == event,
        notices.c.state == WAITING,
    )  # fmt: skip
    row = conn.execute(waiting.limit(1)).first()
    if row is None:
        add(conn, address, event, told, count, due_at)
        return
    known = _notice(row)
    values = (known.count + count, json.dumps([*known.told, *told][:MOST_TOLD]), known.id)
    conn.exec_driver_sql("UPDATE notices SET count = ?, told = ? WHERE id = ?", values)


def add(
    conn: Connection, address: tuple[str, str], event: str, told: Sequence[Told], count: int, due_at: str
) -> int:
    """A message of its own; returns its id."""
    values = (*address, event, WAITING, count, json.dumps([*told][:MOST_TOLD]), now(), due_at)
    sql = (
        "INSERT INTO notices (channel, target, event, state, count, told, created_at, due_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"
    )
    return int(conn.exec_driver_sql(sql, values).scalar_one())


def last_sent_at(conn: Connection, address: tuple[str, str], event: str) -> str | None:
    """When a message about such an event last went there."""
    sql = "SELECT MAX(ended_at) FROM notices WHERE channel = ? AND target = ? AND event = ? AND state = ?"
    found: str | None = conn.exec_driver_sql(sql, (*address, event, SENT)).scalar()
    return found


def list_due(conn: Connection, *, only_undisturbing: bool = False, limit: int = 50) -> list[Notice]:
    """The messages whose time has come, the longest due first; or only those that disturb nobody."""
    query = select(*columns_for(notices, Notice)).where(notices.c.state == WAITING, notices.c.due_at <= now())
    if only_undisturbing:
        query = query.where((notices.c.channel == WEBHOOK) | (notices.c.event == TEST))
    return [_notice(row) for row in conn.execute(query.order_by(notices.c.due_at, notices.c.id).limit(limit))]


def list_of(conn: Connection, ids: Sequence[int]) -> list[Notice]:
    """These messages, in the order of their ids."""
    query = select(*columns_for(notices, Notice)).where(notices.c.id.in_(ids)).order_by(notices.c.id)
    return [_notice(row) for row in conn.execute(query)]


def has_waiting(conn: Connection, event: str) -> bool:
    """Whether a message about such an event waits to be sent."""
    sql = "SELECT 1 FROM notices WHERE event = ? AND state = ? LIMIT 1"
    return conn.exec_driver_sql(sql, (event, WAITING)).first() is not None


def count_waiting(conn: Connection, address: tuple[str, str]) -> int:
    """How many messages wait to be sent there."""
    sql = "SELECT COUNT(*) FROM notices WHERE channel = ? AND target = ? AND state = ?"
    return int(conn.exec_driver_sql(sql, (*address, WAITING)).scalar_one())


def find_last(conn: Connection, address: tuple[str, str]) -> Notice | None:
    """The message to that target which ended last, None when there is none."""
    query = select(*columns_for(notices, Notice)).where(
        notices.c.channel == address[0], notices.c.target == address[1], notices.c.ended_at.is_not(None)
    )
    row = conn.execute(query.order_by(notices.c.ended_at.desc()).limit(1)).first()
    return _notice(row) if row is not None else None


def end(conn: Connection, notice: Notice, state: str, error: str | None = None) -> None:
    """It was sent, given up or dropped; what ended long ago is forgotten."""
    sql = "UPDATE notices SET state = ?, error = ?, attempts = attempts + 1, ended_at = ? WHERE id = ?"
    conn.exec_driver_sql(sql, (state, error, now(), notice.id))
    conn.exec_driver_sql("DELETE FROM notices WHERE ended_at < ?", (later(-KEPT_SECONDS),))


def put_off(conn: Connection, notice: Notice, error: str, due_at: str) -> None:
    """It could not be sent, and is tried again then."""
    sql = "UPDATE notices SET error = ?, attempts = attempts + 1, due_at = ? WHERE id = ?"
    conn.exec_driver_sql(sql, (error, due_at, notice.id))


def _notice(row: Sequence[Any]) -> Notice:
    return build(Notice, row, {"told": json.loads})
