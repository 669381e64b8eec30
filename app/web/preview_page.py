"""The page Preview: what a run would do with each file, before it does it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request

from app.db import runs
from app.errors import NotFound
from app.model import AssetStatus, RunKind, RunStatus
from app.overview.capture import SOURCE_NAMES
from app.overview.preview import list_batches, list_by_folder, list_duplicates, list_files, preview_summary
from app.overview.runs import find_current, is_in_flight, run_with_steps
from app.services import Services
from app.web.context import services
from app.web.live import answer_live, live
from app.web.run_pages import read_id

blueprint = Blueprint("preview_page", __name__)

LISTED, BATCHES = 60, 50
#: What can be looked at of a preview, and the status that its files would have.
VIEWS = {
    "folders": ("By folder", None),
    "duplicates": ("Duplicates", None),
    "weak": ("Doubtful dates", None),
    "set_aside": ("Set aside", AssetStatus.SET_ASIDE),
    "failed": ("Failed", AssetStatus.FAILED),
    "waiting": ("Waiting", AssetStatus.UNIQUE),
}
LONGEST = 4_096


@blueprint.get("/preview")
def preview() -> str:
    """A preview: the newest, or the one in the address; with its files page by page."""
    content, busy = _content()
    return render_template("preview.html", **live(content, busy))


@blueprint.get("/partials/preview")
def live_preview() -> Response:
    """The same part of the page; 204 when nothing has changed since the mark that the page holds."""
    content, busy = _content()
    return answer_live("partials/preview.html", content, busy)


def _content() -> tuple[dict[str, Any], bool]:
    found, wanted = services(), read_id("run")
    with found.db.reading() as conn:
        current = find_current(conn)
        in_flight = current if is_in_flight(current) else None
        running = run_with_steps(conn, in_flight, 1) if in_flight else None
        failed = runs.find_last(conn, RunKind.PREVIEW)
        is_first = runs.find_last(conn, RunKind.WORKFLOW) is None
    told = _told(found, wanted)
    fault = failed.error if failed is not None and failed.status is RunStatus.FAILED else None
    view = request.args.get("show", "")
    content = {
        "running": running,
        "told": told,
        "fault": fault if wanted is None else None,
        "is_first": is_first,
        "wanted": wanted,
        "ingest": found.config.paths.source_dir,
        "names": SOURCE_NAMES,
        **_listed(found, told, view if view in VIEWS else "folders"),
    }
    return content, running is not None


def _told(found: Services, wanted: int | None) -> dict[str, Any] | None:
    """The preview that the address names, else the newest that has ended well; None before there is one."""
    try:
        return preview_summary(found, wanted)
    except NotFound:
        if wanted is not None:
            raise
        return None


def _listed(found: Services, told: dict[str, Any] | None, view: str) -> dict[str, Any]:
    """A page of the files of one view, and what leads to the next."""
    after_id = read_id("after_id") or 0
    folder = request.args.get("folder", "").replace("\0", "")[:LONGEST]
    here = {"run": read_id("run"), "show": view if view != "folders" else "", "folder": folder, "after_id": after_id}
    shown: dict[str, Any] = {
        "view": view,
        "views": {name: label for name, (label, _) in VIEWS.items()},
        "query": _query(here),
        "batches": [],
        "files": [],
        "first": None,
        "following": None,
    }
    if told is None or not told["has_lists"]:
        return shown
    run_id = told["run"]["id"]
    page = _page(found, run_id, view, after_id, folder)
    following = page["next_after_id"]
    shown["files"] = page.get("files") or page.get("duplicates") or []
    shown["first"] = _query({**here, "after_id": 0, "folder": ""}) if after_id or folder else None
    shown["following"] = _query({**here, "folder": "", "after_id": following}) if following else None
    if view == "folders":
        shown["batches"] = list_batches(found, run_id, limit=BATCHES)["batches"]
    return shown


def _page(found: Services, run_id: int, view: str, after_id: int, folder: str) -> dict[str, Any]:
    if view == "folders":
        return list_by_folder(found, run_id, after_id=after_id, folder=folder, limit=LISTED)
    if view == "duplicates":
        return list_duplicates(found, run_id, after_id=after_id, limit=LISTED)
    status = VIEWS[view][1]
    return list_files(
        found,
        run_id,
        status=status.value if status is not None else None,
        only_weak=view == "weak",
        after_id=after_id,
        limit=LISTED,
    )


def _query(values: dict[str, Any]) -> str:
    return urlencode({name: value for name, value in values.items() if value}, errors="replace")
