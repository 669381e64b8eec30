"""The lines of a rebuild's report: each file that was seen is in exactly one, and what was not seen is in none.

A file that is an asset is in the line of that asset's status; any other in the line of what was found about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, TextClause, and_, func, or_, select

from app.db.assets import NOT_GONE
from app.db.tables import assets, rebuild_entries, rebuild_files

#: The line of a file of which nothing was written; a rebuild that has ended leaves none.
UNDECIDED = "undecided"

_F = rebuild_files.c
LINE: ColumnElement[Any] = func.coalesce(assets.c.status, _F.finding, UNDECIDED)
SEEN = rebuild_files.outerjoin(assets, assets.c.id == _F.asset_id)


class Line(NamedTuple):
    """How many files are in one line, and their bytes."""

    name: str
    files: int
    size_bytes: int


class Listed(NamedTuple):
    """One file that was seen."""

    id: int
    root_id: int
    path: bytes
    size_bytes: int
    line: str
    finding: str | None
    note: str | None
    asset_id: int | None


def count(conn: Connection) -> list[Line]:
    """Every line that has files, the longest first; together they are all files that were seen."""
    query = select(LINE, func.count(), func.sum(_F.size_bytes)).select_from(SEEN).group_by(LINE)
    found = [Line(str(row[0]), int(row[1]), int(row[2])) for row in conn.execute(query)]
    return sorted(found, key=lambda line: (-line.files, line.name))


def list_line(conn: Connection, name: str, after_id: int, limit: int) -> list[Listed]:
    """Files of one line, in id order."""
    is_of = or_(assets.c.status == name, and_(assets.c.status.is_(None), _F.finding == name))
    return _listed(conn, select(*_COLUMNS).select_from(SEEN).where(is_of, _F.id > after_id), limit)


def list_found(conn: Connection, finding: str | None, after_id: int, limit: int) -> list[Listed]:
    """Files worth a look, of one finding or all, in id order, each with its line."""
    wanted = _F.finding.is_not(None) if finding is None else _F.finding == finding
    return _listed(conn, select(*_COLUMNS).select_from(SEEN).where(wanted, _F.id > after_id), limit)


_COLUMNS = (_F.id, _F.root_id, _F.path, _F.size_bytes, LINE, _F.finding, _F.note, _F.asset_id)


def _listed(conn: Connection, query: Select[Any], limit: int) -> list[Listed]:
    return [Listed(*row) for row in conn.execute(query.order_by(_F.id).limit(limit))]


def _unfound(root_ids: Sequence[int]) -> tuple[ColumnElement[bool] | TextClause, ...]:
    c = assets.c
    seen = select(_F.id).where(_F.asset_id == c.id).exists()
    lost = select(rebuild_entries.c.found_asset_id).where(
        rebuild_entries.c.note.is_not(None), rebuild_entries.c.found_asset_id.is_not(None)
    )
    return NOT_GONE, c.root_id.in_(root_ids), ~seen, c.id.not_in(lost)


def count_unfound(conn: Connection, root_ids: Sequence[int]) -> int:
    """How many assets under these roots no file was found for, those left out that a manifest names as well."""
    return int(conn.execute(select(func.count()).select_from(assets).where(*_unfound(root_ids))).scalar_one())


def list_unfound(conn: Connection, root_ids: Sequence[int], limit: int) -> list[tuple[int, int, bytes]]:
    """(asset id, root id, path) of such assets, in id order."""
    c = assets.c
    query = select(c.id, c.root_id, c.path).where(*_unfound(root_ids)).order_by(c.id).limit(limit)
    return [(row[0], row[1], row[2]) for row in conn.execute(query)]
