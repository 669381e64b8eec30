"""What people have decided about dates, as it stands: in one go, newest first, and file by file."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from app.db import assets, decided_dates, journal, roots
from app.db.decided_dates import DecidedFile
from app.db.doubtful_dates import DateFilter
from app.errors import printable
from app.model import Asset, Root
from app.overview.summaries import absolute

#: So many acts are looked up in the journal for what was typed in.
REMEMBERED = 1_000


def list_acts(conn: Connection, before: str | None, limit: int) -> dict[str, Any]:
    """What was decided in one go, newest first, as far as it stands; `next_before` is None at the end only,
    whatever the length of the page."""
    found, next_before = decided_dates.list_acts(conn, before, limit)
    values = _values(conn) if found else {}
    acts = [{**act._asdict(), "value": values.get(act.decided_at, "")} for act in found]
    for act in acts:
        act["first"] = _name(assets.get(conn, act.pop("first_id")))
    return {"acts": acts, "next_before": next_before}


def list_decided(
    conn: Connection, wanted: DateFilter, decided_at: str | None, after_id: int, limit: int
) -> dict[str, Any]:
    """A page of the files that decisions are written of, in id order."""
    found = decided_dates.list_page(conn, wanted, decided_at, after_id, limit)
    known = {root.id: root for root in roots.list_all(conn)}
    next_after_id = found[-1].asset.id if len(found) == limit else None
    return {"files": [_file(known, one) for one in found], "next_after_id": next_after_id}


def _values(conn: Connection) -> dict[str, str]:
    """What was typed in, by the instant that the decisions bear."""
    told = journal.list_events(conn, kind_prefix="dates.decided", limit=REMEMBERED)
    return {event.detail["decided_at"]: event.detail["value"] for event in told if "decided_at" in event.detail}


def _file(known: dict[int, Root], one: DecidedFile) -> dict[str, Any]:
    asset = one.asset
    return {
        "id": asset.id,
        "place": absolute(known, asset.root_id, asset.path),
        "came_as": _name(asset),
        "status": asset.status.value,
        "taken_local": asset.taken_local,
        "action": one.action,
        "decided_by": one.decided_by,
        "decided_at": one.decided_at,
        "group_id": asset.group_id,
    }


def _name(asset: Asset) -> str:
    return printable(asset.origin_path or asset.path)
