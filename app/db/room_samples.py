"""The room_samples table: how much room the disk of each root had, day by day, and how much of it our files took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from app.db.clock import later, now
from app.db.rows import build, columns_for
from app.db.tables import assets, kept_copies, room_samples
from app.model import AssetStatus

#: Days that are kept.
KEPT_DAYS = 400
DAY_SECONDS = 86_400

PUT = (
    "INSERT INTO room_samples (root_id, day, at, free_bytes, total_bytes, own_files, own_bytes) "
    "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (root_id, day) DO UPDATE SET at = excluded.at, "
    "free_bytes = excluded.free_bytes, total_bytes = excluded.total_bytes, own_files = excluded.own_files, "
    "own_bytes = excluded.own_bytes"
)


@dataclass(frozen=True)
class RoomSample:
    """The last look of a day at a root."""

    root_id: int
    day: str
    at: str
    free_bytes: int
    total_bytes: int
    own_files: int
    own_bytes: int


@dataclass(frozen=True)
class Room:
    """What the file system said of a root."""

    root_id: int
    free_bytes: int
    total_bytes: int


def put(conn: Connection, rooms: Sequence[Room], own: dict[int, tuple[int, int]]) -> None:
    """Write down the room of some roots now, with (files, bytes) of ours there; forgets what is too old."""
    at = now()
    rows = [(r.root_id, at[:10], at, r.free_bytes, r.total_bytes, *own.get(r.root_id, (0, 0))) for r in rooms]
    if rows:
        conn.exec_driver_sql(PUT, rows)
    conn.execute(room_samples.delete().where(room_samples.c.day < later(-KEPT_DAYS * DAY_SECONDS)[:10]))


def list_since(conn: Connection, day: str) -> dict[int, list[RoomSample]]:
    """By root, the samples from this day (UTC) on, the oldest first."""
    c = room_samples.c
    query = select(*columns_for(room_samples, RoomSample)).where(c.day >= day).order_by(c.day)
    found: dict[int, list[RoomSample]] = {}
    for row in conn.execute(query):
        found.setdefault(row[0], []).append(build(RoomSample, row, {}))
    return found


def measure_own(conn: Connection) -> dict[int, tuple[int, int]]:
    """(files, bytes) of ours under each root, counted from the rows: it reads every asset."""
    a, k = assets.c, kept_copies.c
    there = select(a.root_id, func.count(), func.sum(a.size_bytes)).where(a.status != AssetStatus.GONE.value)
    kept = select(k.root_id, func.count(), func.sum(k.size_bytes))
    found: dict[int, tuple[int, int]] = {}
    for query in (there.group_by(a.root_id), kept.group_by(k.root_id)):
        for root_id, files, size in conn.execute(query):
            before = found.get(root_id, (0, 0))
            found[root_id] = (before[0] + int(files), before[1] + int(size or 0))
    return found
