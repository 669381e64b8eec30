"""How fast a running step goes and what time is left, where the step itself does not say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.model.pace import pace_in_words

#: Nothing is said of a step that has been at work for less time, or that has done next to nothing.
LEAST_SECONDS, LEAST_FILES = 10, 5


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
        "words": pace_in_words(files, rate, remaining),
    }
