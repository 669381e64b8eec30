"""Is the process alive, and is it ready to serve?"""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app.errors import MediaPipelineError
from app.web.context import services
from app.web.models import responses

api = APIBlueprint(
    "health", __name__, abp_tags=[Tag(name="health", description="Liveness and readiness; no key needed")]
)


@api.get("/health", responses=responses(), summary="Is the web process alive?")
def health() -> Response:
    """Says ok as long as the process answers; looks at nothing else."""
    return jsonify({"status": "ok"})


@api.get("/api/health", responses=responses(), summary="Is the web process alive?")
def api_health() -> Response:
    """The same as /health, under the API's prefix."""
    return jsonify({"status": "ok"})


@api.get("/ready", responses=responses(503), summary="Can the server do its work?")
def ready() -> Response:
    """Says ready when configuration and database can be read; else 503."""
    try:
        with services().db.reading() as conn:
            conn.exec_driver_sql("SELECT 1")
    except MediaPipelineError:
        # No key is needed here, so no detail is given: the pages and the log have it.
        answer = jsonify({"status": "not ready"})
        answer.status_code = 503
        return answer
    return jsonify({"status": "ready"})
