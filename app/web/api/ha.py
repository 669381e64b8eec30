"""The state of everything as one flat object, for Home Assistant."""

from __future__ import annotations

from flask import Response, current_app, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app.overview.home import HomeState
from app.web.context import config_facts, services
from app.web.models import responses

EXTENSION = "media_pipeline_home_state"

api = APIBlueprint(
    "ha", __name__, url_prefix="/api/ha", abp_tags=[Tag(name="home assistant", description="For Home Assistant")]
)


@api.get("/state", responses=responses(503), summary="The whole state as one flat object")
def state() -> Response:
    """Stable keys, base units (bytes, seconds, counts), instants with their offset, never null; at most a second old.

    docs/home-assistant.md tells each key and what stands where nothing is known.
    """
    found: HomeState = current_app.extensions[EXTENSION]
    return jsonify(found.read(services(), config_facts()))
