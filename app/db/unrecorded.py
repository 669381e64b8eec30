"""Files of which it was never recorded what they tell of their date: they were dated before records were kept, or their
rows were made by a rebuild."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, and_, func, or_, select

from app.db import facts
from app.db.assets import CONVERTERS
from app.db.rows import build, columns_for
from app.db.tables import assets, capture_records
from app.model import Asset, AssetStatus

#: What is inspected anyhow is not among them, nor what is nobody's original.
STATUSES = (AssetStatus.BATCHED, AssetStatus.DELIVERED, AssetStatus.ARCHIVED, AssetStatus.SET_ASIDE)
#: As it is stored that nothing was read: the doubt about a date was noted and no more.
NOTHING = "[]"
#: The fact that says of how many files a rebuild has found that they are among these; empty once they were read.
NOT_READ = "dates_not_read"
_UNREAD = (
    f"status IN ({', '.join(repr(status.value) for status in STATUSES)}) AND taken_local IS NOT NULL "
    f"AND NOT EXISTS (SELECT 1 FROM capture_records WHERE asset_id = assets.id AND candidates <> '{NOTHING}')"
)
_NOTED = "NOT EXISTS (SELECT 1 FROM capture_records WHERE asset_id = assets.id)"


def list_page(conn: Connection, after_id: int, limit: int) -> list[Asset]:
    """Those after an id, in id order, at most `limit`; sidecars, which have no records, among them."""
    a, r = assets.c, capture_records.c
    joined = assets.outerjoin(capture_records, a.id == r.asset_id)
    lacks = or_(r.asset_id.is_(None), r.candidates == NOTHING)
    query = select(*columns_for(assets, Asset)).select_from(joined)
    # Walked in the order of ids: by the index of statuses, each page would sort all that are left.
    is_meant = func.coalesce(a.status, "").in_(STATUSES)
    query = query.where(and_(a.id > after_id, is_meant, lacks)).order_by(a.id).limit(limit)
    return [build(Asset, row, CONVERTERS) for row in conn.execute(query)]


def settle(conn: Connection, weak_sources: Collection[str], sidecar_endings: Collection[str]) -> int:
    """Note the doubt about the dates of these that is known by their source alone, and how many photos and videos they
    are; returns that."""
    endings = tuple(f"%.{ending}" for ending in sorted(sidecar_endings))
    media = " AND CAST(path AS TEXT) NOT LIKE ?" * len(endings)
    weak = tuple(sorted(weak_sources))
    conn.exec_driver_sql(
        f"INSERT INTO capture_records (asset_id, candidates, confidence) SELECT id, '{NOTHING}', 'weak' FROM assets "
        f"WHERE taken_from IN ({', '.join('?' * len(weak))}) AND {_UNREAD} AND {_NOTED}{media}",
        (*weak, *endings),
    )
    files = int(conn.exec_driver_sql(f"SELECT COUNT(*) FROM assets WHERE {_UNREAD}{media}", endings).scalar_one())
    facts.put(conn, NOT_READ, str(files or ""))
    return files


def count_after_rebuild(conn: Connection) -> int:
    """Of how many files the last rebuild knew no more than their date; 0 once they were read."""
    return int(facts.find(conn, NOT_READ) or 0)


def have_read(conn: Connection) -> None:
    """All were read since the last rebuild."""
    facts.put(conn, NOT_READ, "")
