"""What was delivered, moment by moment and day by day, for charts."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from app.db import sync_samples
from app.db.clock import now
from app.overview.instants import as_stored


def sync_history(
    conn: Connection,
    *,
    batch_id: int | None = None,
    device_id: str = "",
    since: str = "",
    before_id: int | None = None,
    limit: int = 100,
    days: int = 7,
) -> dict[str, Any]:
    """A page of samples, newest first, and what each peer received on each of the last days (UTC).

    Raises BadRequest for an instant that is none.
    """
    samples, next_id = sync_samples.page(
        conn, batch_id=batch_id, device_id=device_id, since=as_stored(since), before_id=before_id, limit=limit
    )
    return {
        "samples": [asdict(sample) for sample in samples],
        "next_before_id": next_id,
        "has_more": next_id is not None,
        "daily": _daily(conn, device_id, days),
    }


def _daily(conn: Connection, device_id: str, days: int) -> list[dict[str, Any]]:
    if not days:
        return []
    first = (datetime.fromisoformat(now()) - timedelta(days=days - 1)).date().isoformat()
    found = sync_samples.delivered_by_day(conn, first)
    return [asdict(day) for day in found if device_id in ("", day.device_id)]
