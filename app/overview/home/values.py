"""What stands in the state where there is nothing to tell: Home Assistant stumbles over null in many places."""

from __future__ import annotations

from datetime import datetime

#: Stands for an instant that never was or is not known; a plain word would be logged as a fault at each poll.
NEVER = "1970-01-01T00:00:00+00:00"
#: Stands for a text where there is none.
NOTHING = "none"
#: Stands for a number that is not known; 0 would be a number like any other.
UNKNOWN = -1
#: Home Assistant refuses a longer state.
LONGEST_TEXT = 255


def instant(at: str | None) -> str:
    """A stored instant with its offset, to the second."""
    return datetime.fromisoformat(at).replace(microsecond=0).isoformat() if at else NEVER


def text(words: str | None) -> str:
    """Words on one line that are short enough for a state."""
    line = " ".join((words or "").split())
    return (line if len(line) <= LONGEST_TEXT else f"{line[: LONGEST_TEXT - 1]}…") or NOTHING


def number(found: float | None) -> int:
    """A whole number."""
    return round(found) if found is not None else UNKNOWN
