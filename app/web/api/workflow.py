"""The whole job: start it, watch it, step through it; and the two stages that need a batch, by its id."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app import jobs
from app.errors import Conflict
from app.model import Run, RunStatus
from app.overview import overview
from app.overview.runs import find_current
from app.overview.workflow import debug_block, workflow_status
from app.web.answers import answer_start, done, refresh_sync, start_sort, start_sync
from app.web.context import config_facts, services, trigger
from app.web.models import BatchPath, Started, responses

api = APIBlueprint(
    "workflow", __name__, url_prefix="/api/workflow", abp_tags=[Tag(name="workflow", description="The whole job")]
)


@api.post("/run", responses=responses(ok=Started, ok_status=202), summary="Run everything")
def run() -> Response:
    """Starts a run of all stages in the background; 200 with `started: false` when one is in flight."""
    return answer_start(lambda: jobs.start_workflow(services(), trigger()), "The whole workflow was started")


@api.get("/status", responses=responses(), summary="The present or last run")
def status() -> Response:
    """Whether a run is on, what it did step by step, its errors, and the debug block."""
    with services().db.reading() as conn:
        return jsonify(workflow_status(conn, services().config))


@api.get("/overview", responses=responses(), summary="Everything at a glance")
def show_overview() -> Response:
    """The balance sheet, runs, batches, deliveries, folders, warnings. Reads the database only."""
    return jsonify(overview(services(), config_facts()))


@api.post("/sync/<int:batch_id>", responses=responses(404, 409, ok=Started, ok_status=202), summary="Deliver a batch")
def sync(path: BatchPath) -> Response:
    """Starts the delivery of a batch; follow it at GET /api/sync/status/{batch_id}."""
    return start_sync(path.batch_id)


@api.post("/sort/<int:batch_id>", responses=responses(404, 409, ok=Started, ok_status=202), summary="Archive a batch")
def sort(path: BatchPath) -> Response:
    """Starts filing a delivered batch into the archive; refused with 409 before its delivery is proven."""
    return start_sort(path.batch_id)


@api.post("/sync/refresh", responses=responses(ok_status=202), summary="Look at the deliveries now")
def refresh() -> Response:
    """The same as POST /api/sync/refresh."""
    return refresh_sync()


@api.post("/debug/advance", responses=responses(409), summary="Go on after a debug pause")
def advance() -> Response:
    """Lets a run that was paused after a step (workflow.debug.enabled) go on; answers the debug block."""
    found = _paused_run()
    jobs.resume(services(), found.id)
    with services().db.reading() as conn:
        return done(debug_block(conn, services().config, find_current(conn)), f"Run {found.id} goes on.")


def _paused_run() -> Run:
    with services().db.reading() as conn:
        found = find_current(conn)
    if found is None or found.status is not RunStatus.PAUSED:
        raise Conflict("No run is paused, so there is nothing to advance.")
    return found
