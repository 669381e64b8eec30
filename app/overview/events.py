"""The journal as people ask for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from app.db import event_search
from app.db.event_search import EventSearch
from app.overview.instants import as_stored
from app.overview.summaries import event_summary

__all__ = ["EventSearch", "find_events"]


def find_events(conn: Connection, wanted: EventSearch) -> dict[str, Any]:
    """A page of events. Newest first it goes on at `next_before_id`; with `after_id`, at `last_id`.

    `last_id` may be further on than the last event shown: so far nothing else fits. Raises BadRequest for an instant
    that is none.
    """
    wanted = replace(wanted, since=as_stored(wanted.since), until=as_stored(wanted.until))
    found, next_id = event_search.search(conn, wanted)
    follows = wanted.after_id is not None
    newest = max((event.id for event in found), default=wanted.after_id or 0)
    return {
        "events": [event_summary(event) for event in found],
        "last_id": next_id if follows and next_id is not None else newest,
        "next_before_id": None if follows else next_id,
        "has_more": next_id is not None,
    }
