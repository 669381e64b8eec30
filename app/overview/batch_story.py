"""One batch with everything that belongs to it: how far it is, what is proven where, its latest events."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from app.db import batches, journal
from app.model import AssetStatus, Batch, BatchStatus
from app.overview.batches import batch_summary, deliveries_of, sort_progress
from app.overview.peer_policy import at_peer
from app.overview.summaries import event_summary
from app.overview.transfer import live_progress

#: How many of a batch's latest events are shown with it.
EVENTS = 50

#: What comes next for a batch of each status, for a person.
NEXT = {
    BatchStatus.PENDING: "Next it is delivered: media-pipeline sync {id}, or the whole workflow: media-pipeline run",
    BatchStatus.SYNCING: "It is being delivered; a running worker looks again by itself.",
    BatchStatus.SYNCED: "Next it is filed into the archive: media-pipeline sort {id}",
    BatchStatus.SORTING: "It is being filed into the archive: media-pipeline sort {id} goes on with it.",
    BatchStatus.SORTED: "It is done. To take it back: media-pipeline undo {id}",
    BatchStatus.UNDOING: "It is being taken back: media-pipeline undo {id} goes on with it.",
    BatchStatus.ERROR: "Remove the cause, then: media-pipeline batch retry {id}",
    BatchStatus.CANCELLED: "It was cancelled, or none of its files could be delivered; see its events.",
}
TAKEN_BACK = "It was taken back. To have its files taken in again: media-pipeline batch take-in {id}"


def batch_story(conn: Connection, batch_id: int) -> dict[str, Any]:
    """A batch as JSON-ready values, with its delivery, its archiving, its proofs, its events and what comes next.

    Raises NotFound.
    """
    batch = batches.get(conn, batch_id)
    events = journal.list_events(conn, batch_id=batch.id, limit=EVENTS)
    return {
        **batch_summary(batch),
        "sync": live_progress(conn, batch),
        "sort": sort_progress(conn, batch),
        "deliveries": deliveries_of(conn, batch.id),
        "peer": at_peer(conn, batch),
        "next": _next(batch).format(id=batch.id),
        "events": [event_summary(event) for event in events],
    }


def _next(batch: Batch) -> str:
    is_set_aside = batch.undone_at is not None and batch.returns_as is AssetStatus.SET_ASIDE
    return TAKEN_BACK if is_set_aside else NEXT[batch.status]
