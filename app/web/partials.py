"""Fragments of pages that HTMX asks for again and again."""

from __future__ import annotations

import threading
from typing import Any

from flask import Blueprint, Response, make_response, request

from app.overview.welcome import set_up_steps
from app.web.context import services
from app.web.live import answer_live, live

blueprint = Blueprint("partials", __name__, url_prefix="/partials")

#: A person stands at the other device and waits for its request to appear.
PEER_SECONDS = 3

_asking_syncthing = threading.Lock()


def peer_context(in_wizard: bool = False) -> dict[str, Any]:
    """What the live part of the page Peer shows, and a mark of its content; as a step of the set-up with `progress`."""
    return live(_peer(in_wizard), False, PEER_SECONDS)


@blueprint.get("/peer")
def live_peer() -> Response:
    """The live part of the page Peer; 204 when nothing has changed since the mark that the page holds.

    One at a time asks Syncthing: pages that wait for one that does not answer must not take all threads.
    """
    if not _asking_syncthing.acquire(blocking=False):
        return make_response("", 204)
    try:
        content = _peer("wizard" in request.args)
    finally:
        _asking_syncthing.release()
    return answer_live("partials/peer.html", content, False, PEER_SECONDS)


def _peer(in_wizard: bool) -> dict[str, Any]:
    from app.overview.pairing import pairing_overview
    from app.overview.peer import peer_state

    seen = peer_state(services())
    with services().db.reading() as conn:
        test = pairing_overview(conn)
    progress = {"progress": set_up_steps(services())} if in_wizard else {}
    return {"peer": seen, "test": test, **progress}
