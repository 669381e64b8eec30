"""From the journal to messages: what is news for somebody is put into the table of notices, and so outlives the worker.

The journal is read from where it was left off, in the transaction that writes the messages: each event is told once,
and many of one kind become one message with their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from app.config.schema import Config
from app.db import facts, journal, notices
from app.db.clock import later
from app.db.connection import Database
from app.db.notices import MESSAGE, Told
from app.model import Event
from app.model.notices import OCCASIONS, occasion_of
from app.notify.targets import Target, list_targets

#: The fact that holds the id of the last event that was looked at; empty while nobody is told of anything.
LOOKED_AT = "notices_looked_at"
#: A message waits so long for more of its kind before it is sent.
GATHER_SECONDS = 5.0
#: So many events are taken up in one transaction.
CHUNK = 1_000

_KINDS = sorted({kind for occasion in OCCASIONS.values() for kind in occasion.kinds})


def gather_news(db: Database, config: Config) -> None:
    """Take up the events since the last call; what happened before anybody was to be told is no news."""
    targets = list_targets(config)
    with db.reading() as conn:
        since, newest = facts.find(conn, LOOKED_AT) or "", journal.newest_id(conn)
    if since == (str(newest) if targets else ""):
        return
    is_more = True
    while is_more:
        with db.transaction() as conn:
            is_more = _take_up(conn, config, targets)


def _take_up(conn: Connection, config: Config, targets: Sequence[Target]) -> bool:
    """Take up one chunk; whether there may be more."""
    since, newest = facts.find(conn, LOOKED_AT) or "", journal.newest_id(conn)
    if not targets or not since or int(since) > newest:
        facts.put(conn, LOOKED_AT, str(newest) if targets else "")
        return False
    found = journal.list_of_kinds(conn, _KINDS, int(since), CHUNK)
    for event, told in _by_occasion(found).items():
        for target in targets:
            if target.wants(event):
                _gather(conn, config, target, event, told)
    is_more = len(found) == CHUNK
    facts.put(conn, LOOKED_AT, str(found[-1].id if is_more else newest))
    return is_more


def _by_occasion(found: Sequence[Event]) -> dict[str, list[Event]]:
    grouped: dict[str, list[Event]] = {}
    for event in found:
        name = occasion_of(event.kind, event.level)
        if name is not None:
            grouped.setdefault(name, []).append(event)
    return grouped


def _gather(conn: Connection, config: Config, target: Target, event: str, found: Sequence[Event]) -> None:
    count = sum(_number(one) for one in found)
    told = [_told(one) for one in found[: notices.MOST_TOLD]]
    notices.gather(conn, target.address, event, told, count, _due_at(conn, config, target, event))


def _due_at(conn: Connection, config: Config, target: Target, event: str) -> str:
    """Soon; for people not before notify.group_minutes have passed since they were last told of such an event."""
    soon = later(GATHER_SECONDS)
    last = notices.last_sent_at(conn, target.address, event) if target.channel == MESSAGE else None
    if last is None:
        return soon
    rested = datetime.fromisoformat(last) + timedelta(minutes=config.notify.group_minutes)
    return max(soon, rested.isoformat(timespec="microseconds"))


def _number(event: Event) -> int:
    """An event may stand for many that were not told one by one."""
    count = (event.detail or {}).get("count")
    return count if isinstance(count, int) and count > 0 else 1


def _told(event: Event) -> Told:
    return {
        "at": event.at,
        "kind": event.kind,
        "level": event.level,
        "message": event.message,
        "run_id": event.run_id,
        "batch_id": event.batch_id,
    }
