"""Make a batch; list batches under the name that clients of the first product know."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app import jobs
from app.errors import RunInProgress
from app.web.answers import accepted, not_started
from app.web.api.batches import list_batches
from app.web.context import services, trigger
from app.web.models import BatchCreated, responses
from app.web.queries import BatchQuery

api = APIBlueprint("batch", __name__, url_prefix="/api/batch", abp_tags=[Tag(name="batches", description="Batches")])


@api.post("/create", responses=responses(409, ok=BatchCreated, ok_status=202), summary="Make a batch")
def create() -> Response:
    """Reserves the next batch and starts the run that fills it; 409 names the batch that stands in the way."""
    try:
        batch, run = jobs.create_batch(services(), trigger())
    except RunInProgress as error:
        return not_started(error, created=False)
    body = {"created": True, "started": True, "batch_id": batch.id, "batch_name": batch.name, "run_id": run.id}
    return accepted(body, f"Batch {batch.name} is being made (run {run.id}).")


@api.get("/list", responses=responses(), summary="List batches, newest first")
def show_list(query: BatchQuery) -> Response:
    """The same as GET /api/batches."""
    return jsonify(list_batches(query))
