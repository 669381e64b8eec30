"""Notifications and webhooks: who is told, and a test. What they are told of is in the settings."""

from __future__ import annotations

from dataclasses import asdict

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app import jobs
from app.jobs.notifying import Tried
from app.overview.notices import notices_overview
from app.web.answers import done, partly_done
from app.web.context import services
from app.web.models import responses

api = APIBlueprint(
    "notify", __name__, url_prefix="/api/notify",
    abp_tags=[Tag(name="notify", description="Telling people and programs what happened")],
)  # fmt: skip


@api.get("", responses=responses(), summary="Who is told, and what came of it last")
def show() -> Response:
    """Every target by its name, never with its address, and how many messages wait for it."""
    found = services()
    with found.db.reading() as conn:
        return jsonify(notices_overview(conn, found.config))


@api.post("/test", responses=responses(400, 409), summary="Send a test to everybody")
def test() -> Response:
    """The worker sends it; the answer says of each target, by its name, what came of it. Takes up to 20 seconds."""
    tried = jobs.send_test(services())
    body = {"targets": [asdict(one) for one in tried]}
    words = " ".join(_sentence(one) for one in tried)
    return done(body, words) if all(one.state == "sent" for one in tried) else partly_done(body, words)


def _sentence(one: Tried) -> str:
    what = "The webhook" if one.channel == "webhook" else "The notification to"
    if one.state == "sent":
        return f"{what} {one.name} was sent."
    if one.state == "waiting":
        return f"{what} {one.name} has no answer yet; look at it again in a minute."
    return f"{what} {one.name} failed: {one.reason}."
