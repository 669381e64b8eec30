"""Files that were set aside, each with its reason."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app.model import AssetStatus
from app.overview.troubled import troubled_files
from app.web.context import services
from app.web.models import responses
from app.web.queries import Page

api = APIBlueprint(
    "set_aside",
    __name__,
    url_prefix="/api/set-aside",
    abp_tags=[Tag(name="assets", description="Every file ever seen")],
)


@api.get("", responses=responses(), summary="Files that were set aside, and why")
def index(query: Page) -> Response:
    """In id order, with how often each reason was given. POST /api/assets/{asset_id}/retry takes one of them in."""
    with services().db.reading() as conn:
        return jsonify(troubled_files(conn, AssetStatus.SET_ASIDE, query.after_id, query.limit))
