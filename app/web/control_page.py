"""The page Control: act on everything, on one stage or on one batch, and see at once what comes of it."""

from __future__ import annotations

import threading
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request

from app.errors import BadRequest
from app.overview.control import control_panel
from app.web.context import config_facts, container, services
from app.web.examination import examine, gravest_first
from app.web.live import answer_shared, live
from app.web.models import MAX_ID

blueprint = Blueprint("control_page", __name__)

#: Where what is asked of a batch that was chosen is done.
ACTS = {"sync": "/api/workflow/sync/%d", "sort": "/api/workflow/sort/%d", "retry": "/api/batches/%d/retry"}
#: Pages whose full addresses are shown to be copied.
PAGES = (("Dashboard", "dashboard"), ("Control", "control"), ("Peer", "peer"), ("API docs", "docs"))

_asking_syncthing = threading.Lock()


@blueprint.get("/control")
def control() -> str:
    """Act: run everything or one stage, on a batch where it needs one."""
    content, busy = _content()
    return render_template(
        "control.html",
        **live(content, busy),
        config=services().config,
        addresses=_addresses(),
        config_path=container().store.path,
    )


@blueprint.get("/partials/control")
def live_control() -> Response:
    """The part of the page that renews itself; 204 when nothing has changed since the mark that the page holds."""
    return answer_shared("partials/control.html", "control", _content)


@blueprint.post("/control/batch")
def act_on_batch() -> Response:
    """What was chosen in a list, asked for where it is done: a form alone cannot put an id in its address."""
    act, given = request.form.get("act", ""), request.form.get("batch_id", "")
    if act not in ACTS or not (given.isascii() and given.isdecimal() and 0 < int(given[:20]) <= MAX_ID):
        raise BadRequest("Choose a batch in the list first.")
    return make_response(redirect(ACTS[act] % int(given), 307))


@blueprint.get("/partials/control/peer")
def peer() -> str:
    """What waits for a person's word in Syncthing. One at a time asks, as long as it does not answer."""
    from app.overview.peer import pending_requests

    if not _asking_syncthing.acquire(blocking=False):
        return render_template("partials/control_peer.html", pending=None)
    try:
        pending = pending_requests(services())
    finally:
        _asking_syncthing.release()
    return render_template("partials/control_peer.html", pending=pending)


@blueprint.get("/partials/control/diagnostics")
def diagnostics() -> str:
    """Everything that a delivery needs, looked at now."""
    from app.diagnostics import diagnose

    return _checks(diagnose(services(), container().store.path), "The delivery")


@blueprint.get("/partials/control/doctor")
def doctor() -> Response:
    """Everything else as well, looked at now; in a large library the answer asks again until that is done."""
    is_again = "again" in request.args
    found = examine(again=is_again)
    if found is None and is_again:
        return make_response("", 204)
    return make_response(_checks(found, "Everything"))


def _checks(found: dict[str, Any] | None, subject: str) -> str:
    checks = gravest_first(found)
    return render_template("partials/control_checks.html", found=found, checks=checks, subject=subject)


def _content() -> tuple[dict[str, Any], bool]:
    seen = control_panel(services(), config_facts())
    return {"seen": seen}, bool(seen["running"])


def _addresses() -> list[tuple[str, str]]:
    """Full addresses to copy, as this browser reaches them."""
    host = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
    config = services().config
    found = [(name, request.host_url + page) for name, page in PAGES]
    if config.system.dbui_enabled:
        found.append(("Database browser", f"{request.scheme}://{host}:{config.system.port_dbui}/"))
    return found
