"""Duplicates, as sets with their originals."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app.overview.duplicates import duplicate_sets, reference_sets
from app.web.context import services
from app.web.models import responses
from app.web.queries import DuplicatesQuery

api = APIBlueprint(
    "duplicates",
    __name__,
    url_prefix="/api/duplicates",
    abp_tags=[Tag(name="assets", description="Every file ever seen")],
)


@api.get("", responses=responses(), summary="Originals with their duplicates")
def index(query: DuplicatesQuery) -> Response:
    """In the order of the originals' ids; the first duplicates of each, and under `all` the address of the others."""
    list_sets = reference_sets if query.in_reference else duplicate_sets
    with services().db.reading() as conn:
        return jsonify(list_sets(conn, query.after_id, query.limit))
