"""Scan and dedup alone."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.request_body import RequestBody
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field

from app import jobs
from app.overview.runs import dedup_status
from app.web.answers import answer_start
from app.web.context import services, trigger
from app.web.models import Started, responses
from app.web.unknown import read_body

api = APIBlueprint(
    "dedup",
    __name__,
    url_prefix="/api/dedup",
    abp_tags=[Tag(name="dedup", description="Find new files and duplicates")],
)


class DedupBody(BaseModel):
    """How to search; may be left out."""

    model_config = ConfigDict(extra="forbid", strict=True)

    dry_run: bool = Field(default=False, description="Only find out what would be found; no file and no row changes.")


BODY = RequestBody.model_validate(
    {
        "description": "May be left out.",
        "content": {"application/json": {"schema": DedupBody.model_json_schema(), "example": {"dry_run": True}}},
        "required": False,
    }
)


@api.post(
    "/start", responses=responses(422, ok=Started, ok_status=202), request_body=BODY, summary="Scan and find duplicates"
)
def start() -> Response:
    """Starts a run that scans the ingest folder and then finds duplicates.

    With `dry_run` it is a preview of that: what it found is under `/api/preview/{run_id}/duplicates`.
    """
    if read_body(DedupBody).dry_run:
        words = "A preview of the search for duplicates was started"
        return answer_start(lambda: jobs.start_dedup_preview(services(), trigger()), words)
    return answer_start(lambda: jobs.start_dedup(services(), trigger()), "The search for duplicates was started")


@api.get("/status", responses=responses(), summary="How far dedup is")
def status() -> Response:
    """The present search for duplicates, or how the last one ended."""
    with services().db.reading() as conn:
        return jsonify(dedup_status(conn))
