"""Files that wait for a person, as the page of failed files shows them: the newest first, of one reason if asked, each
with what can be done about it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from app.db import capture_records, left_in_place, lists, roots
from app.errors import printable
from app.files.lone_sidecars import ALONE, since_of
from app.model import AssetStatus
from app.overview.file_lists import file_line
from app.overview.retrying import why_not
from app.overview.troubled import NO_REASON, alike, count_reasons, left_files

#: Reasons for which names are left in place, counted up to so many names.
COUNTED_LEFT = 20_000


def troubled_page(
    conn: Connection, status: AssetStatus, reason: str, before_id: int | None, limit: int
) -> dict[str, Any]:
    """A page of files of one status; `next_before_id` is None at the end only, whatever the length of the page."""
    found, next_id = lists.page_of_troubled(conn, status, _pattern(reason), before_id, limit)
    known = {root.id: root for root in roots.list_all(conn)}
    shown = [asset for asset in found if not reason or alike_of(asset.reason, asset.path) == reason]
    taken_with = capture_records.list_cameras(conn, [asset.id for asset in shown])
    return {
        "files": [
            {**file_line(known, asset, taken_with.get(asset.id)), "why_not": why_not(conn, asset, known)}
            for asset in shown
        ],
        "next_before_id": next_id,
        "reasons": count_reasons(conn, status),
    }


def left_page(conn: Connection, reason: str, after_id: int, limit: int) -> dict[str, Any]:
    """A page of names that are left in place, with how often each reason is given."""
    found = left_files(conn, reason, after_id, limit)
    for file in found["files"]:
        file["is_lone_sidecar"] = since_of(file["reason"]) is not None
    counted = left_in_place.count_by_reason(conn, COUNTED_LEFT)
    merged: dict[str, int] = {}
    for told, files in counted.items():
        shown = ALONE if since_of(told) is not None else told
        merged[shown] = merged.get(shown, 0) + files
    by_reason = sorted(merged.items(), key=lambda pair: -pair[1])
    total = sum(merged.values())
    return {
        **found,
        "reasons": {
            "total": total,
            "counted": total,
            "is_whole": total < COUNTED_LEFT,
            "by_reason": [{"reason": told, "files": files} for told, files in by_reason],
        },
    }


def alike_of(reason: str | None, path: bytes) -> str:
    """A reason without the file that it speaks of."""
    return alike(reason, printable(path))


def _pattern(reason: str) -> str | None:
    """What fits each reason that is alike; None: any, an empty one: none was noted."""
    if not reason:
        return None
    if reason == NO_REASON:
        return ""
    escaped = reason.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace("…", "%")
