"""Instants as people write them, in the spelling in which they are stored."""

from __future__ import annotations

from datetime import UTC, datetime

from app.errors import BadRequest


def as_stored(text: str) -> str:
    """The same instant as it is stored: UTC; the beginning of one (a year, a month, a day) stays as it is.

    Raises BadRequest for a text that is no instant.
    """
    if "T" not in text.replace(" ", "T"):
        return text
    try:
        at = datetime.fromisoformat(text.replace(" ", "T"))
        told = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"{text} is no instant; write it as in 2026-05-06T07:08:09Z.") from error
    return told.isoformat(timespec="microseconds")
