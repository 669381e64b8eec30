"""Fragments of pages that HTMX asks for again and again."""

from __future__ import annotations

import hashlib
import json
import threading
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request

from app.overview import overview
from app.web.context import config_facts, services

blueprint = Blueprint("partials", __name__, url_prefix="/partials")

#: Seconds between two refreshes of a page: while a run is on, and otherwise.
BUSY_SECONDS, QUIET_SECONDS = 2, 5
#: A person stands at the other device and waits for its request to appear.
PEER_SECONDS = 3
#: What changes with every look and shows nothing new.
VOLATILE = ("generated_at", "heartbeat_at")
#: Free room is told in steps of this size, so that a growing log does not redraw every page.
ROOM_STEP_BYTES = 100_000_000

_asking_syncthing = threading.Lock()


def live_context() -> dict[str, Any]:
    """What the live part of the dashboard shows, how soon to look again, and a mark of its content."""
    seen = overview(services(), config_facts())
    return {
        "seen": seen,
        "every": BUSY_SECONDS if seen["running"] else QUIET_SECONDS,
        "mark": _mark(seen),
    }


@blueprint.get("/overview")
def live_overview() -> Response:
    """The live part of the dashboard; 204 when nothing has changed since the mark that the page holds."""
    context = live_context()
    if request.args.get("mark") == context["mark"]:
        return make_response("", 204)
    return make_response(render_template("partials/overview.html", **context))


def peer_context() -> dict[str, Any]:
    """What the live part of the page Peer shows, and a mark of its content."""
    from app.overview.pairing import pairing_overview
    from app.overview.peer import peer_state

    seen = peer_state(services())
    with services().db.reading() as conn:
        test = pairing_overview(conn)
    return {"peer": seen, "test": test, "every": PEER_SECONDS, "mark": _mark({**seen, "test": test})}


@blueprint.get("/peer")
def live_peer() -> Response:
    """The live part of the page Peer; 204 when nothing has changed since the mark that the page holds.

    One at a time asks Syncthing: pages that wait for one that does not answer must not take all threads.
    """
    if not _asking_syncthing.acquire(blocking=False):
        return make_response("", 204)
    try:
        context = peer_context()
    finally:
        _asking_syncthing.release()
    if request.args.get("mark") == context["mark"]:
        return make_response("", 204)
    return make_response(render_template("partials/peer.html", **context))


def _mark(seen: dict[str, Any]) -> str:
    text = json.dumps(_steady(seen), sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def _steady(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: inner // ROOM_STEP_BYTES if key == "free_bytes" and inner else _steady(inner)
            for key, inner in value.items()
            if key not in VOLATILE
        }
    return [_steady(inner) for inner in value] if isinstance(value, list) else value
