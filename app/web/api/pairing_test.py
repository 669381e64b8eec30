"""The pairing test: a small file to the peer and back out, before any photo goes there."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app import jobs
from app.overview.pairing import pairing_overview
from app.web.answers import answer_start
from app.web.context import services, trigger
from app.web.models import Started, responses

api = APIBlueprint(
    "pairing", __name__, url_prefix="/api/pairing-test", abp_tags=[Tag(name="sync", description="Delivery to the peer")]
)


@api.post("", responses=responses(400, ok=Started, ok_status=202), summary="Test the way to the peer")
def start() -> Response:
    """Sends one small file to every required peer, waits until it is proven there, and removes it again."""
    return answer_start(lambda: jobs.start_pairing_test(services(), trigger()), "The pairing test was started")


@api.get("", responses=responses(), summary="How the last pairing test went")
def show() -> Response:
    """What the last look found: its state, a sentence, and who has the file since when."""
    with services().db.reading() as conn:
        return jsonify(pairing_overview(conn))
