"""Duplicates as sets: each original with the files that hold the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import Connection

from app.db import duplicates, rehearsals, roots
from app.errors import NotFound
from app.overview.summaries import absolute, asset_line
from app.services import Services

#: How many duplicates of one original are named; the rest is a page away.
NAMED = 10


def every_set(conn: Connection) -> Iterator[dict[str, Any]]:
    """Every set of files with the same content: its size and where each file lies, the original first, streamed."""
    known = {root.id: root for root in roots.list_all(conn)}
    for (is_reference, _), copies in groupby(duplicates.list_copied(conn), key=lambda copy: copy[:2]):
        first, *others = copies
        places = [first.original_place, first.place, *(other.place for other in others)]
        yield {
            "size_bytes": first.size_bytes,
            "is_reference": is_reference,
            "files": [absolute(known, *place) for place in places],
        }


def sets_of_preview(services: Services, run_id: int) -> Iterator[dict[str, Any]]:
    """The same as a finished preview has found it. Raises NotFound when its copy of the rows is not kept."""
    if not rehearsals.is_kept(services.db, run_id):
        raise NotFound("list of preview", f"{run_id} any more: only those of the newest previews are kept")
    with rehearsals.opened(services.db, run_id) as copy, copy.reading() as conn:
        yield from every_set(conn)


def duplicate_sets(conn: Connection, after_id: int, limit: int) -> dict[str, Any]:
    """A page of originals in id order, each with how many duplicates it has and the first of them."""
    ids = duplicates.list_original_ids(conn, after_id, limit + 1)
    shown = ids[:limit]
    originals, counts = duplicates.list_by_ids(conn, shown), duplicates.count_of(conn, shown)
    known = {root.id: root for root in roots.list_all(conn)}
    return {
        "sets": [
            {
                "original": {**asset_line(one), "place": absolute(known, one.root_id, one.path)},
                "duplicate_count": counts[one.id],
                "duplicate_bytes": counts[one.id] * one.size_bytes,
                "duplicates": [
                    {**asset_line(other), "place": absolute(known, other.root_id, other.path)}
                    for other in duplicates.list_of(conn, one.id, NAMED)
                ],
                "all": f"/api/assets?original_id={one.id}",
            }
            for one in (originals[i] for i in shown)
        ],
        "next_after_id": shown[-1] if len(ids) > limit else None,
    }
