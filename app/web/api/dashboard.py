"""The dashboard's numbers under the address that clients of the first product know."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app.overview.dashboard import dashboard
from app.web.context import services
from app.web.models import responses

api = APIBlueprint(
    "dashboard", __name__, url_prefix="/api/dashboard", abp_tags=[Tag(name="workflow", description="The whole job")]
)


@api.get("", responses=responses(), summary="Files, batches and storage in numbers")
def show() -> Response:
    """From totals that are kept with each change; no folder is walked."""
    with services().db.reading() as conn:
        return jsonify(dashboard(conn))
