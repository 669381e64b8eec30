"""What the place of a group in the archive depends on: its other members, doubtful dates, and what was taken then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from app.db.assets import NOT_GONE
from app.db.plans import unindexed
from app.db.rows import build, columns_for
from app.db.tables import assets, capture_records
from app.model import Asset, AssetStatus

#: Ids asked for in one statement.
CHUNK = 5_000
#: Rows fetched at a time.
FETCHED = 1_000
#: Those that are in the archive, or can come there.
COUNTED = tuple(
    status for status in AssetStatus
    if status not in (AssetStatus.DISCOVERED, AssetStatus.DUPLICATE, AssetStatus.GONE)
)  # fmt: skip
CONVERTERS = {"status": AssetStatus}


class Dated(NamedTuple):
    """A dated asset, as far as folders by date go."""

    taken_local: str
    taken_from: str | None
    mtime_ns: int
    status: str
    size_bytes: int
    root_id: int
    path: bytes


def list_weak(conn: Connection, asset_ids: Sequence[int]) -> set[int]:
    """Those of these assets whose date was found to be weak when they were inspected."""
    c = capture_records.c
    found: set[int] = set()
    for start in range(0, len(asset_ids), CHUNK):
        part = c.asset_id.in_(asset_ids[start : start + CHUNK])
        found.update(row[0] for row in conn.execute(select(c.asset_id).where(part, c.confidence == "weak")))
    return found


def list_others(conn: Connection, members: Sequence[Asset]) -> dict[int, list[Asset]]:
    """By group, the members that are not among these; groups that are whole are left out."""
    known = {asset.id for asset in members}
    groups = list({asset.group_id for asset in members if asset.group_id is not None})
    c = assets.c
    others: list[int] = []
    for start in range(0, len(groups), CHUNK):
        part = c.group_id.in_(groups[start : start + CHUNK])
        counted = (unindexed(c.status).in_(COUNTED), c.taken_local.is_not(None))
        rows = conn.execute(select(c.id).where(part, *counted))
        others += [row[0] for row in rows if row[0] not in known]
    found: dict[int, list[Asset]] = {}
    for start in range(0, len(others), CHUNK):
        query = select(*columns_for(assets, Asset)).where(c.id.in_(others[start : start + CHUNK])).order_by(c.id)
        for row in conn.execute(query):
            asset = build(Asset, row, CONVERTERS)
            found.setdefault(asset.group_id or 0, []).append(asset)
    return found


def list_with_stem(conn: Connection, root_id: int, stem: bytes) -> list[Asset]:
    """The assets below a root whose path is this, or this with an ending."""
    c = assets.c
    # A slash follows the dot. One range: of two with "or" between them the index of places would find neither.
    alike = (c.path >= stem, c.path < stem + b"/", or_(c.path == stem, c.path >= stem + b"."))
    query = select(*columns_for(assets, Asset)).where(c.root_id == root_id, NOT_GONE, *alike)
    return [build(Asset, row, CONVERTERS) for row in conn.execute(query)]


def list_taken(conn: Connection, prefix: str, unset_before: str, future_from: str) -> Iterator[list[Asset]]:
    """Group by group, what was taken in the time whose ISO 8601 text begins so, and what has a date that cannot be.

    An empty prefix means all times.
    """
    c = assets.c
    within = and_(c.taken_local >= prefix, c.taken_local < prefix + "~")
    cannot_be = or_(c.taken_local < unset_before, c.taken_local >= future_from)
    # Of all times nearly every row is one of these.
    status = unindexed(c.status) if prefix else c.status
    return by_group(conn, and_(status.in_(COUNTED), or_(within, cannot_be)))


def list_in_tree(conn: Connection, statuses: Sequence[AssetStatus]) -> Iterator[list[Asset]]:
    """Group by group, the dated assets of these statuses."""
    c = assets.c
    return by_group(conn, and_(c.status.in_(statuses), c.taken_local.is_not(None)))


def list_first(conn: Connection, statuses: Sequence[AssetStatus], limit: int) -> list[Asset]:
    """Some of the dated assets of these statuses, the first of each."""
    c = assets.c
    found: list[Asset] = []
    for status in statuses:
        query = select(*columns_for(assets, Asset)).where(c.status == status, c.taken_local.is_not(None))
        rows = conn.execute(query.order_by(c.id).limit(limit - len(found)))
        found += [build(Asset, row, CONVERTERS) for row in rows]
    return found


def list_dates(conn: Connection, statuses: Sequence[AssetStatus]) -> Iterator[Sequence[Dated]]:
    """Of every dated asset of these statuses what a folder by date is counted with, page by page."""
    c = assets.c
    query = select(c.taken_local, c.taken_from, c.mtime_ns, c.status, c.size_bytes, c.root_id, c.path)
    rows = conn.execution_options(yield_per=FETCHED).execute(
        query.where(c.status.in_(statuses), c.taken_local.is_not(None))
    )
    for page in rows.partitions():
        yield cast("Sequence[Dated]", page)


def count_undated(conn: Connection) -> int:
    """How many files wait whose date was not read yet."""
    c = assets.c
    query = select(func.count()).where(c.status.in_(("discovered", "unique")), c.taken_local.is_(None))
    return int(conn.execute(query).scalar_one())


def by_group(conn: Connection, condition: ColumnElement[bool]) -> Iterator[list[Asset]]:
    """The assets of which this is true, group by group."""
    key = func.coalesce(assets.c.group_id, -assets.c.id)
    query = select(*columns_for(assets, Asset)).where(condition).order_by(key, assets.c.id)
    group: list[Asset] = []
    for row in conn.execution_options(yield_per=FETCHED).execute(query):
        asset = build(Asset, row, CONVERTERS)
        if group and _key(group[0]) != _key(asset):
            yield group
            group = []
        group.append(asset)
    if group:
        yield group


def _key(asset: Asset) -> int:
    return asset.group_id if asset.group_id is not None else -asset.id
