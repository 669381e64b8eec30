"""How fast a running step goes and what time is left, where the step itself does not say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.model.counting import counted, size_in_words

#: Nothing is said of a step that has been at work for less time, or that has done next to nothing.
LEAST_SECONDS, LEAST_FILES = 10, 5
MINUTE, HOUR = 60, 3_600


def pace_of(step: dict[str, Any], moment: datetime) -> dict[str, Any] | None:
    """The pace of a running step, since it began: files and bytes per second, the seconds left, and words; None when
    nothing can be said. What the step's own report says goes first: it knows its work better."""
    if step["status"] != "running":
        return None
    told = step["data"].get("pace")
    if told:
        return dict(told)
    seconds = (moment - datetime.fromisoformat(step["started_at"])).total_seconds()
    if seconds < LEAST_SECONDS or step["done"] < LEAST_FILES:
        return None
    files, rate = step["done"] / seconds, step["size_bytes"] / seconds
    left = max(step["total"] - step["done"], 0) if step["total"] else None
    remaining = round(left / files) if left else None
    return {
        "files_per_second": round(files, 1),
        "bytes_per_second": round(rate),
        "remaining_seconds": remaining,
        "words": _words(files, rate, remaining),
    }


def _words(files: float, rate: float, remaining: int | None) -> str:
    said = [f"{counted(round(files), 'file', 'files')} a second"] if files >= 1 else []
    said += [f"{size_in_words(round(rate))} a second"] if rate else []
    said += [f"about {time_in_words(remaining)} left"] if remaining is not None else []
    return ", ".join(said)


def time_in_words(seconds: int) -> str:
    """A time as far as anybody knows it: `40 seconds`, `12 minutes`, `3 hours`, `2 days`; rounded up."""
    for size, one, many, below in ((1, "second", "seconds", MINUTE), (MINUTE, "minute", "minutes", 2 * HOUR)):
        if seconds < below:
            return counted(max(-(-seconds // size), 1), one, many)
    if seconds < 48 * HOUR:
        return counted(-(-seconds // HOUR), "hour", "hours")
    return counted(-(-seconds // (24 * HOUR)), "day", "days")
