"""Searching the journal: filters together, newest first or oldest first, a page at a time in bounded work."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from sqlalchemy import Connection, func, select, text

from app.db import journal, paging
from app.db.paging import Condition, Key, Page, Walk, merge, read_page
from app.db.rows import build, columns_for
from app.db.search_terms import equals
from app.db.tables import events
from app.model import Event

COLUMNS = columns_for(events, Event)
MAX_ID = 2**63 - 1
#: Spelled out, not bound: only so is the partial index of levels taken.
NOT_INFO = text("level != 'info'")


@dataclass(frozen=True)
class EventSearch:
    """Which events; empty and None mean no condition. `after_id` turns the order: then the oldest come first."""

    kind: str = ""
    level: str = ""
    text: str = ""
    since: str = ""
    until: str = ""
    run_id: int | None = None
    batch_id: int | None = None
    asset_id: int | None = None
    before_id: int | None = None
    after_id: int | None = None
    limit: int = 50


def search(conn: Connection, wanted: EventSearch) -> tuple[list[Event], int | None]:
    """A page of events, and the id beyond which the next page begins (None at the end)."""
    descending = wanted.after_id is None
    after, low, high = _bounds(conn, wanted)
    walk = Walk(events, ("id",), after=after, descending=descending, low=low, high=high)
    pages = [
        read_page(conn, COLUMNS, replace(walk, where=where, filters=filters), wanted.limit, budget)
        for where, filters, budget in _ways(wanted)
    ]
    page = merge(pages, wanted.limit, descending) if pages else Page([], [], None)
    found = [build(Event, row, {"detail": json.loads}) for row in page.rows]
    return found, page.next_key[0] if page.next_key else None


def _ways(wanted: EventSearch) -> list[tuple[tuple[Condition, ...], tuple[Condition, ...], int]]:
    """The indexes to walk: what each answers itself, what is tried on its rows, and how many rows it may look at."""
    given = {name: getattr(wanted, name) for name in ("asset_id", "batch_id", "run_id")}
    found = {name: equals(name, value) for name, value in given.items() if value is not None}
    rest = [_says(wanted.text)] if wanted.text else []
    if wanted.level and wanted.level != "info":
        found["level"] = lambda c: (c.level == wanted.level) & NOT_INFO
    elif wanted.level:
        rest.append(equals("level", wanted.level))
    kinds = sorted(kind for kind in journal.KINDS if kind.startswith(wanted.kind))
    if wanted.kind and not kinds:
        return []
    if found or not wanted.kind:
        lead = next(iter(found), None)
        rest += [condition for name, condition in found.items() if name != lead]
        if wanted.kind:
            rest.append(lambda c: c.kind.in_(kinds))
        return [((found[lead],) if lead else (), tuple(rest), paging.BUDGET)]
    share = max(paging.BUDGET // len(kinds), 1)
    return [((equals("kind", kind),), tuple(rest), share) for kind in kinds]


def _says(words: str) -> Condition:
    return lambda c: c.message.icontains(words, autoescape=True)


def _bounds(conn: Connection, wanted: EventSearch) -> tuple[Key | None, Condition, Condition]:
    """Where the walk begins and ends, as ids.

    Events are written in the order of time, so the place of an instant is found by halving.
    """
    first = _first_id(conn, wanted.since) if wanted.since else 0
    end = _first_id(conn, wanted.until + "\x7f") if wanted.until else MAX_ID
    if wanted.after_id is not None:
        after = max(wanted.after_id, first - 1)
    else:
        after = min(wanted.before_id if wanted.before_id is not None else MAX_ID, end)
    return (after,), lambda c: c.id >= first, lambda c: c.id < end


def _first_id(conn: Connection, at: str) -> int:
    """The id of the first event at or after an instant; one more than the last id when there is none."""
    low, high = 0, int(conn.execute(select(func.coalesce(func.max(events.c.id), 0))).scalar_one()) + 1
    while high - low > 1:
        middle = (low + high) // 2
        row = conn.execute(
            select(events.c.id, events.c.at)
            .where(events.c.id > low, events.c.id <= middle)
            .order_by(events.c.id.desc())
            .limit(1)
        ).first()
        if row is None or row.at < at:
            low = middle
        else:
            high = row.id
    return high
