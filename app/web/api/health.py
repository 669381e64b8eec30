"""Is the process alive, and is it ready to serve?"""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app.admission.problems import KINDS
from app.errors import MediaPipelineError
from app.overview.roots import folders_away
from app.web.context import container, services
from app.web.entry import check_key
from app.web.errors import problem
from app.web.models import responses

#: What those are told who may not know more.
NOT_READY = "The service cannot do its work now; the dashboard, or the same request with the key, says why."
FAULTY_SETTINGS = "The settings file has faults and the last good one is in force; the dashboard says more."

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
    """Ready when configuration and database can be read and every folder but the delivery's is there; else 503.

    A settings file with faults does not count while the last good one is in force: `config` is `last_good` then, with
    a sentence. `cause` is `state` or `folder`; with `folder` the server goes on by itself when the disk is back.
    """
    obstacle = _obstacle()
    if obstacle is None:
        return jsonify({"status": "ready", **_config_in_force()})
    cause, sentence = obstacle
    return problem(503, sentence if check_key() is None else NOT_READY, kind=KINDS["not-ready"], cause=cause)


def _config_in_force() -> dict[str, str]:
    """Nothing to add when the file on disk is in force."""
    fault = container().fault_words
    if fault is None:
        return {}
    return {"config": "last_good", "detail": fault if check_key() is None else FAULTY_SETTINGS}


def _obstacle() -> tuple[str, str] | None:
    try:
        away = folders_away(services())
    except MediaPipelineError as error:
        return "state", str(error)
    return ("folder", " ".join(away)) if away else None
