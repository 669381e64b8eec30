"""Delivery of a batch: start, status, and what stands in the way."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app.db import batches
from app.overview.delivery import delivery_status
from app.overview.delivery_devices import missing_at
from app.overview.peer_policy import policy_now
from app.overview.sync_history import sync_history
from app.overview.transfer import live_progress
from app.web.answers import refresh_sync, start_sync
from app.web.context import container, services
from app.web.models import BatchPath, Started, responses
from app.web.queries import MissingQuery, SyncHistoryQuery

api = APIBlueprint(
    "sync", __name__, url_prefix="/api/sync", abp_tags=[Tag(name="sync", description="Delivery to the peer")]
)


@api.post("/start/<int:batch_id>", responses=responses(404, 409, ok=Started, ok_status=202), summary="Deliver a batch")
def start(path: BatchPath) -> Response:
    """The same as POST /api/workflow/sync/{batch_id}."""
    return start_sync(path.batch_id)


@api.get("/status/<int:batch_id>", responses=responses(404), summary="How far a delivery is")
def status(path: BatchPath) -> Response:
    """What the last look at the peer found. Asking this looks at nothing and changes nothing."""
    with services().db.reading() as conn:
        progress = live_progress(conn, batches.get(conn, path.batch_id))
    return jsonify({**delivery_status(services(), path.batch_id), **progress})


@api.get("/policy", responses=responses(), summary="What will happen to the peer's files")
def policy() -> Response:
    """The policy in force in words, what each policy would mean, the room at the peer, and every batch under way."""
    return jsonify(policy_now(services()))


@api.get("/status/<int:batch_id>/missing", responses=responses(400, 404), summary="Which files a peer lacks, and why")
def missing(path: BatchPath, query: MissingQuery) -> Response:
    """Every file of the batch that is not proven at a device, each with a code and a reason; on with
    `next_after_id`."""
    with services().db.reading() as conn:
        batch = batches.get(conn, path.batch_id)
        return jsonify(missing_at(conn, batch, query.device_id, query.after_id, query.limit))


@api.post("/refresh", responses=responses(ok_status=202), summary="Look at every delivery now")
def refresh() -> Response:
    """Asks the worker to look at every delivery that was begun now instead of at its next turn; answers which, with
    how far each is known to be."""
    return refresh_sync()


@api.get("/history", responses=responses(400), summary="How deliveries went, moment by moment and day by day")
def history(query: SyncHistoryQuery) -> Response:
    """Samples newest first, on with `next_before_id`; in `daily`, what each peer was seen to receive per day (UTC)."""
    with services().db.reading() as conn:
        return jsonify(
            sync_history(
                conn,
                batch_id=query.batch_id,
                device_id=query.device_id,
                since=query.since,
                before_id=query.before_id,
                limit=query.limit,
                days=query.days,
            )
        )


@api.get("/diagnostics", responses=responses(), summary="Why a delivery may not work")
def diagnostics() -> Response:
    """Every check of Syncthing's address, key, folder and peer, each with what to do about it."""
    from app.diagnostics import diagnose

    return jsonify(diagnose(services(), container().store.path))
