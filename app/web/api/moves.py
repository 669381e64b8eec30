"""The history of moves."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app.db import lists, roots
from app.overview.summaries import move_summary
from app.web.context import services
from app.web.models import responses
from app.web.queries import MoveQuery

api = APIBlueprint(
    "moves", __name__, url_prefix="/api/moves", abp_tags=[Tag(name="journal", description="What happened")]
)


@api.get("", responses=responses(), summary="Every move of a file or a folder")
def index(query: MoveQuery) -> Response:
    """From where to where, how, and whether the source lies in the trash; in the order in which they were planned."""
    with services().db.reading() as conn:
        known = {root.id: root for root in roots.list_all(conn)}
        rows, next_id = lists.page_of_moves(
            conn,
            asset_id=query.asset_id,
            batch_id=query.batch_id,
            run_id=query.run_id,
            after_id=query.after_id,
            limit=query.limit,
        )
    return jsonify({"moves": [move_summary(row, known) for row in rows], "next_after_id": next_id})
