"""When runs start by themselves, as pages, API and command line tell it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from app.config.cron import next_of
from app.config.hours import is_within, next_beginning
from app.config.schema import Config
from app.db import held_back
from app.db.clock import now


def starts_by_itself(conn: Connection, config: Config) -> dict[str, Any]:
    """The schedule and its next time (UTC), whether new files are watched for, and what keeps runs from starting.

    `next_at` is null without a schedule, `hours_begin_at` (UTC) within `hours` and without any, `held_back` while
    nothing is in the way or nothing is to start by itself.
    """
    wanted, moment = config.workflow, datetime.fromisoformat(now())
    coming = next_of(wanted.schedule, moment, config.zone)
    begin = None if is_within(wanted.hours, moment, config.zone) else next_beginning(wanted.hours, moment, config.zone)
    is_on = bool(wanted.schedule) or wanted.watch != "off"
    return {
        "schedule": list(wanted.schedule),
        "next_at": _in_utc(coming),
        "hours": list(wanted.hours),
        "hours_begin_at": _in_utc(begin),
        "watch": wanted.watch,
        "watch_seconds": wanted.watch_seconds,
        "held_back": held_back.reason(conn) if is_on else None,
    }


def _in_utc(time: datetime | None) -> str | None:
    return time.astimezone(UTC).isoformat(timespec="microseconds") if time is not None else None


def in_words(starts: Mapping[str, Any]) -> list[str]:
    """What `starts_by_itself` found, as sentences; none when nothing is to start by itself."""
    if starts["held_back"]:
        return [starts["held_back"]]
    words = []
    if starts["next_at"]:
        words.append(f"The next run starts by itself at {_told(starts['next_at'])}.")
    if starts["hours_begin_at"]:
        words.append(f"Such runs work in certain hours; the next begin at {_told(starts['hours_begin_at'])}.")
    if starts["watch"] != "off":
        words.append(f"New files are looked for every {starts['watch_seconds']} s; a run starts once they stand still.")
    return words


def _told(instant: str) -> str:
    return f"{instant[:16].replace('T', ' ')} UTC"
