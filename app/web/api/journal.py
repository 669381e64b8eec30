"""The journal: everything that happened, newest first or from an id on."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app.db import journal
from app.overview.files import event_summary
from app.web.context import services
from app.web.models import JournalQuery, responses

api = APIBlueprint(
    "journal", __name__, url_prefix="/api/journal", abp_tags=[Tag(name="journal", description="What happened")]
)


@api.get("", responses=responses(), summary="Read the journal")
def index(query: JournalQuery) -> Response:
    """Newest first. To follow it, ask with `after_id` set to the last id that you have seen."""
    with services().db.reading() as conn:
        found = journal.list_events(
            conn,
            after_id=query.after_id,
            before_id=query.before_id,
            kind_prefix=query.kind,
            run_id=query.run_id,
            batch_id=query.batch_id,
            asset_id=query.asset_id,
            limit=query.limit,
        )
    last_id = max((event.id for event in found), default=query.after_id)
    return jsonify({"events": [event_summary(event) for event in found], "last_id": last_id})
