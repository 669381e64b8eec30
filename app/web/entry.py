"""The check at the entry: when a key is set, every route is closed but a few, and each asks for a scope."""

from __future__ import annotations

from flask import Response, g, make_response, render_template, request

from app.admission.keys import COOKIE_NAME, WINDOW_SECONDS, WrongKeys, key_in, session_key
from app.admission.problems import KINDS
from app.config.access import AccessKey, Auth, Scope
from app.jobs.actor import work_for
from app.web.auth import OPEN_ENDPOINTS, opens, scope_needed
from app.web.context import actor, container, htmx, wants_page
from app.web.errors import problem

wrong_keys = WrongKeys()


def require_key() -> Response | None:
    """Let the request pass (None), or answer 401, 403, or 429 after too many wrong keys."""
    refusal = None if request.endpoint in OPEN_ENDPOINTS else check_key(scope_needed(request.endpoint, request.method))
    # Each request sets it, so that none inherits the name of the one before it in the same thread.
    work_for(actor())
    return refusal


def check_key(scope: Scope = "read") -> Response | None:
    """None when no key is set or the request carries one with this scope; else the answer that refuses the request."""
    auth = container().store.current().config.auth
    if not auth.every_key:
        return None
    key = session_key(auth, request.cookies.get(COOKIE_NAME))
    if key is None:
        given = key_in(auth, request.headers)
        if given is None:
            return refuse(auth)
        key = accepted_key(auth, given)
        if key is None:
            return refuse(auth, wrong=True)
    g.access_key = key
    return None if opens(key, scope) else refuse_scope(key, scope)


def accepted_key(auth: Auth, given: str) -> AccessKey | None:
    """The key, when it is right and its sender has not been guessing."""
    return wrong_keys.accepted(auth, given, request.remote_addr or "")


def refuse_scope(key: AccessKey, scope: Scope) -> Response:
    """403 with the scope that is needed and the one that is there."""
    sentence = f"This needs a key with the scope {scope}; the key {key.name} has the scope {key.scope}."
    return problem(403, sentence, kind=KINDS["scope-needed"], scope_needed=scope)


def refuse(auth: Auth, *, wrong: bool = False, target: str | None = None) -> Response:
    """401, or 429 with the time to wait. A browser gets the page that asks for the key and then leads to `target`; a
    page that asked for a part of it gets a form in place."""
    if wrong_keys.is_blocked(request.remote_addr or ""):
        sentence = "Too many wrong keys came from this address. Wait a minute, then try again."
        answer = problem(429, sentence, retryable=True)
        answer.headers["Retry-After"] = str(int(WINDOW_SECONDS))
        return answer
    if htmx:
        # Asked for in place: a page that is left for a login form loses what was typed into it.
        answer = make_response(render_template("partials/log_in_again.html", wrong=wrong), 401)
        answer.headers["HX-Retarget"] = "#notices"
        answer.headers["HX-Reswap"] = "innerHTML"
        return answer
    if wants_page():
        if target is None:
            target = request.full_path.rstrip("?") if request.method == "GET" else "/dashboard"
        return make_response(render_template("login.html", wrong=wrong, target=target), 401)
    answer = problem(401, f"An API key is needed: send it in the header {auth.header_name}, or as a Bearer token.")
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer
