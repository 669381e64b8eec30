"""The check at the entry: without the key, when one is set, every route is closed but a few."""

from __future__ import annotations

from flask import Response, make_response, render_template, request

from app.config.schema import Auth
from app.web.auth import COOKIE_NAME, OPEN_ENDPOINTS, WINDOW_SECONDS, WrongKeys, is_right_key, is_session, key_in
from app.web.context import container, htmx, wants_page
from app.web.errors import problem

wrong_keys = WrongKeys()


def require_key() -> Response | None:
    """Let the request pass (None), or answer 401, or 429 after too many wrong keys."""
    return None if request.endpoint in OPEN_ENDPOINTS else check_key()


def check_key() -> Response | None:
    """None when no key is set or the request carries it; else the answer that refuses the request."""
    auth = container().store.current().config.auth
    if not auth.api_key or is_session(auth, request.cookies.get(COOKIE_NAME)):
        return None
    given = key_in(auth, request.headers)
    if given is None:
        return refuse(auth)
    return None if accepts_key(auth, given) else refuse(auth, wrong=True)


def accepts_key(auth: Auth, given: str) -> bool:
    """Whether the key is right and its sender has not been guessing."""
    address = request.remote_addr or ""
    if wrong_keys.is_blocked(address):
        return False
    if is_right_key(auth, given):
        return True
    wrong_keys.note(address)
    return False


def refuse(auth: Auth, *, wrong: bool = False, target: str | None = None) -> Response:
    """401, or 429 with the time to wait. A browser gets the page that asks for the key and then leads to `target`."""
    if wrong_keys.is_blocked(request.remote_addr or ""):
        answer = problem(429, "Too many wrong keys came from this address. Wait a minute, then try again.")
        answer.headers["Retry-After"] = str(int(WINDOW_SECONDS))
        return answer
    if htmx:
        answer = make_response("", 401)
        answer.headers["HX-Refresh"] = "true"
        return answer
    if wants_page():
        if target is None:
            target = request.full_path.rstrip("?") if request.method == "GET" else "/dashboard"
        return make_response(render_template("login.html", wrong=wrong, target=target), 401)
    answer = problem(401, f"An API key is needed: send it in the header {auth.header_name}, or as a Bearer token.")
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer
