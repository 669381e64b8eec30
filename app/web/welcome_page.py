"""The set-up, step by step: folders, where batches go, the peer, a rehearsal, the first run.

Each step saves settings as every other door does. Nothing is kept of who was at which step: the page is made from what
is there, so a person may leave and come back, also from another device.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request

from app.config.settings import all_settings, get_path, with_path
from app.db import runs
from app.diagnostics.checkup import check_folders
from app.errors import ConfigError, Conflict, MediaPipelineError, NotFound, Problem
from app.files.candidate import folder_fault
from app.files.roots import add_missing_roots
from app.model import RunKind
from app.model.peer_policy import POLICIES
from app.overview.hindrances import what_run_waits_for
from app.overview.peer_policy import configured_words
from app.overview.preview import preview_summary
from app.overview.roots import forget
from app.overview.runs import find_current, is_in_flight, run_with_steps, worker_state
from app.overview.welcome import NAMES, files_known, is_target_chosen, next_step, set_up_steps
from app.web.context import actor, container, services
from app.web.live import answer_live, live
from app.web.partials import peer_context
from app.web.settings_telling import may_change
from app.web.zones import zone_names

blueprint = Blueprint("welcome_page", __name__)

FOLDERS = ("paths.source_dir", "paths.batch_dir", "paths.sorted_dir", "paths.duplicates_dir")
FOLDER_FIELDS = (*FOLDERS, "sorter.timezone")
TARGET_FIELDS = ("sync.target", "sync.folder_dir", "sync.peer_policy")
KEY = "syncthing.api_key"
PEER_FIELDS = ("syncthing.api_url", KEY)
TARGETS = {
    "syncthing": (
        "To another device, through Syncthing",
        "A phone, a laptop, another box: each batch is proven there, file by file, before it is archived.",
    ),
    "folder": (
        "To a folder",
        "A USB disk or another share that is mounted here: each copy is read again and compared.",
    ),
    "none": ("Nowhere", "Files are compared, dated and archived, and nothing is delivered."),
}
POLICY_NAMES = {
    "keep": "It keeps them",
    "mirror": "They go when ours are archived",
    "release": "The peer removes them itself",
}
LONGEST = 4096
#: So many of the last steps of the first run are shown.
STEPS_SHOWN = 8


@blueprint.get("/welcome")
def welcome() -> str:
    """The step at which a person goes on."""
    return _page(next_step(set_up_steps(services())))


@blueprint.get("/welcome/<name>")
def step(name: str) -> str:
    """One step."""
    if name not in NAMES:
        abort(404)
    return _page(name)


@blueprint.post("/welcome/folders")
def save_folders() -> Response:
    """Save the folders and the zone, then make the folders that are missing."""
    given = _given(FOLDER_FIELDS)
    problems = [Problem(path, fault) for path in FOLDERS if (fault := _folder_fault(given, path))]
    return _saved("folders", given, problems)


@blueprint.post("/welcome/target")
def save_target() -> Response:
    """Save where batches go and what happens to the peer's copies."""
    given = _given(TARGET_FIELDS)
    problems = []
    if not given.get("sync.target") and "sync.target" not in container().store.current().environment_keys:
        problems.append(Problem("sync.target", "choose one of the three"))
    if given.get("sync.target") == "folder" and (fault := _folder_fault(given, "sync.folder_dir")):
        problems.append(Problem("sync.folder_dir", fault))
    return _saved("target", given, problems)


@blueprint.post("/welcome/peer")
def save_peer() -> Response:
    """Save how Syncthing is reached; a key that is left empty stays as it is."""
    given = {path: value for path, value in _given(PEER_FIELDS).items() if value or path != KEY}
    return _saved("peer", given, [])


@blueprint.get("/partials/welcome/rehearsal")
def live_rehearsal() -> Response:
    """How the rehearsal is getting on; 204 when nothing has changed since the mark that the page holds."""
    content, busy = _rehearsed()
    return answer_live("partials/welcome_rehearsal.html", content, busy)


@blueprint.get("/partials/welcome/start")
def live_start() -> Response:
    """How the first run is getting on; 204 when nothing has changed since the mark that the page holds."""
    content, busy = _started()
    return answer_live("partials/welcome_start.html", content, busy)


# --- saving


def _given(paths: Sequence[str]) -> dict[str, str]:
    """What the form says of each setting that it may change."""
    variables = container().store.current().environment_keys
    return {
        path: request.form[path].replace("\0", "").strip()[:LONGEST]
        for path in paths
        if path in request.form and path not in variables
    }


