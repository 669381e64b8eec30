"""Pages of batches, runs, moves and names left in place; each in bounded work (see paging.py)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, or_

from app.db import assets, batches, runs
from app.db.paging import Condition, Page, Walk, read_page
from app.db.rows import build, columns_for
from app.db.search_terms import equals
from app.db.tables import assets as assets_table
from app.db.tables import batches as batches_table
from app.db.tables import left_in_place, moves
from app.db.tables import runs as runs_table
from app.errors import BadRequest
from app.model import Asset, AssetStatus, Batch, BatchStatus, Run, RunKind, RunStatus


def page_of_batches(
    conn: Connection, status: BatchStatus | None, name: str, before_id: int | None, limit: int
) -> tuple[list[Batch], int | None]:
    """Batches newest first, those of a status, with a name that begins so; and the `before_id` of the next page."""
    where = (equals("status", status.value),) if status is not None else ()
    filters = (_begins("name", name),) if name else ()
    walk = Walk(batches_table, ("id",), where, filters, _key(before_id), descending=True)
    page = read_page(conn, columns_for(batches_table, Batch), walk, limit)
    return [build(Batch, row, batches.CONVERTERS) for row in page.rows], _id(page)


def page_of_runs(
    conn: Connection,
    kind: RunKind | None,
    status: RunStatus | None,
    batch_id: int | None,
    before_id: int | None,
    limit: int,
) -> tuple[list[Run], int | None]:
    """Runs newest first, of a kind, of a status, of a batch; and the `before_id` of the next page."""
    where = (equals("status", status.value),) if status is not None else ()
    filters: list[Condition] = [equals("kind", kind.value)] if kind is not None else []
    if batch_id is not None:
        filters.append(equals("batch_id", batch_id))
    walk = Walk(runs_table, ("id",), where, tuple(filters), _key(before_id), descending=True)
    page = read_page(conn, columns_for(runs_table, Run), walk, limit)
    return [build(Run, row, runs.RUN_CONVERTERS) for row in page.rows], _id(page)


#: What is told of a move.
MOVE_COLUMNS = tuple(
    moves.c[name]
    for name in (
        "id", "purpose", "state", "run_id", "batch_id", "asset_id", "is_directory", "keep_source", "src_root_id",
        "src_path", "dst_root_id", "dst_path", "trash_root_id", "trash_path", "trashed_at", "trash_dropped_at",
        "size_bytes", "method", "note", "created_at", "updated_at",
    )
)  # fmt: skip


def page_of_moves(
    conn: Connection,
    *,
    asset_id: int | None = None,
    batch_id: int | None = None,
    run_id: int | None = None,
    after_id: int = 0,
    limit: int = 100,
) -> tuple[list[tuple[Any, ...]], int | None]:
    """Moves in the order in which they were planned, as MOVE_COLUMNS; and the `after_id` of the next page.

    Raises BadRequest for a run alone: no index leads from a run to its moves.
    """
    if run_id is not None and asset_id is None and batch_id is None:
        raise BadRequest("Ask for the moves of a run together with batch_id or asset_id.")
    found = {"asset_id": asset_id, "batch_id": batch_id, "run_id": run_id}
    terms = [equals(name, value) for name, value in found.items() if value is not None]
    walk = Walk(moves, ("id",), tuple(terms[:1]), tuple(terms[1:]), (after_id,))
    page = read_page(conn, MOVE_COLUMNS, walk, limit)
    return page.rows, _id(page)


def page_of_troubled(
    conn: Connection, status: AssetStatus, reason: str | None, before_id: int | None, limit: int
) -> tuple[list[Asset], int | None]:
    """Assets of a status, newest first, whose reason fits a pattern (None: any; empty: none was noted); and the
    `before_id` of the next page."""
    filters: tuple[Condition, ...] = ()
    if reason is not None:
        filters = ((lambda c: c.reason.like(reason, escape="\\")) if reason else _has_no_reason,)
    walk = Walk(assets_table, ("id",), (equals("status", status.value),), filters, _key(before_id), descending=True)
    page = read_page(conn, columns_for(assets_table, Asset), walk, limit)
    return [build(Asset, row, assets.CONVERTERS) for row in page.rows], _id(page)


def page_of_left(
    conn: Connection, reason: str, after_id: int, limit: int
) -> tuple[list[tuple[int, int, bytes, str, str]], int | None]:
    """(id, root id, path, reason, seen at) of names left in place, in id order; and the `after_id` of the next page."""
    filters = (_begins("reason", reason),) if reason else ()
    c = left_in_place.c
    page = read_page(
        conn, (c.id, c.root_id, c.path, c.reason, c.seen_at), Walk(left_in_place, ("id",), (), filters, (after_id,)),
        limit,
    )  # fmt: skip
    return [(row[0], row[1], row[2], row[3], row[4]) for row in page.rows], _id(page)


def _has_no_reason(c: Any) -> Any:
    return or_(c.reason.is_(None), c.reason == "")


def _begins(column: str, prefix: str) -> Condition:
    return lambda c: c[column].startswith(prefix, autoescape=True)


def _key(before_id: int | None) -> tuple[int] | None:
    return (before_id,) if before_id is not None else None


def _id(page: Page) -> int | None:
    return page.next_key[0] if page.next_key else None
