"""Tells when a disk under our folders runs out of room: once, until it has room again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from app.db import facts, journal
from app.model.counting import size_in_words
from app.overview.storage import is_low, is_roomy

#: The fact that holds the ids of the roots of which it was told.
TOLD_LOW = "room_told_low"


def tell_low_room(conn: Connection, looks: Sequence[dict[str, Any]]) -> None:
    """Of what was just looked at; a folder that does not answer stays as it was told."""
    text = facts.find(conn, TOLD_LOW) or "[]"
    told = set(json.loads(text))
    seen = [look for look in looks if not look["fault"]]
    fresh = [look for look in seen if look["id"] not in told and is_low(look["free_bytes"], look["total_bytes"])]
    roomy = {look["id"] for look in seen if is_roomy(look["free_bytes"], look["total_bytes"])}
    now_told = json.dumps(sorted((told - roomy) | {look["id"] for look in fresh}))
    if fresh:
        _tell(conn, fresh)
    if now_told != text:
        facts.put(conn, TOLD_LOW, now_told)


def _tell(conn: Connection, fresh: Sequence[dict[str, Any]]) -> None:
    least = min(fresh, key=lambda look: look["free_bytes"])
    paths = sorted({look["path"] for look in fresh})
    message = (
        f"Little room is left: {size_in_words(least['free_bytes'])} at {', '.join(paths)}. Make room there; "
        "what does not fit stays where it is."
    )
    detail = {"paths": paths, "free_bytes": least["free_bytes"], "total_bytes": least["total_bytes"]}
    journal.record(conn, "room.ran_low", message, level="warning", detail=detail)
