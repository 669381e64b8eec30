"""Who is told of what, and what came of the last messages to each; never with an address."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from app.config.schema import Config
from app.db import notices
from app.notify.targets import list_targets


def notices_overview(conn: Connection, config: Config) -> dict[str, Any]:
    """`targets`: each with its `channel` (message or webhook), `name`, the `events` that it is told of, how many
    messages are `waiting` for it, and the `last` that was sent or given up: its event, count, state, reason and when.
    """
    targets = [
        {
            "channel": target.channel,
            "name": target.entry.name,
            "events": sorted(target.events),
            "waiting": notices.count_waiting(conn, target.address),
            "last": _last(conn, target.address),
        }
        for target in list_targets(config)
    ]
    return {"targets": targets, "quiet_hours": config.notify.quiet_hours}


def _last(conn: Connection, address: tuple[str, str]) -> dict[str, Any] | None:
    last = notices.find_last(conn, address)
    if last is None:
        return None
    return {
        "event": last.event,
        "count": last.count,
        "state": last.state,
        "reason": last.error,
        "ended_at": last.ended_at,
    }
