"""Instants in sentences."""

from __future__ import annotations

from datetime import UTC, datetime


def instant_in_words(stored: str) -> str:
    """An instant for people, as it stands in a sentence: `2026-05-06 07:08:09 UTC`; what is no instant stays as it is.

    Pages show it in the reader's own zone, and the exact value beside it.
    """
    try:
        found = datetime.fromisoformat(stored)
        told = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return stored
    return told.strftime("%Y-%m-%d %H:%M:%S UTC")
