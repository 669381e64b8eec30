"""Batches: list, one, retry."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app import jobs
from app.db import batches, journal
from app.overview.batches import batch_summary, sort_progress, sync_progress
from app.overview.files import event_summary
from app.web.answers import answer_start
from app.web.context import services, trigger
from app.web.models import BatchPath, NewestFirst, Started, responses

api = APIBlueprint(
    "batches", __name__, url_prefix="/api/batches", abp_tags=[Tag(name="batches", description="Batches")]
)

#: How many of a batch's latest events are shown with it.
EVENTS = 50


def list_batches(query: NewestFirst) -> dict[str, Any]:
    """A page of batches, newest first, and the `before_id` of the next page (None at the end)."""
    with services().db.reading() as conn:
        found = batches.list_recent(conn, query.limit, query.before_id)
    last = found[-1].id if len(found) == query.limit else None
    return {"batches": [batch_summary(batch) for batch in found], "next_before_id": last}


@api.get("", responses=responses(), summary="List batches, newest first")
def index(query: NewestFirst) -> Response:
    """Pages by `before_id`: ask again with `next_before_id` until it is null."""
    return jsonify(list_batches(query))


@api.get("/<int:batch_id>", responses=responses(404), summary="One batch")
def show(path: BatchPath) -> Response:
    """A batch with how far its delivery and archiving are, and its latest events."""
    with services().db.reading() as conn:
        batch = batches.get(conn, path.batch_id)
        events = journal.list_events(conn, batch_id=batch.id, limit=EVENTS)
        body = {
            **batch_summary(batch),
            "sync": sync_progress(batch),
            "sort": sort_progress(conn, batch),
            "events": [event_summary(event) for event in events],
        }
    return jsonify(body)


@api.post("/<int:batch_id>/retry", responses=responses(404, 409, ok=Started, ok_status=202), summary="Retry a batch")
def retry(path: BatchPath) -> Response:
    """Brings a batch out of ERROR, back to the status that it had, and starts the run that carries it on."""
    return answer_start(
        lambda: jobs.retry_batch(services(), path.batch_id, trigger()),
        f"Batch {path.batch_id} is tried again",
        batch_id=path.batch_id,
    )
