"""Runs: list, one with its steps, its events, pause, resume, cancel, retry."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app import jobs
from app.db import lists, runs
from app.model import Run, RunKind
from app.overview.events import EventSearch, find_events
from app.overview.runs import run_summary, run_with_steps
from app.services import Services
from app.web.answers import accepted, answer_start
from app.web.context import services
from app.web.entry import check_key
from app.web.models import RunPath, Started, responses
from app.web.queries import FollowQuery, RunQuery

#: What only a key with the scope admin starts, it alone starts again.
ADMIN_KINDS = (RunKind.UNDO, RunKind.REBUILD)

api = APIBlueprint(
    "runs", __name__, url_prefix="/api/runs", abp_tags=[Tag(name="runs", description="Runs and their steps")]
)


@api.get("", responses=responses(), summary="List runs, newest first")
def index(query: RunQuery) -> Response:
    """By kind, status and batch. Ask again with `next_before_id` until it is null."""
    with services().db.reading() as conn:
        found, next_id = lists.page_of_runs(
            conn, query.kind, query.status, query.batch_id, query.before_id, query.limit
        )
    return jsonify({"runs": [run_summary(run) for run in found], "next_before_id": next_id})


@api.get("/<int:run_id>", responses=responses(404), summary="One run with its steps")
def show(path: RunPath) -> Response:
    """A run with the report of each of its steps."""
    with services().db.reading() as conn:
        return jsonify(run_with_steps(conn, runs.get(conn, path.run_id)))


@api.get("/<int:run_id>/events", responses=responses(404), summary="What happened in a run")
def show_events(path: RunPath, query: FollowQuery) -> Response:
    """The run's part of the journal, in the same shape as GET /api/journal."""
    wanted = EventSearch(run_id=path.run_id, before_id=query.before_id, after_id=query.after_id, limit=query.limit)
    with services().db.reading() as conn:
        runs.get(conn, path.run_id)
        return jsonify(find_events(conn, wanted))


@api.post("/<int:run_id>/pause", responses=responses(404, 409, ok_status=202), summary="Pause a run")
def pause(path: RunPath) -> Response:
    """Holds the run at its next safe point, between two files."""
    return _steer(jobs.pause, path.run_id, "pauses at its next safe point")


@api.post("/<int:run_id>/resume", responses=responses(404, 409, ok_status=202), summary="Resume a run")
def resume(path: RunPath) -> Response:
    """Lets a paused run go on, or a waiting one look again now."""
    return _steer(jobs.resume, path.run_id, "goes on")


@api.post("/<int:run_id>/cancel", responses=responses(404, 409, ok_status=202), summary="Cancel a run")
def cancel(path: RunPath) -> Response:
    """Ends the run at its next safe point. What it has done stays done; a later run carries on."""
    return _steer(jobs.cancel, path.run_id, "is being cancelled")


@api.post("/<int:run_id>/retry", responses=responses(404, 409, ok=Started, ok_status=202), summary="Retry a failed run")
def retry(path: RunPath) -> Response:
    """Queues a failed run again; it goes on where it stopped. That of an undo or a rebuild needs the scope admin."""
    with services().db.reading() as conn:
        needs_admin = runs.get(conn, path.run_id).kind in ADMIN_KINDS
    refusal = check_key("admin") if needs_admin else None
    return refusal or answer_start(lambda: jobs.retry_run(services(), path.run_id), f"Run {path.run_id} is tried again")


def _steer(ask: Callable[[Services, int], Run], run_id: int, said: str) -> Response:
    run = ask(services(), run_id)
    return accepted(run_summary(run), f"Run {run.id} {said}.")
