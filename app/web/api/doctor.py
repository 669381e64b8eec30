"""The doctor: every check of the system with what to do, and mending what needs no media file touched."""

from __future__ import annotations

from dataclasses import asdict

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app import jobs
from app.diagnostics import doctor as examine
from app.web.answers import done
from app.web.context import container, services, trigger
from app.web.models import responses

api = APIBlueprint(
    "doctor", __name__, url_prefix="/api/doctor", abp_tags=[Tag(name="doctor", description="Is all as it should be?")]
)


@api.get("", responses=responses(), summary="Check everything")
def show() -> Response:
    """Settings, database, folders, processes, tools, the work itself and Syncthing; each finding says what to do."""
    return jsonify(examine(container()))


@api.post("/repair", responses=responses(), summary="Mend what can be mended")
def repair() -> Response:
    """Counts the totals anew where they differ and asks for a cleanup run. Touches no media file."""
    made = jobs.repair(services(), trigger())
    return done({"repaired": [asdict(one) for one in made]}, " ".join(one.done for one in made))
