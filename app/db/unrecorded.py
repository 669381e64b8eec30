"""Files of which it was never recorded what they tell of their date: they were dated before records were kept, or their
rows were made by a rebuild."""

from __future__ import annotations

from sqlalchemy import Connection, and_, func, or_, select

from app.db.assets import CONVERTERS
from app.db.rows import build, columns_for
from app.db.tables import assets, capture_records
from app.model import Asset, AssetStatus

#: What is inspected anyhow is not among them, nor what is nobody's original.
STATUSES = (AssetStatus.BATCHED, AssetStatus.DELIVERED, AssetStatus.ARCHIVED, AssetStatus.SET_ASIDE)
#: As it is stored that nothing was read: the doubt about a date was noted and no more.
NOTHING = "[]"


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
