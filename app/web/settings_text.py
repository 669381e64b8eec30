"""The settings file as text: read, checked line by line while somebody types, saved to the letter."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request

from app.errors import ConfigError, Conflict, RevisionChanged
from app.web.context import actor, container, htmx
from app.web.settings_page import live_part
from app.web.settings_telling import may_change, of_verdict, status_of

blueprint = Blueprint("settings_text", __name__)


@blueprint.get("/settings/text")
def text() -> str:
    """The file, secrets masked, with what is wrong with it."""
    store = container().store
    revision, shown = store.file_revision(), store.text()
    told = of_verdict(store.check_raw(shown), revision) if store.fault is not None else {"is_idle": True}
    return _page(shown, told, revision)


@blueprint.post("/settings/text")
def save() -> Response:
    """Save the text to the letter; or say what stands in the way, and keep what was typed."""
    typed, seen = _typed(), request.form.get("over") or request.form.get("revision", "")
    told = _told(typed)
    if told.get("is_idle") or status_of(told) != 200:
        return _answer(typed, told, status_of(told))
    try:
        snapshot = container().store.save_raw(typed, actor(), expected_revision=seen)
    except (ConfigError, Conflict) as error:
        again = {**_told(typed), "refusal": str(error)}
        return _answer(typed, again, 412 if isinstance(error, RevisionChanged) else 409)
    address = f"/settings?saved={snapshot.revision}"
    if not htmx:
        return make_response(redirect(address, 303))
    answer = make_response("", 200)
    answer.headers["HX-Redirect"] = address
    return answer


@blueprint.post("/settings/text/check")
def check() -> Response:
    """What saving the text would do; changes nothing."""
    typed = _typed()
    return _answer(typed, _told(typed), 200)


def _typed() -> str:
    """What was typed. A browser sends every line break as two characters; the file keeps its own."""
    typed = request.form.get("text", "").replace("\r\n", "\n")
    return typed.replace("\n", "\r\n") if "\r\n" in container().store.text() else typed


def _told(typed: str) -> dict[str, Any]:
    store = container().store
    seen = request.form.get("over") or request.form.get("revision", "")
    if typed == store.text() and store.fault is None:
        return {"is_idle": True}
    return of_verdict(store.check_raw(typed), seen)


def _answer(typed: str, told: dict[str, Any], status: int) -> Response:
    """The panel for a page that lives; for a plain form the whole page with what was typed, secrets masked."""
    if htmx:
        return make_response(render_template("partials/settings_verdict.html", told=told, kind="text"))
    shown = container().store.shown(typed)
    told = {**told, "hides": shown != typed}
    return make_response(_page(shown, told, request.form.get("revision", "")), status)


def _page(shown: str, told: dict[str, Any], seen: str) -> str:
    live = live_part(seen)
    return render_template("settings_text.html", text=shown, told=told, seen=seen, may_change=may_change(), **live)
