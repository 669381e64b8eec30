"""Pages of long lists, each found in a bounded number of rows, whatever the size of the table.

A page is a walk along one index, in the order of a key. Conditions that this index cannot answer are tried on the
rows that the walk meets, BUDGET of them at most: a page may then hold fewer rows than asked for, even none, and yet
have a next one. Only a page without a next key is the last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, FromClause, Select, Table, and_, func, select, tuple_

#: How many rows of an index one page looks at, at most.
BUDGET = 10_000

#: A condition on the columns of a table, or of a part of it.
Condition = Callable[[Any], Any]
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Walk:
    """One index from `after` on: `where` is what the index itself answers, `filters` are tried on each row.

    `low` and `high` are where the walk begins and ends, apart because `after` takes the place of the one at which it
    began: given both, a database may begin at the wrong one and pass over every row in between.
    """

    table: FromClause
    key: tuple[str, ...]
    where: tuple[Condition, ...] = ()
    filters: tuple[Condition, ...] = ()
    after: Key | None = None
    descending: bool = False
    low: Condition | None = None
    high: Condition | None = None


@dataclass(frozen=True)
class Page:
    """Rows in the order of the key; `next_key` is where the next page begins, None at the end."""

    rows: list[tuple[Any, ...]]
    keys: list[Key]
    next_key: Key | None
    #: How many rows of the index were looked at, at most.
    cost: int = 0


def read_page(
    conn: Connection, columns: Sequence[Column[Any]], walk: Walk, limit: int, budget: int | None = None
) -> Page:
    """At most `limit` rows of a walk, found among at most `budget` rows."""
    if not walk.filters:
        found = conn.execute(_plain(columns, walk, limit + 1)).all()
        return _page(found, len(columns), limit, None, limit)
    # looked up when called, so that a test can make it small
    looked_at = BUDGET if budget is None else budget
    found = conn.execute(_filtered(columns, walk, limit + 1, looked_at)).all()
    horizon = None if len(found) > limit else _horizon(conn, walk, looked_at)
    return _page(found, len(columns), limit, horizon, looked_at)


def _page(found: Sequence[Any], width: int, limit: int, horizon: Key | None, cost: int) -> Page:
    shown = found[:limit]
    keys = [tuple(row[width:]) for row in shown]
    return Page([tuple(row[:width]) for row in shown], keys, keys[-1] if len(found) > limit else horizon, cost)


def _plain(columns: Sequence[Column[Any]], walk: Walk, limit: int) -> Select[Any]:
    key = [walk.table.c[name] for name in walk.key]
    shown = (walk.table.c[column.name] for column in columns)
    query = select(*shown, *(column.label(f"key_{n}") for n, column in enumerate(key)))
    return query.where(*_range(walk, walk.table)).order_by(*_ordered(key, walk.descending)).limit(limit)


def _filtered(columns: Sequence[Column[Any]], walk: Walk, limit: int, budget: int) -> Select[Any]:
    part = _part(walk, budget)
    key = [part.c[name] for name in walk.key]
    query = select(*(part.c[column.name] for column in columns), *(c.label(f"key_{n}") for n, c in enumerate(key)))
    query = query.where(*(condition(part.c) for condition in walk.filters))
    return query.order_by(*_ordered(key, walk.descending)).limit(limit)


def _part(walk: Walk, budget: int) -> FromClause:
    """The rows that are looked at. The limit inside keeps the database from choosing another way to them."""
    key = [walk.table.c[name] for name in walk.key]
    query = select(walk.table).where(*_range(walk, walk.table))
    return query.order_by(*_ordered(key, walk.descending)).limit(budget).subquery()


def _horizon(conn: Connection, walk: Walk, budget: int) -> Key | None:
    """The last key that was looked at when the budget was spent; None when the index ended before."""
    key = [walk.table.c[name] for name in walk.key]
    inner = select(*key).where(*_range(walk, walk.table)).order_by(*_ordered(key, walk.descending)).limit(budget)
    part = inner.subquery()
    ends = [part.c[name] for name in walk.key]
    counted = select(func.count()).select_from(part)
    if conn.execute(counted).scalar_one() < budget:
        return None
    row = conn.execute(select(*ends).order_by(*_ordered(ends, not walk.descending)).limit(1)).one()
    return tuple(row)


def _range(walk: Walk, table: FromClause) -> list[ColumnElement[bool]]:
    begin, end = (walk.high, walk.low) if walk.descending else (walk.low, walk.high)
    bounds = (end,) if walk.after is not None else (begin, end)
    found = [condition(table.c) for condition in (*walk.where, *bounds) if condition is not None]
    if walk.after is not None:
        found.append(beyond([table.c[name] for name in walk.key], walk.after, walk.descending))
    return found


def beyond(key: Sequence[ColumnElement[Any]], after: Key, descending: bool) -> Any:
    """Rows that come after a key, in the order of that key."""
    assert len(key) == len(after)
    if len(key) == 1:
        return key[0] < after[0] if descending else key[0] > after[0]
    return tuple_(*key) < after if descending else tuple_(*key) > after


def _ordered(key: Sequence[ColumnElement[Any]], descending: bool) -> list[Any]:
    return [column.desc() if descending else column.asc() for column in key]


def count_up_to(conn: Connection, table: Table, where: Sequence[Condition], most: int) -> int:
    """How many rows an index finds, counted no further than `most`."""
    part = select(table.c.id).where(*(condition(table.c) for condition in where)).limit(most).subquery()
    return int(conn.execute(select(func.count()).select_from(part)).scalar_one())


def read_few(conn: Connection, columns: Sequence[Column[Any]], walk: Walk, limit: int, most: int) -> Page:
    """The same page when `walk.where` is known to find at most `most` rows: they are fetched and put in order."""
    part = select(walk.table).where(*(condition(walk.table.c) for condition in walk.where)).limit(most).subquery()
    key = [part.c[name] for name in walk.key]
    query = select(*(part.c[column.name] for column in columns), *(c.label(f"key_{n}") for n, c in enumerate(key)))
    tried = [condition(part.c) for condition in walk.filters]
    tried += [column.is_not(None) for column in key]
    if walk.after is not None:
        tried.append(beyond(key, walk.after, walk.descending))
    query = query.where(and_(*tried)).order_by(*_ordered(key, walk.descending)).limit(limit + 1)
    return _page(conn.execute(query).all(), len(columns), limit, None, most)


def merge(pages: Sequence[Page], limit: int, descending: bool) -> Page:
    """Several walks over one table as one list; what lies beyond the nearest unfinished page is left for later."""
    rows = sorted(
        ((key, row) for page in pages for key, row in zip(page.keys, page.rows, strict=True)),
        key=lambda pair: pair[0],
        reverse=descending,
    )
    ends = [page.next_key for page in pages if page.next_key is not None]
    horizon = (max(ends) if descending else min(ends)) if ends else None
    if horizon is not None:
        rows = [pair for pair in rows if (pair[0] >= horizon if descending else pair[0] <= horizon)]
    shown = rows[:limit]
    more = shown[-1][0] if len(rows) > limit else horizon
    return Page([row for _, row in shown], [key for key, _ in shown], more, sum(page.cost for page in pages))
