"""Whole pages: peer, diagnostics, the story of a file, login."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, make_response, redirect, render_template, request

from app.admission.keys import COOKIE_NAME, SESSION_SECONDS, make_session
from app.web.auth import key_words
from app.web.context import container, htmx, services
from app.web.entry import accepted_key, refuse
from app.web.examination import examine, gravest_first
from app.web.partials import peer_context

blueprint = Blueprint("pages", __name__)

#: No path is longer.
LONGEST_PATH = 4096


@blueprint.app_context_processor
def _session_facts() -> dict[str, Any]:
    key = g.get("access_key")
    return {"has_session": COOKIE_NAME in request.cookies, "key_words": key_words(key) if key is not None else ""}


@blueprint.get("/")
def home() -> Response:
    """The dashboard is the home page."""
    return make_response(redirect("/dashboard"))


@blueprint.get("/peer")
def peer() -> str:
    """Connect the peer: how far Syncthing's set-up is, its device ID to scan, the requests that wait."""
    return render_template("peer.html", **peer_context())


@blueprint.get("/diagnostics")
def diagnostics() -> str:
    """What a delivery through Syncthing needs, or all that the doctor looks at, check by check, the gravest first."""
    from app.diagnostics import diagnose

    everything = request.args.get("about") == "everything"
    found = examine(again="again" in request.args) if everything else diagnose(services(), container().store.path)
    return render_template("diagnostics.html", found=found, checks=gravest_first(found), everything=everything)


@blueprint.get("/partials/diagnostics")
def live_diagnostics() -> Response:
    """All that the doctor has found; 204 to the page that waits while it looks."""
    found = examine(again=True)
    if found is None:
        return make_response("", 204)
    checks = gravest_first(found)
    return make_response(render_template("partials/diagnostics.html", found=found, checks=checks, everything=True))


@blueprint.get("/why")
def why() -> str:
    """The story of one file, with every date that was found for it."""
    from app.overview.capture import SOURCE_NAMES
    from app.overview.why import explain

    given = request.args.get("file", "").replace("\0", "").strip()[:LONGEST_PATH]
    story = explain(services(), given) if given else None
    return render_template("why.html", given=given, story=story, names=SOURCE_NAMES)


@blueprint.get("/login")
def login() -> Response:
    """Ask for the key, when one is needed."""
    target = _safe_target(request.args.get("next", ""))
    if not container().store.current().config.auth.every_key:
        return make_response(redirect(target))
    return make_response(render_template("login.html", wrong=False, target=target))


@blueprint.post("/login")
def send_key() -> Response:
    """Take the key and answer with the cookie that opens the pages."""
    auth = container().store.current().config.auth
    target = _safe_target(request.form.get("next", ""))
    key = accepted_key(auth, request.form.get("key", "")) if auth.every_key else None
    if key is None and auth.every_key:
        return refuse(auth, wrong=True, target=target)
    answer = _let_in() if htmx else make_response(redirect(target, 303))
    if key is None:
        return answer
    answer.set_cookie(
        COOKIE_NAME,
        make_session(key),
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="Lax",
        path=request.script_root or "/",
        # A proxy takes the TLS away; the browser says itself what it speaks.
        secure=request.is_secure or request.headers.get("Origin", "").startswith("https://"),
    )
    return answer


def _let_in() -> Response:
    """For a page on which the session had ended: it goes on by itself."""
    answer = make_response(
        render_template(
            "partials/notice.html",
            sentence="You are logged in again. What did not go through has to be pressed once more.",
            level="info",
        )
    )
    answer.headers["HX-Trigger"] = "refresh"
    return answer


@blueprint.post("/logout")
def logout() -> Response:
    """Forget the cookie."""
    answer = make_response(redirect("/login", 303))
    answer.delete_cookie(COOKIE_NAME, path=request.script_root or "/")
    return answer


def _safe_target(target: str) -> str:
    """A path on this server; anything that could lead elsewhere becomes the dashboard."""
    plain = target.startswith("/") and not target.startswith("//") and "\\" not in target and target.isprintable()
    return target if plain else "/dashboard"
