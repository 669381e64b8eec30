"""Which files have a doubtful date, and which are meant when a person decides about the dates of many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select, text

from app.db import totals
from app.db.assets import CHUNK, CONVERTERS
from app.db.rows import build, columns_for
from app.db.tables import assets, capture_records
from app.model import Asset, AssetStatus

#: Doubtful by their source alone; `clock`: on the day on which clocks begin that were reset; `disagree`: the members of
#: a group tell dates that cannot be one.
REASONS = ("mtime", "folder", "exif_modified", "clock", "disagree")
RESET_DAY = "2000-01-01%"
#: Spelled out, not bound: only so does SQLite take the partial index.
WEAK = text("capture_records.confidence = 'weak'")
#: Files whose date is that of a photo or video here or in the archive.
DATED = (
    AssetStatus.UNIQUE,
    AssetStatus.BATCHED,
    AssetStatus.DELIVERED,
    AssetStatus.ARCHIVED,
    AssetStatus.SET_ASIDE,
)
#: Doubtful dates looked at for one page.
LOOKED_AT = 5_000


@dataclass(frozen=True)
class DateFilter:
    """Which files: by the reason of the doubt, the camera (its model, else its make; empty: none is known), the folder
    that they came in or one above."""

    reason: str | None = None
    camera: str | None = None
    folder: bytes | None = None


class Doubtful(NamedTuple):
    """A file, why its date is doubtful, and its camera."""

    asset: Asset
    reason: str
    camera: str


_a, _r = assets.c, capture_records.c
_IS_RESET = or_(_a.taken_local.like(RESET_DAY), and_(_a.taken_from == "mvhd", _a.taken_at.like(RESET_DAY)))
_REASON = case((_a.taken_from.in_(REASONS), _a.taken_from), (_IS_RESET, "clock"), else_="disagree")
_CAMERA = func.coalesce(_r.camera_model, _r.camera_make, "")
_CAME_AS = func.coalesce(_a.origin_path, _a.path)
#: With the sum, SQLite goes through the records, for which there is a partial index, and looks each asset up.
_JOINED = capture_records.join(assets, _a.id == _r.asset_id + 0)
#: The other way round, from assets.
_LEFT = assets.join(capture_records, _a.id + 0 == _r.asset_id)
_IS_DATED = (_a.status.in_(DATED), _a.taken_local.is_not(None))


def list_page(conn: Connection, wanted: DateFilter, after_id: int, limit: int) -> tuple[list[Doubtful], int | None]:
    """A page in id order, and after which id the next one begins; None at the end only."""
    looked_at = select(_r.asset_id).where(WEAK, _r.asset_id > after_id).order_by(_r.asset_id).limit(LOOKED_AT)
    ids = [row[0] for row in conn.execute(looked_at)]
    if not ids:
        return [], None
    query = _select().where(_r.asset_id.between(ids[0], ids[-1]), WEAK, *_IS_DATED, *conditions_of(wanted))
    found = [_doubtful(row) for row in conn.execute(query.order_by(_r.asset_id).limit(limit))]
    if len(found) == limit:
        return found, found[-1].asset.id
    return found, ids[-1] if len(ids) == LOOKED_AT else None


def list_named(conn: Connection, asset_ids: Sequence[int]) -> list[Doubtful]:
    """These files, in id order; the reason is empty where no date is doubtful."""
    reason = case((WEAK, _REASON), else_="")
    joined = assets.outerjoin(capture_records, _a.id == _r.asset_id)
    query = select(*columns_for(assets, Asset), reason, _CAMERA).select_from(joined).where(_a.id.in_(asset_ids))
    return [_doubtful(row) for row in conn.execute(query.order_by(_a.id))]


def count_records(conn: Connection) -> int:
    """How many records tell of a doubtful date, also of files that have gone."""
    return int(conn.execute(select(func.count()).select_from(capture_records).where(WEAK)).scalar_one())


def count(conn: Connection) -> int:
    """How many files have a doubtful date; quick, whatever the size of the library."""
    weak = count_records(conn)
    # Records are kept of files that have gone. Either those without a date are gone through or the doubtful ones.
    undated = [status for status in AssetStatus if status not in DATED]
    is_rarer = weak < sum(files for status, (files, _) in totals.read(conn).items() if status in undated)
    left = select(func.count()).select_from(_JOINED if is_rarer else _LEFT).where(WEAK, _a.status.in_(undated))
    return weak - int(conn.execute(left).scalar_one())


def stream(conn: Connection, limit: int | None = None) -> Iterator[tuple[str, str, bytes]]:
    """(reason, camera, path with which it came) of every file with a doubtful date; of the first ones, if limited."""
    query = select(_REASON, _CAMERA, _CAME_AS).select_from(_JOINED).where(WEAK, *_IS_DATED)
    query = query if limit is None else query.order_by(_r.asset_id).limit(limit)
    for row in conn.execution_options(yield_per=CHUNK).execute(query):
        yield row[0], row[1], row[2]


def list_ids(conn: Connection, wanted: DateFilter, *, doubtful: bool, limit: int) -> list[int]:
    """The ids of the photos and videos that are meant, at most `limit`; with a reason only doubtful ones."""
    query = select(_a.id).select_from(_JOINED).where(*_IS_DATED, *conditions_of(wanted))
    if doubtful or wanted.reason is not None:
        query = query.where(WEAK)
    return [row[0] for row in conn.execute(query.order_by(_r.asset_id).limit(limit))]


def list_assets(conn: Connection, asset_ids: Sequence[int]) -> list[Asset]:
    """These assets, in id order."""
    found: list[Asset] = []
    for start in range(0, len(asset_ids), CHUNK):
        part = _a.id.in_(asset_ids[start : start + CHUNK])
        query = select(*columns_for(assets, Asset)).where(part).order_by(_a.id)
        found += [build(Asset, row, CONVERTERS) for row in conn.execute(query)]
    return found


def _select() -> Select[Any]:
    return select(*columns_for(assets, Asset), _REASON, _CAMERA).select_from(_JOINED)


def _doubtful(row: Sequence[Any]) -> Doubtful:
    return Doubtful(build(Asset, row[:-2], CONVERTERS), row[-2], row[-1])


def conditions_of(wanted: DateFilter) -> list[ColumnElement[bool]]:
    """What a filter asks of assets and their capture records."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.reason is not None:
        conditions.append(_REASON.is_not_distinct_from(wanted.reason))
    if wanted.camera is not None:
        conditions.append(func.lower(_CAMERA).is_not_distinct_from(wanted.camera.lower()))
    if wanted.folder:
        below = wanted.folder + b"/"
        conditions.append(func.substr(_CAME_AS, 1, len(below)).is_not_distinct_from(below))
    return conditions
