"""The pages of batches: all of them, one with its files, and what taking one back would do."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request

from app import jobs
from app.db import runs
from app.model import OPEN_BATCH, BatchStatus
from app.overview.batch_page import batch_page, list_batches
from app.overview.undo import undo_summary
from app.web.context import htmx, services
from app.web.live import answer_live, live
from app.web.run_pages import read_id

blueprint = Blueprint("batch_pages", __name__)

LISTED = 30
LONGEST_NAME, LONGEST_CURSOR = 200, 1_000


@blueprint.get("/batches")
def index() -> str:
    """Every batch, newest first, narrowed by status and name."""
    content, busy = _list()
    return render_template("batches.html", **live(content, busy))


@blueprint.get("/partials/batches")
def live_index() -> Response:
    """The list of batches; 204 when nothing has changed since the mark that the page holds."""
    content, busy = _list()
    return answer_live("partials/batches.html", content, busy)


@blueprint.get("/batches/<int:batch_id>")
def show(batch_id: int) -> str:
    """One batch."""
    content, busy = _one(batch_id)
    return render_template("batch.html", **live(content, busy))


@blueprint.get("/partials/batches/<int:batch_id>")
def live_one(batch_id: int) -> Response:
    """One batch; 204 when nothing has changed since the mark that the page holds."""
    content, busy = _one(batch_id)
    return answer_live("partials/batch.html", content, busy)


@blueprint.get("/batches/<int:batch_id>/undo")
def undo(batch_id: int) -> str:
    """What taking a batch back would do: nothing is changed; the button below it does it."""
    found, without_lost = services(), "without_lost" in request.args
    look = jobs.look_at_undo(found, batch_id, without_lost=without_lost)
    with found.db.reading() as conn:
        told = undo_summary(conn, look)
    template = "partials/batch_undo.html" if htmx else "batch_undo.html"
    return render_template(template, told=told, without_lost=without_lost)


def _list() -> tuple[dict[str, Any], bool]:
    given, name = request.args.get("status", ""), request.args.get("name", "").replace("\0", "")[:LONGEST_NAME]
    status, before_id = next((each for each in BatchStatus if each.value == given), None), read_id("before_id")
    with services().db.reading() as conn:
        found = list_batches(conn, status, name, before_id, LISTED)
        busy = runs.find_in_flight(conn) is not None
    chosen = {"status": status.value if status else "", "name": name}
    query = urlencode({key: value for key, value in chosen.items() if value}, errors="replace")
    content = {
        **found,
        "chosen": chosen,
        "query": query,
        "is_first": before_id is None,
        "open_statuses": [each.value for each in OPEN_BATCH],
    }
    return content, busy


def _one(batch_id: int) -> tuple[dict[str, Any], bool]:
    cursor = request.args.get("cursor", "")[:LONGEST_CURSOR]
    found = services()
    with found.db.reading() as conn:
        batch = batch_page(conn, found.config, batch_id, cursor or None)
        busy = runs.find_in_flight(conn) is not None
    query = urlencode({"cursor": cursor}) if cursor else ""
    content = {"batch": batch, "files": batch.pop("files"), "next_cursor": batch.pop("next_cursor"), "query": query}
    return content, busy or batch["status"] in ("SYNCING", "SORTING", "UNDOING")
