"""Duplicates as sets: each original with the files that hold the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import Connection

from app.db import duplicates, reference_files, rehearsals, roots
from app.errors import NotFound, printable
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
                "original": {
                    **asset_line(one), "place": absolute(known, one.root_id, one.path), "in_reference": False,
                },
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


def reference_sets(conn: Connection, after_id: int, limit: int) -> dict[str, Any]:
    """A page of originals in reference folders, which have numbers of their own and are no assets, in their order."""
    page = reference_files.list_labelled(conn, after_id, limit + 1)
    shown = page[:limit]
    copies = {one.id: reference_files.list_labels_of(conn, one.id, NAMED) for one in shown}
    found = duplicates.list_by_ids(conn, [asset_id for ids in copies.values() for asset_id in ids])
    known = {root.id: root for root in roots.list_all(conn)}
    return {
        "sets": [
            {
                "original": {
                    "id": one.id,
                    "path": printable(one.path),
                    "size_bytes": one.size_bytes,
                    "place": absolute(known, one.root_id, one.path),
                    "in_reference": True,
                },
                "duplicate_count": one.duplicates,
                "duplicate_bytes": one.duplicates * one.size_bytes,
                "duplicates": [
                    {**asset_line(found[i]), "place": absolute(known, found[i].root_id, found[i].path)}
                    for i in copies[one.id]
                ],
                "all": None,
            }
            for one in shown
        ],
        "next_after_id": shown[-1].id if len(page) > limit else None,
    }


def totals_of(sets: list[dict[str, Any]]) -> dict[str, int]:
    """How many sets there are, how many duplicates in them, and how many bytes these hold."""
    copies = [(len(one["files"]) - 1, one["size_bytes"]) for one in sets]
    return {
        "sets": len(sets),
        "duplicates": sum(count for count, _ in copies),
        "duplicate_bytes": sum(count * size_bytes for count, size_bytes in copies),
    }
