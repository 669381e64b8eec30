"""What a searched text means that may be a name as it is shown: there, an escape stands for a byte or a character."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from app.db import present_names
from app.db.paging import count_up_to
from app.db.search_terms import AssetSearch, conditions
from app.db.tables import assets
from app.errors import readings


def as_meant(conn: Connection, wanted: AssetSearch) -> AssetSearch:
    """The search with each name and path as a person means it: as it is shown, when a file fits so; else as spelled."""
    if "\\" in wanted.name:
        names = (AssetSearch(name=_text(name)) for name in readings(wanted.name))
        wanted = replace(wanted, name=next((one.name for one in names if _is_found(conn, one)), wanted.name))
    if b"\\" in wanted.prefix:
        below = (AssetSearch(prefix=path) for path in readings(_text(wanted.prefix)))
        wanted = replace(wanted, prefix=next((one.prefix for one in below if _is_found(conn, one)), wanted.prefix))
    if b"\\" in wanted.origin:
        from_ = (AssetSearch(origin=path) for path in readings(_text(wanted.origin)))
        wanted = replace(wanted, origin=next((one.origin for one in from_ if _is_found(conn, one)), wanted.origin))
    return wanted


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


def _is_found(conn: Connection, wanted: AssetSearch) -> bool:
    (condition,) = conditions(conn, wanted).values()
    if count_up_to(conn, assets, [condition], 1):
        return True
    return bool(wanted.name) and present_names.list_within(conn, condition, 0) is None
