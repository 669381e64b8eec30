"""Delivery of a batch: start, status, and what stands in the way."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app.db import batches
from app.overview.batches import sync_progress
from app.web.answers import start_sync
from app.web.context import container, services
from app.web.models import BatchPath, Started, responses

api = APIBlueprint(
    "sync", __name__, url_prefix="/api/sync", abp_tags=[Tag(name="sync", description="Delivery to the peer")]
)


@api.post("/start/<int:batch_id>", responses=responses(404, 409, ok=Started, ok_status=202), summary="Deliver a batch")
def start(path: BatchPath) -> Response:
    """The same as POST /api/workflow/sync/{batch_id}."""
    return start_sync(path.batch_id)


@api.get("/status/<int:batch_id>", responses=responses(404), summary="How far a delivery is")
def status(path: BatchPath) -> Response:
    """What the last look at the peer found. Asking this looks at nothing and changes nothing."""
    from app.diagnostics import delivery_status

    with services().db.reading() as conn:
        progress = sync_progress(batches.get(conn, path.batch_id))
    return jsonify({**delivery_status(services(), path.batch_id), **progress})


@api.get("/diagnostics", responses=responses(), summary="Why a delivery may not work")
def diagnostics() -> Response:
    """Every check of Syncthing's address, key, folder and peer, each with what to do about it."""
    from app.diagnostics import diagnose

    return jsonify(diagnose(services(), container().store.path))
