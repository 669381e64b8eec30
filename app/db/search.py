"""Searching assets: any filters together, in any order, a page at a time, each page in bounded work.

If one of the filters leaves few files, these are fetched and sorted. If all of them leave many, the list is walked
along the index of its order, and the filters are tried on each row that is met.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from app.db import cameras, paging, present_names
from app.db.assets import CONVERTERS
from app.db.paging import Condition, Key, Page, Walk, count_up_to, read_few, read_page
from app.db.rows import build, columns_for
from app.db.search_terms import (
    HAS_DATE,
    NOT_GONE,
    SORTS,
    AssetSearch,
    Range,
    begins,
    conditions,
    equals,
    refuse_contradictions,
    root_ids_and_kinds,
)
from app.db.tables import assets
from app.model import Asset, AssetStatus

__all__ = ["SORTS", "AssetSearch", "refuse_contradictions", "search"]

#: Files that one filter may leave to be fetched and sorted.
FEW = 5_000

#: Filters that an index finds by itself, in the order in which they are tried; the first ones also keep to id order.
INDEXED = (
    "batch_id", "group_id", "original_id", "status", "digest", "name", "prefix", "origin", "taken", "camera", "root",
)  # fmt: skip
#: So many statuses are each searched by themselves; of more, each row is asked.
SEARCHED_APART = 3
LEADING = INDEXED[:4]
COLUMNS = columns_for(assets, Asset)


def search(conn: Connection, wanted: AssetSearch) -> tuple[list[Asset], Key | None]:
    """A page of assets, and the key after which the next page begins (None at the end).

    Raises BadRequest for an order that does not exist, or one that leaves out all that is asked for.
    """
    if 0 < len(wanted.statuses) <= SEARCHED_APART:
        apart = [replace(wanted, status=status, statuses=()) for status in wanted.statuses]
        page = paging.merge([_search(conn, one) for one in apart], wanted.limit, wanted.descending)
    else:
        page = _search(conn, wanted)
    return [build(Asset, row, CONVERTERS) for row in page.rows], page.next_key


def _search(conn: Connection, wanted: AssetSearch) -> Page:
    refuse_contradictions(wanted)
    filters = conditions(conn, wanted)
    return _by_either_name(conn, wanted, filters) if "name" in filters else _page(conn, wanted, filters)


def _page(conn: Connection, wanted: AssetSearch, filters: dict[str, Condition]) -> Page:
    return _few(conn, wanted, filters) or _walk(conn, wanted, filters)


def _by_either_name(conn: Connection, wanted: AssetSearch, filters: dict[str, Condition]) -> Page:
    """The page, when a file counts by the name that it came with and by the one that it has now."""
    rest = {name: condition for name, condition in filters.items() if name != "name"}
    renamed = present_names.list_within(conn, filters["name"], FEW)
    if renamed is None:  # so many that no index of the order leads to them
        return _page(conn, wanted, {**rest, "either_name": present_names.fits(filters["name"])})
    page = _page(conn, wanted, filters)
    if not renamed:
        return page
    there = _sorted(wanted, lambda c: c.id.in_(renamed), tuple(rest.values()))
    return paging.merge([page, read_few(conn, COLUMNS, there, wanted.limit, FEW)], wanted.limit, wanted.descending)


def _few(conn: Connection, wanted: AssetSearch, filters: dict[str, Condition]) -> Page | None:
    """The page, if one of the filters alone leaves few enough files."""
    for name in INDEXED:
        if name not in filters or (name in ("prefix", "root") and wanted.status is AssetStatus.GONE):
            continue
        few = _if_few(conn, wanted, name, filters[name])
        if few is not None:
            rest = tuple(condition for other, condition in filters.items() if other != name)
            return read_few(conn, COLUMNS, _sorted(wanted, few, rest), wanted.limit, FEW)
    return None


def _if_few(conn: Connection, wanted: AssetSearch, name: str, condition: Condition) -> Condition | None:
    """What leads to the files of one filter, if these are few enough."""
    if name != "camera":
        return condition if count_up_to(conn, assets, [condition], FEW + 1) <= FEW else None
    ids = cameras.list_ids(conn, wanted.camera, FEW + 1)
    return None if len(ids) > FEW else lambda c: c.id.in_(ids)


def _sorted(wanted: AssetSearch, few: Condition, rest: tuple[Condition, ...]) -> Walk:
    """What finds the few files, and the rest that is tried on each of them."""
    tried = rest if wanted.sort != "path" else (*rest, _is_here)
    return Walk(assets, SORTS[wanted.sort], (few,), tried, wanted.after, wanted.descending)


def _is_here(_: Any) -> Any:
    return NOT_GONE


def _has_date(_: Any) -> Any:
    return HAS_DATE


def _walk(conn: Connection, wanted: AssetSearch, filters: dict[str, Condition]) -> Page:
    """The page, found along the index of the order that is asked for."""
    if wanted.sort in ("path", "origin"):
        return _walk_roots(conn, wanted, filters)
    led_by: dict[str, tuple[str, ...]] = {"id": (*LEADING, "camera"), "name": ("name",), "taken": ("taken",)}
    lead = next((name for name in led_by[wanted.sort] if name in filters), None)
    rest = tuple(condition for name, condition in filters.items() if name != lead)
    walk = Walk(assets, SORTS[wanted.sort], (), rest, wanted.after, wanted.descending)
    if lead == "camera":
        walk = replace(walk, table=cameras.WITH_CAMERA)
    if wanted.sort == "taken":
        walk = replace(walk, where=(_has_date,))
    elif wanted.sort == "name" and lead is None:
        walk = replace(walk, where=(lambda c: c.name.is_not(None),))
    return read_page(conn, COLUMNS, _led(walk, filters[lead]) if lead is not None else walk, wanted.limit)


def _led(walk: Walk, lead: Condition) -> Walk:
    if isinstance(lead, Range):
        return replace(walk, low=lead.low, high=lead.high)
    return replace(walk, where=(*walk.where, lead))


def _walk_roots(conn: Connection, wanted: AssetSearch, filters: dict[str, Condition]) -> Page:
    """Root after root, each along its own part of the index of places, or of origins."""
    ids = _roots_ahead(conn, wanted)
    rows: list[Any] = []
    keys: list[Key] = []
    for root_id in ids:
        after = wanted.after[1:] if wanted.after is not None and wanted.after[0] == root_id else None
        walk = replace(_walk_of_root(wanted, filters, root_id), after=after)
        page = read_page(conn, COLUMNS, walk, wanted.limit - len(rows), paging.BUDGET // len(ids))
        rows += page.rows
        keys += [(root_id, *key) for key in page.keys]
        if page.next_key is not None:
            return Page(rows, keys, (root_id, *page.next_key))
        if len(rows) == wanted.limit:
            return Page(rows, keys, keys[-1] if root_id != ids[-1] else None)
    return Page(rows, keys, None)


def _walk_of_root(wanted: AssetSearch, filters: dict[str, Condition], root_id: int) -> Walk:
    where: tuple[Condition, ...]
    if wanted.sort == "path":
        done, path, prefix = {"prefix", "root"}, "path", wanted.prefix
        where = (equals("root_id", root_id), _is_here)
    else:
        done, path, prefix = {"origin"}, "origin_path", wanted.origin
        where = (equals("origin_root_id", root_id),)
    rest = tuple(condition for name, condition in filters.items() if name not in done)
    walk = Walk(assets, SORTS[wanted.sort][1:], where, rest, None, wanted.descending)
    return _led(walk, begins(path, prefix)) if prefix else replace(walk, low=lambda c: c[path].is_not(None))


def _roots_ahead(conn: Connection, wanted: AssetSearch) -> list[int]:
    """The roots that a walk has still to visit, in its order."""
    chosen = [
        root_id
        for root_id, kind in root_ids_and_kinds(conn)
        if wanted.sort == "origin" or wanted.root is None or kind == wanted.root.value
    ]
    if wanted.after is not None:
        first = wanted.after[0]
        chosen = [i for i in chosen if (i <= first if wanted.descending else i >= first)]
    return chosen[::-1] if wanted.descending else chosen
