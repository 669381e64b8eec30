"""When runs start by themselves, as pages, API and command line tell it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from app.config.cron import next_of
from app.config.schema import Config
from app.db import held_back
from app.db.clock import now


def starts_by_itself(conn: Connection, config: Config) -> dict[str, Any]:
    """The schedule and its next time (UTC), whether new files are watched for, and what keeps runs from starting.

    `next_at` is null without a schedule, `held_back` while nothing is in the way or nothing is to start by itself.
    """
    wanted = config.workflow
    coming = next_of(wanted.schedule, datetime.fromisoformat(now()), config.zone)
    is_on = bool(wanted.schedule) or wanted.watch != "off"
    return {
        "schedule": list(wanted.schedule),
        "next_at": coming.astimezone(UTC).isoformat(timespec="microseconds") if coming is not None else None,
        "watch": wanted.watch,
        "watch_seconds": wanted.watch_seconds,
        "held_back": held_back.reason(conn) if is_on else None,
    }


def in_words(starts: Mapping[str, Any]) -> list[str]:
    """What `starts_by_itself` found, as sentences; none when nothing is to start by itself."""
    if starts["held_back"]:
        return [starts["held_back"]]
    words = []
    if starts["next_at"]:
        words.append(f"The next run starts by itself at {starts['next_at'][:16].replace('T', ' ')} UTC.")
    if starts["watch"] != "off":
        words.append(f"New files are looked for every {starts['watch_seconds']} s; a run starts once they stand still.")
    return words
