"""Originals beside their duplicates, as the page of duplicates shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from app.db import capture_records, duplicates, roots, totals
from app.model import Asset, AssetStatus, Root
from app.overview.file_lists import file_line

#: So many duplicates of one original are shown; the others are a page away.
SHOWN = 5

#: Where an original is, in words.
STANDS = {
    AssetStatus.DISCOVERED: "it waits to be compared again",
    AssetStatus.UNIQUE: "it waits for a batch",
    AssetStatus.BATCHED: "it is in a batch",
    AssetStatus.DELIVERED: "it was delivered",
    AssetStatus.ARCHIVED: "it is in the archive",
    AssetStatus.SET_ASIDE: "it was set aside",
    AssetStatus.DUPLICATE: "it is a duplicate of another file itself",
}
#: What to say of an original that may hold this content no more.
LOST = {
    AssetStatus.GONE: "The original has left this disk. Look at the story of a duplicate before you delete it.",
    AssetStatus.FAILED: "The original has failed. Look at its story before you delete a duplicate.",
}


def duplicate_page(conn: Connection, after_id: int, limit: int) -> dict[str, Any]:
    """A page of originals in id order, each with how many duplicates it has, the first of them, and the room that all
    take."""
    ids = duplicates.list_original_ids(conn, after_id, limit + 1)
    shown = ids[:limit]
    originals, counts = duplicates.list_by_ids(conn, shown), duplicates.count_of(conn, shown)
    known = {root.id: root for root in roots.list_all(conn)}
    files, size_bytes = totals.read(conn)[AssetStatus.DUPLICATE]
    return {
        "sets": [_set(conn, known, originals[i], counts[i]) for i in shown if i in originals],
        "next_after_id": shown[-1] if len(ids) > limit else None,
        "files": files,
        "size_bytes": size_bytes,
    }


def _set(conn: Connection, known: Mapping[int, Root], original: Asset, count: int) -> dict[str, Any]:
    copies = duplicates.list_of(conn, original.id, SHOWN)
    taken_with = capture_records.list_cameras(conn, [original.id])
    return {
        "original": file_line(known, original, taken_with.get(original.id)),
        "why": _why(original, copies),
        "doubt": LOST.get(original.status, ""),
        "copies": [file_line(known, one) for one in copies],
        "count": count,
        "size_bytes": count * original.size_bytes,
    }


def _why(original: Asset, copies: Sequence[Asset]) -> str:
    """Why this one is the original, in half a sentence."""
    came_first = all(original.first_seen_at <= one.first_seen_at for one in copies)
    words = ["it came first"] if came_first else []
    words += [STANDS[original.status]] if original.status in STANDS else []
    return " and ".join(words)
