"""Cleanup alone."""

from __future__ import annotations

from flask import Response
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app import jobs
from app.web.answers import answer_start
from app.web.context import services, trigger
from app.web.models import Started, responses

api = APIBlueprint(
    "cleanup",
    __name__,
    url_prefix="/api/cleanup",
    abp_tags=[Tag(name="cleanup", description="Remove what is finished")],
)


@api.post("/run", responses=responses(ok=Started, ok_status=202), summary="Clean up")
def run() -> Response:
    """Starts a run that removes finished batch folders, stale temporary files, expired trash and old logs."""
    return answer_start(lambda: jobs.start_cleanup(services(), trigger()), "Cleanup was started")
