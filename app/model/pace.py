"""How fast work goes and what time is left, in words."""

from __future__ import annotations

from app.model.counting import counted, size_in_words

MINUTE, HOUR = 60, 3_600


def pace_in_words(files: float, bytes_per_second: float, remaining_seconds: int | None) -> str:
    """`40 files a second, 1.0 MiB a second, about 2 minutes left`; what is slower than a file a second is told by its
    bytes alone."""
    rate = round(bytes_per_second)
    said = [f"{counted(round(files), 'file', 'files')} a second"] if round(files) or not rate else []
    said += [f"{size_in_words(rate)} a second"] if rate else []
    said += [f"about {time_in_words(remaining_seconds)} left"] if remaining_seconds is not None else []
    return ", ".join(said)


def time_in_words(seconds: int) -> str:
    """A time as far as anybody knows it: `40 seconds`, `12 minutes`, `3 hours`, `2 days`; rounded up."""
    for size, one, many, below in ((1, "second", "seconds", MINUTE), (MINUTE, "minute", "minutes", 2 * HOUR)):
        if seconds < below:
            return counted(max(-(-seconds // size), 1), one, many)
    if seconds < 48 * HOUR:
        return counted(-(-seconds // HOUR), "hour", "hours")
    return counted(-(-seconds // (24 * HOUR)), "day", "days")
