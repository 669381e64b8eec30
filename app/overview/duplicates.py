"""Duplicates as sets: each original with the files that hold the same bytes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from app.db import duplicates, roots
from app.overview.summaries import absolute, asset_line

#: How many duplicates of one original are named; the rest is a page away.
NAMED = 10


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
