"""Assets: lists by status and name, one asset's whole story, retry."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app import jobs
from app.overview.files import asset_story, asset_summary, list_files
from app.web.answers import done
from app.web.context import services
from app.web.models import AssetPath, AssetQuery, responses

api = APIBlueprint(
    "assets", __name__, url_prefix="/api/assets", abp_tags=[Tag(name="assets", description="Every file ever seen")]
)


@api.get("", responses=responses(), summary="List assets")
def index(query: AssetQuery) -> Response:
    """By status, batch and beginning of the path; pages by `after_id`."""
    with services().db.reading() as conn:
        return jsonify(list_files(conn, query.status, query.prefix, query.batch_id, query.after_id, query.limit))


@api.get("/<int:asset_id>", responses=responses(404), summary="One asset's whole story")
def show(path: AssetPath) -> Response:
    """An asset with its original, its moves, its proven deliveries and its events."""
    with services().db.reading() as conn:
        return jsonify(asset_story(conn, path.asset_id))


@api.post("/<int:asset_id>/retry", responses=responses(404, 409), summary="Retry a file")
def retry(path: AssetPath) -> Response:
    """Lets the next run take up again a file that failed, or one that was set aside in an ingest folder."""
    asset = jobs.retry_asset(services(), path.asset_id)
    return done(asset_summary(asset), f"File {asset.id} will be taken up again by the next run.")


@api.post("/retry-failed", responses=responses(), summary="Retry every failed file")
def retry_failed() -> Response:
    """Lets the next run take up again every failed file that it can take up."""
    count = jobs.retry_failed_assets(services())
    files = "1 file" if count == 1 else f"{count:,} files"
    return done({"count": count}, f"{files} will be taken up again by the next run.")
