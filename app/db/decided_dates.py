"""Which files have a date that a person decided, and which decisions were made in one go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, func, select

from app.db.assets import CONVERTERS
from app.db.dated_groups import COUNTED
from app.db.doubtful_dates import DATED, DateFilter, conditions_of
from app.db.plans import unindexed
from app.db.rows import build, columns_for
from app.db.tables import assets, capture_records, date_decisions
from app.model import Asset

#: With so many decisions a page of acts ends.
MOST_COUNTED = 30_000


class DecidedFile(NamedTuple):
    """A file, what was decided about its date, by whom and when."""

    asset: Asset
    action: str
    decided_by: str
    decided_at: str


class Act(NamedTuple):
    """What was decided in one go, as far as it stands: of how many groups, of which first one, and how many files have
    their dates by it."""

    decided_at: str
    action: str
    decided_by: str
    decisions: int
    first_id: int
    files: int


_a, _d = assets.c, date_decisions.c
#: With the sum, SQLite goes through the decisions, which are few, and looks each asset up.
_DECIDED = date_decisions.join(assets, _a.id == _d.asset_id + 0)
#: A decision about other content counts no more.
_STANDS = (_d.sha256.is_not_distinct_from(_a.sha256), unindexed(_a.status).in_(DATED))

_m = assets.alias("members").c
#: What belongs to the file that a decision is written of, and has its date.
_OTHERS = (
    select(func.count())
    .where(_m.group_id == _a.group_id, _m.id != _a.id, unindexed(_m.status).in_(COUNTED), _m.taken_local.is_not(None))
    .scalar_subquery()
)
_ACTS_AT = (
    select(_d.decided_at, _d.action, _d.decided_by, func.count(), func.min(_d.asset_id), func.sum(_OTHERS + 1))
    .select_from(_DECIDED)
    .where(*_STANDS)
    .group_by(_d.decided_at, _d.action, _d.decided_by)
)


def list_acts(conn: Connection, before: str | None, limit: int) -> tuple[list[Act], str | None]:
    """Newest first, only those before an instant when one is given; and the instant before which there are more, None
    at the end. Fewer than `limit` when many decisions had to be counted: what was decided before costs nothing."""
    found: list[Act] = []
    at = _instant_before(conn, before)
    while at is not None and len(found) < limit and sum(act.decisions for act in found) < MOST_COUNTED:
        found += [Act(*row) for row in conn.execute(_ACTS_AT.where(_d.decided_at == at))]
        before, at = at, _instant_before(conn, at)
    return found, before if at is not None else None


def _instant_before(conn: Connection, before: str | None) -> str | None:
    """When was decided last, before an instant if one is given."""
    query = select(func.max(_d.decided_at))
    found: str | None = conn.execute(query if before is None else query.where(_d.decided_at < before)).scalar()
    return found


def list_page(
    conn: Connection, wanted: DateFilter, decided_at: str | None, after_id: int, limit: int
) -> list[DecidedFile]:
    """The files that decisions are written of, in id order; of one act, a camera, a folder, each when given."""
    query = select(*columns_for(assets, Asset), _d.action, _d.decided_by, _d.decided_at).select_from(_joined())
    query = query.where(*_conditions(wanted, decided_at), _d.asset_id > after_id).order_by(_d.asset_id).limit(limit)
    return [_file(row) for row in conn.execute(query)]


def list_ids(conn: Connection, wanted: DateFilter, decided_at: str | None, limit: int) -> list[int]:
    """The ids of these files, at most `limit`."""
    query = select(_d.asset_id).select_from(_joined()).where(*_conditions(wanted, decided_at))
    return [row[0] for row in conn.execute(query.order_by(_d.asset_id).limit(limit))]


def _joined() -> FromClause:
    return _DECIDED.outerjoin(capture_records, capture_records.c.asset_id == _d.asset_id)


def _conditions(wanted: DateFilter, decided_at: str | None) -> list[ColumnElement[bool]]:
    conditions = [*_STANDS, *conditions_of(wanted)]
    return conditions if decided_at is None else [*conditions, _d.decided_at == decided_at]


def _file(row: Sequence[Any]) -> DecidedFile:
    return DecidedFile(build(Asset, row[:-3], CONVERTERS), *row[-3:])
