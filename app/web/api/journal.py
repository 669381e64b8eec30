"""The journal: everything that happened, newest first or from an id on."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app.overview.events import EventSearch, find_events
from app.web.context import services
from app.web.models import responses
from app.web.queries import JournalQuery

api = APIBlueprint(
    "journal", __name__, url_prefix="/api/journal", abp_tags=[Tag(name="journal", description="What happened")]
)


@api.get("", responses=responses(400), summary="Search the journal")
def index(query: JournalQuery) -> Response:
    """Newest first, on with `next_before_id`. To follow it, ask with `after_id` set to `last_id`, oldest first.

    A page may hold fewer events than `limit`, even none, while `has_more` is true.
    """
    wanted = EventSearch(
        kind=query.kind,
        level=query.level or "",
        text=query.text,
        since=query.since,
        until=query.until,
        run_id=query.run_id,
        batch_id=query.batch_id,
        asset_id=query.asset_id,
        before_id=query.before_id,
        after_id=query.after_id,
        limit=query.limit,
    )
    with services().db.reading() as conn:
        return jsonify(find_events(conn, wanted))
