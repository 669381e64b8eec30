"""Files that wait for a person: failed, set aside, left in place; each with its reason, and the reasons counted."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import Connection, select

from app.db import lists, roots, totals
from app.db.search import AssetSearch, search
from app.db.tables import assets
from app.errors import printable
from app.model import AssetStatus
from app.overview.summaries import absolute, asset_line

#: So many of the newest files are read to count the reasons.
COUNTED = 2_000
#: So many reasons are told, the commonest first.
REASONS = 50
NO_REASON = "no reason was noted"


def troubled_files(conn: Connection, status: AssetStatus, after_id: int, limit: int) -> dict[str, Any]:
    """A page of files of one status in id order, with their reasons, and how often each reason was given."""
    wanted = AssetSearch(status=status, limit=limit, after=(after_id,) if after_id else None)
    found, next_key = search(conn, wanted)
    known = {root.id: root for root in roots.list_all(conn)}
    return {
        "files": [{**asset_line(asset), "place": absolute(known, asset.root_id, asset.path)} for asset in found],
        "next_after_id": next_key[0] if next_key else None,
        **count_reasons(conn, status),
    }


def count_reasons(conn: Connection, status: AssetStatus) -> dict[str, Any]:
    """How many files there are, and how often each reason was given among the newest of them."""
    a = assets.c
    query = select(a.path, a.reason).where(a.status == status.value).order_by(a.id.desc()).limit(COUNTED)
    counted = Counter(alike(row[1], printable(row[0])) for row in conn.execute(query))
    return {
        "total": totals.read(conn)[status][0],
        "counted": sum(counted.values()),
        "by_reason": [{"reason": reason, "files": files} for reason, files in counted.most_common(REASONS)],
    }


def alike(reason: str | None, path: str) -> str:
    """A reason without the file that it speaks of, so that the same reason is the same for all files."""
    if not reason:
        return NO_REASON
    return reason.replace(path, "…")


def left_files(conn: Connection, reason: str, after_id: int, limit: int) -> dict[str, Any]:
    """A page of names in the ingest folders that are not taken in, each with the reason."""
    known = {root.id: root for root in roots.list_all(conn)}
    found, next_id = lists.page_of_left(conn, reason, after_id, limit)
    return {
        "files": [
            {"id": row[0], "path": printable(row[2]), "place": absolute(known, row[1], row[2]), "reason": row[3],
             "seen_at": row[4]}
            for row in found
        ],
        "next_after_id": next_id,
    }  # fmt: skip
