"""One spelling of an instant: UTC, ISO 8601, microseconds, offset +00:00."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def now() -> str:
    """The present instant, as stored."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def later(seconds: float) -> str:
    """The instant `seconds` from now, as stored (negative: before now)."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="microseconds")
