"""Assets: searched and listed, one asset's whole story, what is at a place, retry of one or all."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from app import jobs
from app.db import assets
from app.model import AssetStatus
from app.model.counting import counted
from app.overview.files import AssetSearch, asset_summary, assets_at, find_assets
from app.overview.why import in_short, whole_story
from app.web.answers import done
from app.web.context import services
from app.web.models import AssetPath, responses
from app.web.queries import AssetQuery, AtQuery, RetryQuery

#: So many are looked at in one request; it takes well under a second.
RETRIED_AT_ONCE = 10_000

api = APIBlueprint(
    "assets", __name__, url_prefix="/api/assets", abp_tags=[Tag(name="assets", description="Every file ever seen")]
)


@api.get("", responses=responses(400), summary="Search assets")
def index(query: AssetQuery) -> Response:
    """Any filters together, in any order. Ask again with `cursor` set to `next_cursor` until that is null.

    A page may hold fewer files than `limit`, even none, and yet have a next one: a page ends early when many files
    had to be looked at.
    """
    with services().db.reading() as conn:
        return jsonify(find_assets(conn, wanted_of(query), query.cursor))


def wanted_of(query: AssetQuery) -> AssetSearch:
    """The search that a query asks for."""
    return AssetSearch(
        name=query.name,
        prefix=query.prefix.encode("utf-8", "surrogateescape"),
        origin=query.origin.encode("utf-8", "surrogateescape"),
        digest=query.digest,
        status=query.status,
        batch_id=query.batch_id,
        group_id=query.group_id,
        original_id=query.original_id,
        root=query.root,
        taken_from=query.taken_from,
        taken_since=query.taken_since.replace(" ", "T"),
        taken_until=query.taken_until.replace(" ", "T"),
        sort=query.sort or ("name" if query.name and not query.after_id else "id"),
        descending=query.order == "desc",
        limit=query.limit,
        after=(query.after_id,) if query.after_id else None,
    )


@api.get("/<int:asset_id>", responses=responses(404), summary="One asset's whole story")
def show(path: AssetPath) -> Response:
    """Every place that it has and had, its moves, proofs, checks and events, and all of it in sentences (`told`)."""
    with services().db.reading() as conn:
        return jsonify(whole_story(conn, services().config, assets.get(conn, path.asset_id)))


@api.get("/at", responses=responses(), summary="What is, or was, at a place")
def at(query: AtQuery) -> Response:
    """The files that lie at a path, have a copy there, or once were there: where did this file go, and why?"""
    with services().db.reading() as conn:
        found = assets_at(conn, query.path)
        for one in found["assets"]:
            one.update(in_short(conn, services().config, assets.get(conn, one["id"])))
    return jsonify({"path": query.path, **found})


@api.post("/<int:asset_id>/retry", responses=responses(404, 409), summary="Retry a file")
def retry(path: AssetPath) -> Response:
    """Lets the next run take up again a file that failed, or one that was set aside in an ingest folder."""
    asset = jobs.retry_asset(services(), path.asset_id)
    return done(asset_summary(asset), f"File {asset.id} will be taken up again by the next run.")


@api.post("/retry-failed", responses=responses(), summary="Retry every failed file")
def retry_failed(query: RetryQuery) -> Response:
    """Lets the next run take up again every failed file that it can take up; the others are counted by reason.

    Of very many, one request looks at 10,000: `remaining` says how many come after `next_after_id`.
    """
    return _retry_all(AssetStatus.FAILED, query.after_id)


@api.post("/retry-set-aside", responses=responses(), summary="Retry every file that was set aside")
def retry_set_aside(query: RetryQuery) -> Response:
    """Lets the next run take up again every file set aside that is still in an ingest folder; counts the others.

    Of very many, one request looks at 10,000: `remaining` says how many come after `next_after_id`.
    """
    return _retry_all(AssetStatus.SET_ASIDE, query.after_id)


def _retry_all(status: AssetStatus, after_id: int) -> Response:
    retried = jobs.retry_all_assets(services(), status, after_id, RETRIED_AT_ONCE)
    message = f"{counted(retried.count, 'file', 'files')} will be taken up again by the next run."
    if retried.next_after_id is not None:
        message += f" {counted(retried.remaining, 'file remains', 'files remain')}: ask once more for those."
    return done(retried.as_json(), message)
