"""Files that failed, each with its reason."""

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
    "failed", __name__, url_prefix="/api/failed", abp_tags=[Tag(name="assets", description="Every file ever seen")]
)


@api.get("", responses=responses(), summary="Files that failed, and why")
def index(query: Page) -> Response:
    """In id order, with how often each reason was given. POST /api/assets/{asset_id}/retry tries one of them again."""
    with services().db.reading() as conn:
        return jsonify(troubled_files(conn, AssetStatus.FAILED, query.after_id, query.limit))
