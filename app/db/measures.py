"""What metrics are made of: sums and counts that few rows answer, and what came since an earlier reading."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from app.db.activity import KINDS, Sum
from app.db.tables import activity, assets, batches, events, runs, steps
from app.model import AssetStatus, BatchStatus, RunStatus

#: Levels that tell of trouble, and the kinds of event with which a run ends.
TROUBLE_LEVELS = ("warning", "error")
RUN_ENDS = ("run.finished", "run.failed", "run.cancelled")
#: Each value that is bound counts against a limit of SQLite.
IDS_AT_ONCE = 500


@dataclass(frozen=True)
class Measure:
    """How many there are, what they hold together, and when the oldest of them was made (None without any)."""

    count: int = 0
    size_bytes: int = 0
    oldest_at: str | None = None


@dataclass(frozen=True)
class Progress:
    """Files and bytes of the batches on their way, and how much of that is proven to have arrived."""

    files: int
    size_bytes: int
    confirmed_files: int
    confirmed_bytes: int


@dataclass(frozen=True)
class EndedStep:
    """A step that has ended, with its instants as they are stored."""

    id: int
    stage: str
    status: str
    started_at: str
    ended_at: str


def batches_by_status(conn: Connection) -> dict[BatchStatus, Measure]:
    """The batches of each status, every status present."""
    c = batches.c
    query = select(c.status, func.count(), func.sum(c.size_bytes), func.min(c.created_at)).group_by(c.status)
    found = {row[0]: Measure(int(row[1]), int(row[2]), row[3]) for row in conn.execute(query)}
    return {status: found.get(status.value, Measure()) for status in BatchStatus}


def delivery_progress(conn: Connection) -> Progress:
    """How far the batches are that are PENDING or SYNCING."""
    c = batches.c
    sums = [func.coalesce(func.sum(column), 0) for column in
            (c.file_count, c.size_bytes, c.confirmed_count, c.confirmed_bytes)]  # fmt: skip
    on_their_way = c.status.in_([BatchStatus.PENDING.value, BatchStatus.SYNCING.value])
    return Progress(*(int(value) for value in conn.execute(select(*sums).where(on_their_way)).one()))


def runs_by_status(conn: Connection, statuses: Collection[RunStatus]) -> dict[RunStatus, Measure]:
    """The runs of these statuses, each present; `oldest_at` is when the one was requested that waits longest."""
    c = runs.c
    query = select(c.status, func.count(), func.min(c.requested_at)).where(c.status.in_([s.value for s in statuses]))
    found = {row[0]: Measure(int(row[1]), 0, row[2]) for row in conn.execute(query.group_by(c.status))}
    return {status: found.get(status.value, Measure()) for status in statuses}


def activity_sums(conn: Connection) -> dict[str, Sum]:
    """What was ever first seen, delivered and archived, as the charts count it; never less than before."""
    c = activity.c
    query = select(c.what, func.sum(c.file_count), func.sum(c.size_bytes)).group_by(c.what)
    found = {row[0]: Sum(int(row[1]), int(row[2])) for row in conn.execute(query)}
    return {what: found.get(what, Sum()) for what in KINDS}


def oldest_waiting_at(conn: Connection) -> str | None:
    """Since when the file waits that was seen first of those that wait; ids grow with time."""
    c = assets.c
    found = [
        conn.execute(select(c.first_seen_at).where(c.status == status.value).order_by(c.id).limit(1)).scalar()
        for status in (AssetStatus.DISCOVERED, AssetStatus.UNIQUE)
    ]
    return min((at for at in found if at is not None), default=None)


def last_event_id(conn: Connection) -> int:
    """The id of the newest event, 0 without any. Events are never removed, and their ids grow."""
    return int(conn.execute(select(func.max(events.c.id))).scalar() or 0)


def troubles_between(conn: Connection, after_id: int, last_id: int) -> dict[tuple[str, str], int]:
    """By (kind, level), how many of these events are warnings or errors."""
    # In this form the condition is that of the index over the few events that are not "info".
    query = (
        "SELECT kind, level, COUNT(*) FROM events WHERE level != 'info' AND level = ? AND id > ? AND id <= ? "
        "GROUP BY kind, level"
    )
    rows = [row for level in TROUBLE_LEVELS for row in conn.exec_driver_sql(query, (level, after_id, last_id))]
    return {(row[0], row[1]): int(row[2]) for row in rows}


def run_ends_between(conn: Connection, after_id: int, last_id: int) -> dict[str, int]:
    """By kind, how many of these events tell that a run ended."""
    c = events.c
    query = select(c.kind, func.count()).where(c.kind.in_(RUN_ENDS), c.id > after_id, c.id <= last_id).group_by(c.kind)
    return {row[0]: int(row[1]) for row in conn.execute(query)}


def steps_since(conn: Connection, after_id: int, open_ids: Collection[int]) -> tuple[list[EndedStep], list[int], int]:
    """What became of steps since a reading that ended at `after_id` and left `open_ids` unfinished: the steps that have
    ended, the ids of those that have not, and the id at which the next reading goes on."""
    c = steps.c
    query = select(c.id, c.stage, c.status, c.started_at, c.ended_at)
    rows: list[Row[Any]] = []
    waiting = sorted(open_ids)
    for first in range(0, len(waiting), IDS_AT_ONCE):
        rows += conn.execute(query.where(c.id.in_(waiting[first : first + IDS_AT_ONCE])))
    rows += conn.execute(query.where(c.id > after_id).order_by(c.id))
    ended = [EndedStep(row.id, row.stage, row.status, row.started_at, row.ended_at) for row in rows if row.ended_at]
    return ended, [row.id for row in rows if not row.ended_at], max([after_id, *(row.id for row in rows)])
