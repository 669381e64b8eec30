"""Scan and dedup alone."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app import jobs
from app.overview.runs import dedup_status
from app.web.answers import answer_start
from app.web.context import services, trigger
from app.web.models import Started, responses

api = APIBlueprint(
    "dedup",
    __name__,
    url_prefix="/api/dedup",
    abp_tags=[Tag(name="dedup", description="Find new files and duplicates")],
)


@api.post("/start", responses=responses(ok=Started, ok_status=202), summary="Scan and find duplicates")
def start() -> Response:
    """Starts a run that scans the ingest folder and then finds duplicates."""
    return answer_start(lambda: jobs.start_dedup(services(), trigger()), "The search for duplicates was started")


@api.get("/status", responses=responses(), summary="How far dedup is")
def status() -> Response:
    """The present search for duplicates, or how the last one ended."""
    with services().db.reading() as conn:
        return jsonify(dedup_status(conn))
