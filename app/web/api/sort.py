"""Archiving of a batch: start and status."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app.db import batches
from app.overview.batches import sort_progress
from app.web.answers import start_sort
from app.web.context import services
from app.web.models import BatchPath, Started, responses

api = APIBlueprint(
    "sort", __name__, url_prefix="/api/sort", abp_tags=[Tag(name="sort", description="Filing into the archive")]
)


@api.post("/start/<int:batch_id>", responses=responses(404, 409, ok=Started, ok_status=202), summary="Archive a batch")
def start(path: BatchPath) -> Response:
    """The same as POST /api/workflow/sort/{batch_id}."""
    return start_sort(path.batch_id)


@api.get("/status/<int:batch_id>", responses=responses(404), summary="How far archiving is")
def status(path: BatchPath) -> Response:
    """How many of the batch's files are in the archive."""
    with services().db.reading() as conn:
        return jsonify(sort_progress(conn, batches.get(conn, path.batch_id)))
