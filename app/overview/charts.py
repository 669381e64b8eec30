"""What was seen, delivered and archived over time, and how fast deliveries went: the values behind the charts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from app.db import activity, confirmation, sync_samples
from app.db.activity import KINDS, Sum

#: What may be chosen: so many days, and how many of them one bar stands for.
PERIODS = {7: 1, 30: 1, 365: 7}
DEFAULT_DAYS = 30
MEASURES = ("files", "bytes")
#: What the bars show; deliveries are in the table beside them.
DRAWN = ("seen", "archived")
#: The speed of deliveries is shown over so many hours, in slots of so many minutes.
SPEED_HOURS, SLOT_MINUTES = 24, 30
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def activity_chart(conn: Connection, zone: ZoneInfo, days: int, moment: datetime) -> dict[str, Any]:
    """Bars over the last days, the oldest first, with the files and bytes of each of KINDS; weeks where time is long.

    Days are those of the zone. `known_since` is the first day of which anything is known, None when it is before all.
    """
    width = PERIODS[days]
    count = days // width
    end = moment.astimezone(zone).date() + timedelta(days=1)
    firsts = [end - timedelta(days=width * (count - number)) for number in range(count + 1)]
    found = activity.sums_between(conn, [_midnight(day, zone) for day in firsts])
    bars = [_bar(first, width, sums) for first, sums in zip(firsts, found, strict=False)]
    return {
        "days": days,
        "unit": "day" if width == 1 else "week",
        "bars": bars,
        "most": {what: max(bar[kind][what] for bar in bars for kind in DRAWN) for what in MEASURES},
        "sums": {kind: {what: sum(bar[kind][what] for bar in bars) for what in MEASURES} for kind in KINDS},
        "known_since": _known_since(conn, zone, firsts[0]),
    }


def lately(conn: Connection, zone: ZoneInfo, moment: datetime) -> dict[str, Any]:
    """Files and bytes of each of KINDS `today` and within `week`, the last seven days with today."""
    today = moment.astimezone(zone).date()
    edges = [_midnight(today + timedelta(days=days), zone) for days in (-6, 0, 1)]
    before, now = activity.sums_between(conn, edges)
    return {
        "today": {kind: _as_json(now[kind]) for kind in KINDS},
        "week": {kind: _as_json(_added(before[kind], now[kind])) for kind in KINDS},
    }


def _added(one: Sum, other: Sum) -> Sum:
    return Sum(one.files + other.files, one.bytes + other.bytes)


def _as_json(found: Sum) -> dict[str, int]:
    return {"files": found.files, "bytes": found.bytes}


def _bar(first: date, width: int, sums: dict[str, Sum]) -> dict[str, Any]:
    last = first + timedelta(days=width - 1)
    begin, end = day_in_words(first), day_in_words(last)
    label = begin if width == 1 else f"{begin} to {end}"
    return {"first": begin, "last": end, "label": label, **{kind: _as_json(sums[kind]) for kind in KINDS}}


def day_in_words(day: date) -> str:
    """`23 Nov 2026`."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _known_since(conn: Connection, zone: ZoneInfo, first: date) -> str | None:
    began = activity.began_at(conn)
    if began is None:
        return None
    day = datetime.fromisoformat(began).replace(tzinfo=UTC).astimezone(zone).date()
    return day_in_words(day) if day > first else None


def charts_begin_at(conn: Connection, days: int, moment: datetime) -> str | None:
    """When, within so many days, the rows were made anew, if nothing is known of what was done before; else None."""
    began, lost_at = activity.began_at(conn), confirmation.lost_at(conn)
    if lost_at is None or lost_at < (moment - timedelta(days=days)).isoformat():
        return None
    return lost_at if began is None or began >= activity.slot_of(lost_at) else None


def delivery_speed(conn: Connection, moment: datetime) -> dict[str, Any]:
    """How fast files went to peers in the last day, slot by slot (bytes per second), the oldest first."""
    slots = SPEED_HOURS * 60 // SLOT_MINUTES
    width = timedelta(minutes=SLOT_MINUTES)
    now = moment.astimezone(UTC)
    end = now.replace(minute=now.minute - now.minute % SLOT_MINUTES, second=0, microsecond=0) + width
    begin = end - slots * width
    rates: list[list[float]] = [[] for _ in range(slots)]
    for at, rate in sync_samples.rates_since(conn, begin.isoformat(timespec="microseconds")):
        place = int((datetime.fromisoformat(at) - begin) / width)
        if 0 <= place < slots:
            rates[place].append(rate)
    means = [round(sum(found) / len(found)) if found else 0 for found in rates]
    return {
        "rates": means,
        "most": max(means),
        "measured": any(rates),
        "since": begin.isoformat(timespec="microseconds"),
        "minutes": SLOT_MINUTES,
    }

