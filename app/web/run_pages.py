"""The pages of runs: all of them, and one with its steps, its journal and what it left."""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request

from app.db import runs
from app.model import IN_FLIGHT, RunKind, RunStatus
from app.overview.run_story import list_runs, run_story
from app.web.context import services
from app.web.live import answer_live, live
from app.web.models import MAX_ID

blueprint = Blueprint("run_pages", __name__)

Named = TypeVar("Named", RunKind, RunStatus)

LISTED = 30
LOG_LINES = 50


@blueprint.get("/runs")
def index() -> str:
    """Every run, newest first, narrowed by kind and status."""
    content, busy = _list()
    return render_template("runs.html", **live(content, busy))


@blueprint.get("/partials/runs")
def live_index() -> Response:
    """The list of runs; 204 when nothing has changed since the mark that the page holds."""
    content, busy = _list()
    return answer_live("partials/runs.html", content, busy)


@blueprint.get("/runs/<int:run_id>")
def show(run_id: int) -> str:
    """One run."""
    content, busy = _one(run_id)
    return render_template("run.html", **live(content, busy))


@blueprint.get("/partials/runs/<int:run_id>")
def live_one(run_id: int) -> Response:
    """One run; 204 when nothing has changed since the mark that the page holds."""
    content, busy = _one(run_id)
    return answer_live("partials/run.html", content, busy)


@blueprint.get("/partials/runs/<int:run_id>/log")
def log_lines(run_id: int) -> str:
    """The last lines that were logged for a run: read when somebody opens them."""
    from app.diagnostics.logs import Wanted, read_last

    records, _ = read_last(services().config.system.log_dir, Wanted(run_id=run_id), LOG_LINES)
    return render_template("partials/run_log.html", records=records)


def read_id(name: str) -> int | None:
    """An id in the address; None for anything else."""
    given = request.args.get(name, "")
    return int(given) if given.isascii() and given.isdecimal() and 0 < int(given[:20]) <= MAX_ID else None


def _list() -> tuple[dict[str, Any], bool]:
    kind, status = _one_of(RunKind, "kind"), _one_of(RunStatus, "status")
    before_id = read_id("before_id")
    with services().db.reading() as conn:
        found = list_runs(conn, kind, status, before_id, LISTED)
        busy = runs.find_in_flight(conn) is not None
    chosen = {"kind": kind.value if kind else "", "status": status.value if status else ""}
    query = urlencode({name: value for name, value in chosen.items() if value})
    content = {
        **found,
        "chosen": chosen,
        "query": query,
        "is_first": before_id is None,
        "kinds": [each.value for each in RunKind],
        "statuses": [each.value for each in RunStatus],
    }
    return content, busy


def _one_of(values: type[Named], name: str) -> Named | None:
    given = request.args.get(name, "")
    return next((value for value in values if value.value == given), None)


def _one(run_id: int) -> tuple[dict[str, Any], bool]:
    with services().db.reading() as conn:
        run = run_story(conn, run_id)
    return {"run": run}, run["status"] in IN_FLIGHT
