"""The sync_samples table: how far a delivery was at a peer, moment by moment; for charts, rates and what is left.

Bounded: per batch and peer the newest samples are dense, older ones ever sparser, and the first one stays.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, func, insert, select

from app.db import paging
from app.db.clock import now
from app.db.paging import Condition, Walk
from app.db.rows import build, columns_for
from app.db.tables import assets, batches, deliveries, sync_samples

#: So many samples are kept per batch and peer, at most.
MOST_PER_PEER = 240
#: The newest ones, which are never thinned.
DENSE = 80
#: Which files peers are fetching at this moment, by device, as JSON; empty when none.
UNDER_WAY_FACT = "sync_files_under_way"
MAX_ID = 2**63 - 1


@dataclass(frozen=True)
class Moment:
    """How far a delivery is at one peer; None means that it is not known.

    `need_items` and `need_bytes` are what the peer lacks of the whole folder, by its own word.
    """

    confirmed_files: int
    confirmed_bytes: int
    need_items: int | None = None
    need_bytes: int | None = None
    connected: bool | None = None


@dataclass(frozen=True)
class Sample:
    """A moment that was kept. `rate` is in bytes per second."""

    id: int
    batch_id: int
    device_id: str
    at: str
    confirmed_files: int
    confirmed_bytes: int
    need_items: int | None
    need_bytes: int | None
    rate: float | None
    connected: bool | None

    @property
    def moment(self) -> Moment:
        """What was sampled."""
        return Moment(
            self.confirmed_files, self.confirmed_bytes, self.need_items, self.need_bytes, self.connected
        )


COLUMNS = columns_for(sync_samples, Sample)
CONVERTERS = {"connected": bool}


def add(conn: Connection, batch_id: int, device_id: str, moment: Moment, rate: float | None) -> None:
    """Append a sample, and thin the older ones of this batch and peer when there are too many."""
    connected = None if moment.connected is None else int(moment.connected)
    own = {"batch_id": batch_id, "device_id": device_id, "at": now(), "rate": rate, "connected": connected}
    values = {**asdict(moment), **own}
    conn.execute(insert(sync_samples).values(**values))
    where = (sync_samples.c.batch_id == batch_id, sync_samples.c.device_id == device_id)
    if conn.execute(select(func.count()).select_from(sync_samples).where(*where)).scalar_one() > MOST_PER_PEER:
        _thin(conn, batch_id, device_id)


def _thin(conn: Connection, batch_id: int, device_id: str) -> None:
    """Drop every second one of the older samples; what is thinned again and again becomes ever sparser."""
    where = (sync_samples.c.batch_id == batch_id, sync_samples.c.device_id == device_id)
    ids = list(conn.execute(select(sync_samples.c.id).where(*where).order_by(sync_samples.c.id)).scalars())
    dropped = ids[1:-DENSE:2]
    conn.execute(delete(sync_samples).where(sync_samples.c.id.in_(dropped)))


def newest(conn: Connection, batch_id: int, device_id: str, count: int = DENSE) -> list[Sample]:
    """The newest samples of a batch at a peer, the oldest of them first."""
    query = (
        select(*COLUMNS)
        .where(sync_samples.c.batch_id == batch_id, sync_samples.c.device_id == device_id)
        .order_by(sync_samples.c.id.desc())
        .limit(count)
    )
    return [build(Sample, row, CONVERTERS) for row in conn.execute(query)][::-1]


def devices_of(conn: Connection, batch_id: int) -> list[str]:
    """The peers of which there are samples for a batch."""
    query = select(sync_samples.c.device_id).where(sync_samples.c.batch_id == batch_id).distinct()
    return sorted(conn.execute(query).scalars())


def page(
    conn: Connection,
    *,
    batch_id: int | None = None,
    device_id: str = "",
    since: str = "",
    before_id: int | None = None,
    limit: int = 100,
) -> tuple[list[Sample], int | None]:
    """Samples newest first, and the id before which the next page begins (None at the end)."""
    where: list[Condition] = []
    if batch_id is not None:
        where.append(lambda c: c.batch_id == batch_id)
    filters: list[Condition] = []
    if device_id:
        filters.append(lambda c: c.device_id == device_id)
    first_id = _first_since(conn, since)
    walk = Walk(
        sync_samples,
        ("id",),
        tuple(where),
        tuple(filters),
        after=(before_id,) if before_id is not None else None,
        descending=True,
        low=lambda c: c.id >= first_id,
    )
    found = paging.read_page(conn, COLUMNS, walk, limit)
    samples = [build(Sample, row, CONVERTERS) for row in found.rows]
    return samples, int(found.next_key[0]) if found.next_key else None


def _first_since(conn: Connection, since: str) -> int:
    """The id of the first sample at or after an instant; ids and instants grow together."""
    if not since:
        return 0
    query = select(sync_samples.c.id).where(sync_samples.c.at >= since).order_by(sync_samples.c.at).limit(1)
    found = conn.execute(query).scalar()
    return MAX_ID if found is None else int(found)


def drop_before(conn: Connection, instant: str) -> int:
    """Remove the samples from before an instant; returns how many."""
    return conn.execute(delete(sync_samples).where(sync_samples.c.at < instant)).rowcount


@dataclass(frozen=True)
class Delivered:
    """What one peer was seen to receive on one day (UTC)."""

    day: str
    device_id: str
    file_count: int
    size_bytes: int


def delivered_by_day(conn: Connection, since_day: str) -> list[Delivered]:
    """What each peer was seen to receive, day by day from this day (UTC) on, the newest day first."""
    day = func.substr(deliveries.c.confirmed_at, 1, 10).label("day")
    under_way = batches.c.synced_at.is_(None) | (batches.c.synced_at >= since_day)
    query = (
        select(day, deliveries.c.device_id, func.count(), func.coalesce(func.sum(assets.c.size_bytes), 0))
        .select_from(
            batches.join(deliveries, deliveries.c.batch_id == batches.c.id).join(
                assets, assets.c.id == deliveries.c.asset_id
            )
        )
        .where(under_way, deliveries.c.confirmed_at >= since_day)
        .group_by(day, deliveries.c.device_id)
        .order_by(day.desc(), deliveries.c.device_id)
    )
    return [Delivered(*row) for row in conn.execute(query)]


def rates_since(conn: Connection, instant: str, limit: int = 2_000) -> list[tuple[str, float]]:
    """(instant, bytes per second) of the newest samples since an instant that have a rate, at most `limit`."""
    c = sync_samples.c
    query = select(c.at, c.rate).where(c.at >= instant, c.rate.is_not(None)).order_by(c.at.desc()).limit(limit)
    return [(row[0], row[1]) for row in conn.execute(query)]
