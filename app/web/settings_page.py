"""The page Settings: every setting as a field, what a change would do, and saving what was changed."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from flask import Blueprint, Flask, Response, current_app, make_response, redirect, render_template, request

from app.config.changes import Change
from app.config.months import NAMES
from app.config.presets import PRESETS, Preset, find_preset, preset_json
from app.config.settings import all_settings, get_path
from app.errors import ConfigError, Conflict, MediaPipelineError, RevisionChanged
from app.services import ServiceContainer
from app.web.context import EXTENSION, actor, container, htmx
from app.web.live import answer_live, live
from app.web.settings_fields import field_id
from app.web.settings_sections import Basis, Told, Wanted, form_sections
from app.web.settings_telling import may_change, of_saved, of_verdict, state, status_of, told_changes
from app.web.settings_typed import WAS, Sent, Typed, read_typed, text_of

blueprint = Blueprint("settings_page", __name__)

BEGAN_WITH = "media_pipeline_settings_at_start"
#: No words that are looked for are longer.
LONGEST = 200


def install(app: Flask) -> None:
    """Remember the settings that this process begins with: some count until its next start."""
    found: ServiceContainer = app.extensions[EXTENSION]
    try:
        app.extensions[BEGAN_WITH] = found.store.current().config
    except (MediaPipelineError, OSError):
        app.extensions[BEGAN_WITH] = None


@blueprint.get("/settings")
def settings() -> str:
    """The form; `q` and `differs` narrow it, `saved` tells of the revision that was just saved."""
    return _page(saved=of_saved(request.args.get("saved", "")))


@blueprint.post("/settings")
def save() -> Response:
    """Save what was changed in the form, and nothing else; or say what stands in the way, and keep what was typed."""
    typed = read_typed(request.form)
    told = _told(typed)
    if not typed.changed or status_of(told) != 200:
        return _answer(typed, told, status_of(told))
    seen = request.form.get("over") or request.form.get("revision", "")
    try:
        snapshot = container().store.save_partial(typed.values, actor(), expected_revision=seen)
    except (ConfigError, Conflict) as error:
        again = {**_told(typed), "refusal": str(error)}
        return _answer(typed, again, 412 if isinstance(error, RevisionChanged) else 409)
    if not htmx:
        return make_response(redirect(f"/settings?saved={snapshot.revision}", 303))
    context = _context(saved=of_saved(snapshot.revision))
    answer = make_response(render_template("partials/settings_form.html", **context))
    answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#settings", "morph:outerHTML"
    return answer


@blueprint.post("/settings/check")
def check() -> Response:
    """What saving the form would do; changes nothing."""
    typed = read_typed(request.form)
    return _answer(typed, _told(typed), 200)


@blueprint.post("/settings/fill")
def fill() -> Response:
    """The form with the default of one setting, or the values of a preset, put into it; nothing is saved."""
    sent = request.form.copy()
    wanted = sent.get("default", "")
    if wanted in all_settings():
        _put(sent, wanted, text_of(all_settings()[wanted], all_settings()[wanted].default))
    elif "preset" in sent:
        for path, text in _texts(find_preset(sent["preset"])).items():
            _put(sent, path, text)
    typed = read_typed(sent)
    return _answer(typed, _told(typed), 200)


@blueprint.get("/partials/settings")
def live_settings() -> Response:
    """Which settings are in force, and whether somebody changed them since the page was made; 204 when it says so."""
    return answer_live("partials/settings.html", _live(request.args.get("seen")), busy=False)


def _live(seen: str | None) -> dict[str, Any]:
    return {"state": state(seen)}


def live_part(seen: str | None = None) -> dict[str, Any]:
    """The part of each page of the settings that renews itself."""
    return live(_live(seen), busy=False)


# --- the form


def _told(typed: Typed) -> dict[str, Any]:
    """What saving would do; nothing as long as nothing was changed."""
    seen = request.form.get("over") or request.form.get("revision", "")
    if not typed.changed:
        return {"is_idle": True}
    verdict = container().store.check_partial(typed.values)
    told = of_verdict(verdict, seen, more=typed.problems, placed=typed.placed)
    return {**told, "hides": any(path in typed.changed for path, one in all_settings().items() if one.secret)}


def _answer(typed: Typed, told: dict[str, Any], status: int) -> Response:
    """The panel for a page that lives; for a plain form the whole page with what was typed."""
    if htmx:
        return make_response(render_template("partials/settings_verdict.html", told=told, kind="form"))
    return make_response(_page(typed, told), status)


def _page(typed: Typed | None = None, told: dict[str, Any] | None = None, saved: dict[str, Any] | None = None) -> str:
    return render_template("settings.html", **_context(typed, told, saved))


def _context(
    typed: Typed | None = None, told: dict[str, Any] | None = None, saved: dict[str, Any] | None = None
) -> dict[str, Any]:
    snapshot, told = container().store.current(), told or {"is_idle": True}
    basis = Basis(
        snapshot,
        current_app.extensions[BEGAN_WITH],
        typed or Typed(),
        Told(told.get("problems", ()), snapshot.warnings),
    )
    wanted = Wanted(request.args.get("q", "").replace("\0", "")[:LONGEST], request.args.get("differs") == "yes")
    whole = form_sections(basis)
    return {
        **live_part(request.form.get("revision") if typed is not None else None),
        "whole": whole,
        "sections": wanted.narrowed(whole),
        "wanted": wanted,
        "told": told,
        "saved": saved,
        "presets": _presets(),
        "zones": _zones(),
        "languages": sorted(NAMES),
        "general": [warning for warning in snapshot.warnings if warning.path not in all_settings()],
        "may_change": may_change(),
    }


def _put(sent: Sent, path: str, text: str) -> None:
    """As if a person had put it into the control; a setting without one, as the environment sets it, stays."""
    if WAS + path not in sent:
        return
    if all_settings()[path].kind == "yes_no" and text == "false":
        sent.poplist(path)
    else:
        sent[path] = text


def _presets() -> list[dict[str, Any]]:
    """Each preset with what it would change, and the texts of its settings for the form."""
    store = container().store
    found = []
    for preset in PRESETS:
        told = preset_json(preset, store)
        changes = told_changes([Change(**change) for change in told["changes"]])
        fills = {field_id(path): text for path, text in _texts(preset).items()}
        found.append({**told, "changes": changes, "fills": fills})
    return found


def _texts(preset: Preset) -> dict[str, str]:
    changes = preset.changes(container().store.current().config)
    found = {path: get_path(changes, path) for path in all_settings()}
    return {path: text_of(all_settings()[path], value) for path, value in found.items() if value is not None}


@lru_cache(maxsize=1)
def _zones() -> tuple[str, ...]:
    return tuple(sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")))
