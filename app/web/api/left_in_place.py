"""What lies in the ingest folders and is not taken in."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app.overview.troubled import left_files
from app.web.context import services
from app.web.models import responses
from app.web.queries import LeftQuery

api = APIBlueprint(
    "left_in_place",
    __name__,
    url_prefix="/api/left-in-place",
    abp_tags=[Tag(name="assets", description="Every file ever seen")],
)


@api.get("", responses=responses(), summary="Names that are left in place, and why")
def index(query: LeftQuery) -> Response:
    """What the last scan saw in the ingest folders and does not take; the overview counts the reasons."""
    with services().db.reading() as conn:
        return jsonify(left_files(conn, query.reason, query.after_id, query.limit))
