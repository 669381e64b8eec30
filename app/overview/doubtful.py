"""Doubtful dates as people ask for them: the files, page by page, and how many there are by reason, camera, folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from app.db import doubtful_dates, roots, unrecorded
from app.db.doubtful_dates import DateFilter, Doubtful
from app.errors import BadRequest, printable, readings
from app.files.capture_time.choose import DOUBTS
from app.model import Root
from app.model.counting import counted
from app.overview.doubts import IN_GROUP
from app.overview.summaries import absolute

#: So many cameras and folders are told, those with most files first.
TOLD = 100


def list_doubtful(conn: Connection, wanted: DateFilter, after_id: int, limit: int) -> dict[str, Any]:
    """A page of files whose date is doubtful, in id order; `next_after_id` is None at the end only, whatever the length
    of the page."""
    found, next_after_id = doubtful_dates.list_page(conn, wanted, after_id, limit)
    known = {root.id: root for root in roots.list_all(conn)}
    return {"files": [_file(known, one) for one in found], "next_after_id": next_after_id}


def list_named(conn: Connection, asset_ids: Sequence[int]) -> dict[str, Any]:
    """The same of these files, whether their date is doubtful or not; `reason` is then empty."""
    found = doubtful_dates.list_named(conn, asset_ids)
    known = {root.id: root for root in roots.list_all(conn)}
    return {"files": [_file(known, one) for one in found], "next_after_id": None}


def count_doubtful(conn: Connection, limit: int | None = None) -> dict[str, Any]:
    """How many files have a doubtful date: all, and by reason, by camera, by the folder that they came in; of the first
    ones in id order, if limited."""
    reasons, cameras, folders = Counter[str](), Counter[str](), Counter[bytes]()
    for reason, camera, path in doubtful_dates.stream(conn, limit):
        reasons[reason] += 1
        cameras[camera] += 1
        folders[path.rpartition(b"/")[0]] += 1
    return {
        "files": reasons.total(),
        "by_reason": [{"reason": r, "why": _why(r), "files": n} for r, n in reasons.most_common()],
        "by_camera": [{"camera": camera, "files": n} for camera, n in cameras.most_common(TOLD)],
        "by_folder": [{"folder": printable(folder), "files": n} for folder, n in folders.most_common(TOLD)],
    }


def what_was_not_read(conn: Connection) -> str:
    """What is to be told when more dates may be doubtful, as after a rebuild; nothing when all were read."""
    files = unrecorded.count_after_rebuild(conn)
    if not files:
        return ""
    has = counted(files, "file has its date", "files have their dates")
    return (f"{has} since a rebuild, and what they tell was not read: more dates may be doubtful. "
            "`media-pipeline dates read` finds that out and changes no date.")


def folder_of(text: str | None) -> bytes | None:
    """A folder below ingest, as it is written or shown. Raises BadRequest for text that no path can hold."""
    try:
        return readings(text.strip("/"))[0] if text is not None else None
    except UnicodeEncodeError:
        raise BadRequest("No folder is called like that.") from None


def _why(reason: str) -> str:
    return DOUBTS.get(reason, IN_GROUP) if reason else ""


def _file(known: dict[int, Root], one: Doubtful) -> dict[str, Any]:
    asset = one.asset
    return {
        "id": asset.id,
        "place": absolute(known, asset.root_id, asset.path),
        "came_as": printable(asset.origin_path or asset.path),
        "status": asset.status.value,
        "reason": one.reason,
        "why": _why(one.reason),
        "taken_local": asset.taken_local,
        "taken_from": asset.taken_from,
        "camera": one.camera,
        "group_id": asset.group_id,
    }
