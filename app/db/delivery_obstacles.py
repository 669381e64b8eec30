"""The delivery_obstacles table: why a file is not proven at a device, and the lists of files that are not.

A file without a row here and without a confirmation is simply not there yet, or its device is away. Device "" stands
for every device: what is wrong lies here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, case, delete, select

from app.db.clock import now
from app.db.tables import assets, deliveries, delivery_obstacles
from app.model import AssetStatus

EVERYWHERE = ""


class Obstacle(NamedTuple):
    """Why one file is not proven at one device; `words` only where they say more than the code."""

    asset_id: int
    device_id: str
    code: str
    words: str | None = None


class Known(NamedTuple):
    """What was found to be in the way, and when first."""

    code: str
    found_at: str


class Missing(NamedTuple):
    """One file of a batch that a device is not proven to have; `code` is None when it is merely not there yet."""

    asset_id: int
    path: bytes
    size_bytes: int
    code: str | None
    words: str | None


def list_known(conn: Connection, batch_id: int) -> dict[tuple[int, str], Known]:
    """What is in the way of every (asset, device) of the batch for which that is known."""
    o = delivery_obstacles.c
    rows = conn.execute(select(o.asset_id, o.device_id, o.code, o.found_at).where(o.batch_id == batch_id))
    return {(row[0], row[1]): Known(row[2], row[3]) for row in rows}


def put(conn: Connection, batch_id: int, found: Iterable[Obstacle]) -> None:
    """Write these down; one that is known with the same code keeps the time when it was found."""
    rows = [(o.asset_id, o.device_id, batch_id, o.code, o.words, now()) for o in found]
    if rows:
        conn.exec_driver_sql(
            "INSERT INTO delivery_obstacles AS known (asset_id, device_id, batch_id, code, words, found_at) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (asset_id, device_id) DO UPDATE SET batch_id = excluded.batch_id, "
            "code = excluded.code, words = excluded.words, found_at = CASE WHEN known.code = excluded.code "
            "AND known.batch_id = excluded.batch_id THEN known.found_at ELSE excluded.found_at END",
            rows,
        )


def clear(conn: Connection, cleared: Iterable[tuple[int, str]]) -> None:
    """Forget what was in the way of these (asset, device)."""
    rows = list(cleared)
    if rows:
        conn.exec_driver_sql("DELETE FROM delivery_obstacles WHERE asset_id = ? AND device_id = ?", rows)


def clear_batch(conn: Connection, batch_id: int) -> None:
    """Forget everything that was in the way of a batch."""
    conn.execute(delete(delivery_obstacles).where(delivery_obstacles.c.batch_id == batch_id))


def list_missing(conn: Connection, batch_id: int, device_id: str, limit: int) -> list[Missing]:
    """Some of the files that this device is not proven to have, those with something in the way first."""
    ids = _barred_ids(conn, batch_id, device_id, limit)
    barred = _missing(batch_id, device_id).where(assets.c.id.in_(ids)).order_by(assets.c.id)
    found = [Missing(*row) for row in conn.execute(barred)]
    others = _missing(batch_id, device_id).where(assets.c.id.not_in(ids)).order_by(assets.c.id)
    return found + [Missing(*row) for row in conn.execute(others.limit(limit - len(found)))]


def _barred_ids(conn: Connection, batch_id: int, device_id: str, limit: int) -> list[int]:
    o = delivery_obstacles.c
    query = select(o.asset_id).where(o.batch_id == batch_id, o.device_id.in_([EVERYWHERE, device_id])).distinct()
    return list(conn.execute(query.order_by(o.asset_id).limit(limit)).scalars())


def page_missing(conn: Connection, batch_id: int, device_id: str, after_id: int, limit: int) -> list[Missing]:
    """The files that this device is not proven to have, by asset id, those after `after_id`."""
    query = _missing(batch_id, device_id).where(assets.c.id > after_id)
    return [Missing(*row) for row in conn.execute(query.order_by(assets.c.id).limit(limit))]


def _missing(batch_id: int, device_id: str) -> Select[Any]:
    o = delivery_obstacles.c
    everywhere = delivery_obstacles.alias("everywhere")
    own = assets.outerjoin(delivery_obstacles, and_(o.asset_id == assets.c.id, o.device_id == device_id))
    both = own.outerjoin(
        everywhere, and_(everywhere.c.asset_id == assets.c.id, everywhere.c.device_id == EVERYWHERE)
    )
    is_here = everywhere.c.code.is_not(None)
    code = case((is_here, everywhere.c.code), else_=o.code)
    words = case((is_here, everywhere.c.words), else_=o.words)
    columns = (assets.c.id, assets.c.path, assets.c.size_bytes, code, words)
    return select(*columns).select_from(both).where(*_is_missing(batch_id, device_id))


def _is_missing(batch_id: int, device_id: str) -> tuple[ColumnElement[bool], ...]:
    d = deliveries.c
    proven = select(d.asset_id).where(
        d.asset_id == assets.c.id, d.device_id == device_id, d.batch_id == batch_id
    )
    return (assets.c.batch_id == batch_id, assets.c.status == AssetStatus.BATCHED.value, ~proven.exists())
