"""Batches: list, one with its manifest and its files, retry."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app import jobs
from app.db import batches, lists
from app.model import BatchStatus
from app.overview.batch_story import batch_story
from app.overview.batches import batch_summary
from app.overview.files import AssetSearch, find_assets
from app.overview.manifests import manifest_text, sums_text
from app.web.answers import answer_start
from app.web.context import services, trigger
from app.web.entry import check_key
from app.web.models import BatchPath, Started, responses
from app.web.queries import BatchAssetsQuery, BatchQuery, ManifestQuery

api = APIBlueprint(
    "batches", __name__, url_prefix="/api/batches", abp_tags=[Tag(name="batches", description="Batches")]
)


def list_batches(query: BatchQuery) -> dict[str, Any]:
    """A page of batches, newest first, and the `before_id` of the next page (None at the end)."""
    with services().db.reading() as conn:
        found, next_id = lists.page_of_batches(conn, query.status, query.name, query.before_id, query.limit)
    return {"batches": [batch_summary(batch) for batch in found], "next_before_id": next_id}


@api.get("", responses=responses(), summary="List batches, newest first")
def index(query: BatchQuery) -> Response:
    """By status and beginning of the name. Ask again with `next_before_id` until it is null."""
    return jsonify(list_batches(query))


@api.get("/<int:batch_id>", responses=responses(404), summary="One batch")
def show(path: BatchPath) -> Response:
    """A batch with how far its delivery and archiving are, what was proven where, and its latest events."""
    with services().db.reading() as conn:
        return jsonify(batch_story(conn, path.batch_id))


@api.post("/<int:batch_id>/retry", responses=responses(404, 409, ok=Started, ok_status=202), summary="Retry a batch")
def retry(path: BatchPath) -> Response:
    """Brings a batch out of ERROR, back to the status that it had, and starts the run that carries it on.

    One that was being taken back is taken back further, which needs the scope admin.
    """
    with services().db.reading() as conn:
        needs_admin = batches.get(conn, path.batch_id).error_from == BatchStatus.UNDOING
    refusal = check_key("admin") if needs_admin else None
    return refusal or answer_start(
        lambda: jobs.retry_batch(services(), path.batch_id, trigger()),
        f"Batch {path.batch_id} is tried again",
        batch_id=path.batch_id,
    )


@api.get("/<int:batch_id>/assets", responses=responses(400, 404), summary="The files of a batch")
def show_assets(path: BatchPath, query: BatchAssetsQuery) -> Response:
    """In id order; go on with `cursor` or `after_id`. GET /api/assets searches among them with more filters."""
    with services().db.reading() as conn:
        batches.get(conn, path.batch_id)
        after = (query.after_id,) if query.after_id else None
        wanted = AssetSearch(batch_id=path.batch_id, status=query.status, limit=query.limit, after=after)
        return jsonify(find_assets(conn, wanted, query.cursor))


@api.get("/<int:batch_id>/manifest", responses=responses(404, 503), summary="The manifest of a batch")
def show_manifest(path: BatchPath, query: ManifestQuery) -> Response:
    """The manifest as it was written, from the archive's copy; or lines for `sha256sum -c` in the batch folder."""
    found = services()
    with found.db.reading() as conn:
        batch = batches.get(conn, path.batch_id)
    if query.format == "sha256sums":
        return Response(sums_text(found, batch), mimetype="text/plain")
    return Response(manifest_text(found, batch), mimetype="application/json")