def _folder_fault(given: Mapping[str, str], path: str) -> str | None:
    """What stands against a folder that is whole and new; the rest is said when it is saved."""
    value = given.get(path)
    if value is None:
        return None
    if not value and path != "paths.duplicates_dir":
        return "is needed: name a folder by its whole path, beginning with /"
    is_new = value != get_path(_values(), path)
    return folder_fault(value) if is_new and value.startswith("/") and "/.." not in value else None


def _saved(name: str, given: dict[str, str], problems: list[Problem]) -> Response:
    problems = problems or _save(given)
    if problems:
        return make_response(_page(name, given, problems), 422)
    following = "folders" if name == "folders" else "peer"
    return make_response(redirect(f"/welcome/{following}?saved=1", 303))


def _save(given: Mapping[str, str]) -> list[Problem]:
    now, changes = _values(), dict[str, Any]()
    for path, value in given.items():
        if value != get_path(now, path):
            changes = with_path(changes, path, value)
    try:
        if changes:
            container().store.save_partial(changes, actor=actor())
        found = container().services
        add_missing_roots(found.db, found.config)
    except ConfigError as error:
        return error.problems
    except (Conflict, MediaPipelineError) as error:
        return [Problem("", str(error))]
    finally:
        forget()
    return []


def _values() -> dict[str, Any]:
    return services().config.model_dump(mode="json")


# --- showing


def _page(name: str, given: Mapping[str, str] | None = None, problems: Sequence[Problem] = ()) -> str:
    steps = set_up_steps(services())
    at = NAMES.index(name)
    return render_template(
        "welcome.html",
        steps=steps,
        current=steps[at],
        previous=steps[at - 1] if at else None,
        following=steps[at + 1] if at + 1 < len(steps) else None,
        may_change=may_change(),
        is_saved="saved" in request.args and not problems,
        **_fields(given or {}, problems),
        **{"folders": _folders, "target": _target, "peer": _peer, "rehearsal": _rehearsal, "start": _start}[name](),
    )


def _fields(given: Mapping[str, str], problems: Sequence[Problem]) -> dict[str, Any]:
    """The settings of the forms: what they are, what was typed, what is wrong with it, which variable sets them."""
    now, variables, known = _values(), container().store.current().environment_keys, all_settings()
    paths = (*FOLDER_FIELDS, *TARGET_FIELDS, *PEER_FIELDS)
    fields = {
        path: {
            "help": known[path].description,
            "value": "" if path == KEY else given.get(path, get_path(now, path)) or "",
            "variable": variables.get(path),
            "faults": [problem.message for problem in problems if problem.path == path],
        }
        for path in paths
    }
    return {"fields": fields, "other_faults": [p.sentence() for p in problems if p.path not in fields]}


def _folders() -> dict[str, Any]:
    found = services()
    with found.db.reading() as conn:
        known = files_known(conn)
    return {"checks": check_folders(found), "files_known": known, "zones": zone_names(), "zone": found.config.zone.key}


def _target() -> dict[str, Any]:
    config = services().config
    policies = [
        (
            policy,
            POLICY_NAMES[policy],
            configured_words(
                config.model_copy(update={"sync": config.sync.model_copy(update={"target": "syncthing"})}), policy
            ),
        )
        for policy in POLICIES
    ]
    return {"targets": TARGETS, "policies": policies, "is_chosen": is_target_chosen(config)}


def _peer() -> dict[str, Any]:
    config = services().config
    target = config.sync_target if is_target_chosen(config) else ""
    return {"target": target, **(peer_context(in_wizard=True) if target == "syncthing" else {})}


def _rehearsal() -> dict[str, Any]:
    return live(*_rehearsed())


def _start() -> dict[str, Any]:
    return live(*_started())


def _started() -> tuple[dict[str, Any], bool]:
    found = services()
    steps = set_up_steps(found)
    with found.db.reading() as conn:
        run = find_current(conn) or runs.find_last(conn, RunKind.WORKFLOW)
        shown = run_with_steps(conn, run, STEPS_SHOWN) if run else None
        waits_for = what_run_waits_for(conn, run) if run else None
        alive = worker_state(conn)["alive"]
    content = {"run": shown, "waits_for": waits_for, "worker_alive": alive, "progress": steps}
    return content, is_in_flight(run)


def _rehearsed() -> tuple[dict[str, Any], bool]:
    found = services()
    steps = set_up_steps(found)
    with found.db.reading() as conn:
        current = find_current(conn)
        running = run_with_steps(conn, current, 1) if current else None
        in_flight = runs.find_in_flight(conn) is not None
    try:
        told = preview_summary(found)
    except NotFound:
        told = None
    return {"running": running, "told": told, "ingest": found.config.paths.source_dir, "progress": steps}, in_flight
