"""The pages of files: all of them with filters, one with its whole story, duplicates beside their originals, and those
that wait for a person."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request

from app import jobs
from app.db.connection import Connection
from app.errors import BadRequest
from app.model import AssetStatus
from app.model.counting import counted
from app.overview.duplicate_pages import duplicate_page
from app.overview.file_lists import count_of_batch, count_of_statuses, list_cameras, list_files
from app.overview.file_page import file_page
from app.overview.runs import find_current, is_in_flight
from app.overview.troubled_pages import left_page, troubled_page
from app.web.answers import done
from app.web.context import services
from app.web.date_forms import read_ids
from app.web.file_filters import ORDERS, VIEWS, FileFilter, read_filter
from app.web.live import answer_live, live
from app.web.models import MAX_ID

blueprint = Blueprint("file_pages", __name__)

#: Seconds for which a filter that finds little is followed; then the page offers to look further.
LOOKED_SECONDS = 0.08
SETS, TROUBLED, LEFT = 20, 50, 100
LONGEST = 1_000
#: What its address may say.
ASKED = ("show", "reason", "after_id", "before_id")
#: What the page of failed files shows.
KINDS = {"failed": AssetStatus.FAILED, "set_aside": AssetStatus.SET_ASIDE, "left": None}


# --- all files


@blueprint.get("/files")
def files() -> str:
    """Search and filter all files; as a list or as pictures."""
    chosen = read_filter(request.args)
    content = _found(chosen)
    with services().db.reading() as conn:
        cameras = list_cameras(conn)
    context = live(content, content.pop("busy"))
    return render_template("files.html", **context, cameras=cameras, statuses=AssetStatus, orders=ORDERS, views=VIEWS)


@blueprint.get("/partials/files")
def live_files() -> Response:
    """The list anew."""
    content = _found(read_filter(request.args))
    return answer_live("partials/files.html", content, content.pop("busy"))


def _found(chosen: FileFilter) -> dict[str, Any]:
    """A page of the list. What a filter finds may be far apart: it is followed for a while."""
    cursor = request.args.get("cursor", "")[:LONGEST] or None
    began = time.monotonic()
    with services().db.reading() as conn:
        try:
            found = list_files(conn, chosen.search, cursor)
            while not found["files"] and found["next_cursor"] and time.monotonic() < began + LOOKED_SECONDS:
                found = list_files(conn, chosen.search, found["next_cursor"])
        except BadRequest as error:
            found = {"files": [], "next_cursor": None, "fault": str(error)}
        return {
            **found,
            "chosen": chosen,
            "order": ORDERS[chosen.order][0],
            "cursor": cursor or "",
            "counts": _counts(conn, chosen),
            # What has to be looked for far and wide is not looked for again every few seconds.
            "renews": found["next_cursor"] is None or len(found["files"]) == chosen.search.limit,
            "pictures": services().config.system.thumbnail_cache_mb > 0,
            "ingest": services().config.paths.source_dir,
            "busy": is_in_flight(find_current(conn)),
        }


def _counts(conn: Connection, chosen: FileFilter) -> dict[str, Any]:
    """How many files there are, where that is known without counting; `of` is the batch."""
    if chosen.only <= {"status"}:
        return {"files": count_of_statuses(conn, chosen.status), "of": ""}
    if chosen.only == {"batch"} and chosen.batch is not None:
        batch = count_of_batch(conn, chosen.batch)
        return {"files": batch[1] if batch else None, "of": batch[0] if batch else ""}
    return {"files": None, "of": ""}


# --- one file


@blueprint.get("/files/<int:asset_id>")
def file(asset_id: int) -> str:
    """The whole story of one file, from ingest to archive. Raises NotFound."""
    content = _story(asset_id)
    return render_template("file.html", **live(content, content.pop("busy")))


@blueprint.get("/partials/files/<int:asset_id>")
def live_file(asset_id: int) -> Response:
    """The story anew. Raises NotFound."""
    content = _story(asset_id)
    return answer_live("partials/file.html", content, content.pop("busy"))


def _story(asset_id: int) -> dict[str, Any]:
    found = services()
    with found.db.reading() as conn:
        return {
            **file_page(conn, found.config, min(asset_id, MAX_ID)),
            "pictures": found.config.system.thumbnail_cache_mb > 0,
            "busy": is_in_flight(find_current(conn)),
        }


# --- duplicates


@blueprint.get("/duplicates")
def duplicates() -> str:
    """Each original with its duplicates side by side."""
    content = _duplicates()
    return render_template("duplicates.html", **live(content, content.pop("busy")))


@blueprint.get("/partials/duplicates")
def live_duplicates() -> Response:
    """The sets anew."""
    content = _duplicates()
    return answer_live("partials/duplicates.html", content, content.pop("busy"))


def _duplicates() -> dict[str, Any]:
    found = services()
    with found.db.reading() as conn:
        return {
            **duplicate_page(conn, _number("after_id") or 0, SETS),
            "after_id": _number("after_id") or 0,
            "policy": found.config.dedup.duplicate_policy,
            "duplicates_dir": found.config.paths.duplicates_dir,
            "pictures": found.config.system.thumbnail_cache_mb > 0,
            "busy": is_in_flight(find_current(conn)),
        }


# --- failed and set aside


@blueprint.get("/failed")
def failed() -> str:
    """Files that failed, were set aside or left in place: why, and what to do."""
    content = _troubled()
    return render_template("failed.html", **live(content, content.pop("busy")))


@blueprint.get("/partials/failed")
def live_failed() -> Response:
    """The list anew."""
    content = _troubled()
    return answer_live("partials/failed.html", content, content.pop("busy"))


@blueprint.post("/failed/retry")
def retry() -> Response:
    """Let the next run take up again the files that were ticked. Raises BadRequest when none was."""
    ids = read_ids(request.form)
    if not ids:
        raise BadRequest("No file is ticked. Tick some, or retry all of them.")
    retried = jobs.retry_assets(services(), ids)
    words = f"{counted(retried.count, 'file', 'files')} will be taken up again by the next run."
    left = sum(retried.left.values())
    if left:
        words += f" {counted(left, 'file stays', 'files stay')} as it is: no run can take it up from where it is."
    return done(retried.as_json(), words)


def _troubled() -> dict[str, Any]:
    show = request.args.get("show", "")
    show = show if show in KINDS else "failed"
    reason = request.args.get("reason", "").replace("\0", "").encode("utf-8", "replace").decode()[:LONGEST]
    status, found = KINDS[show], services()
    with found.db.reading() as conn:
        if status is None:
            page = left_page(conn, reason, _number("after_id") or 0, LEFT)
        else:
            page = troubled_page(conn, status, reason, _number("before_id"), TROUBLED)
        return {
            **page,
            "show": show,
            "reason": reason,
            "query": urlencode([(name, request.args[name]) for name in ASKED if request.args.get(name)]),
            "counts": {name: count_of_statuses(conn, [one]) for name, one in KINDS.items() if one is not None},
            "archives_sidecars": found.config.scan.lone_sidecars == "archive",
            "pictures": found.config.system.thumbnail_cache_mb > 0,
            "busy": is_in_flight(find_current(conn)),
        }


def _number(name: str) -> int | None:
    given = request.args.get(name, "")
    return min(int(given), MAX_ID) if given.isascii() and given.isdecimal() and len(given) < 20 else None


