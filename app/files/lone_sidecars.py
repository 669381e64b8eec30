"""Sidecars in an ingest folder without the photo or video that they belong to, and since when they wait for it.

The reason that is noted of one holds the day since which it lies there, so whoever shows the reason tells that too.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, tzinfo

from app.model import Signature

#: Why a sidecar is left: on its own it says nothing, and would be filed by the day of its copy.
ALONE = "waits for the photo or video that it belongs to"
#: What waits longer is warned of, or archived by itself where the settings say so: its photo may not come at all.
LONG = timedelta(days=7)

_SINCE = re.compile(re.escape(ALONE) + r" \(here since (?P<day>\d{4}-\d\d-\d\d)\)")


def reason_since(day: date) -> str:
    """The reason of a sidecar that lies in its folder since this day."""
    return f"{ALONE} (here since {day.isoformat()})"


def since_of(reason: str) -> date | None:
    """The day that a reason holds; None when it is another reason."""
    match = _SINCE.fullmatch(reason)
    return date.fromisoformat(match["day"]) if match is not None else None


def is_long(since: date, today: date) -> bool:
    """Whether what waits since then has waited for more than a week."""
    return today - since > LONG


def lies_since(signature: Signature, zone: tzinfo, today: date) -> date:
    """The day since which a file lies where it is: a copy or a rename sets the time of its last change of any kind,
    which keeps no old time as that of its content does. Today, when the file system tells no possible time."""
    try:
        day = datetime.fromtimestamp(signature.ctime_ns // 10**9, zone).date()
    except (ValueError, OverflowError, OSError):
        return today
    return min(day, today)
