"""Thumbnails for the pages: from the shelf, or a placeholder while the worker draws one.

An address that names the content may be kept by a browser for good. A placeholder says by its size what it is, so that
a page knows whether to ask again: WAITING pixels while one is being drawn, NONE where there is none.
"""

from __future__ import annotations

from flask import Blueprint, Response, make_response, request

from app.db import assets
from app.errors import NotFound
from app.files.thumbnails.shelf import Shelf, is_drawable, is_film, key_of
from app.jobs.thumbnails import ask_for_thumbnail
from app.model import Asset, AssetStatus
from app.overview.file_lists import version_of
from app.web.context import services

blueprint = Blueprint("thumbnails", __name__)

WAITING, NONE = 16, 24
YEAR_SECONDS, HOUR_SECONDS = 365 * 24 * 3600, 3600
#: Grey on light and dark; no style, which the content security policy forbids.
FRAME = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}" viewBox="0 0 24 24" fill="none" '
    'stroke="#808894" stroke-width="1.2" stroke-linecap="round" stroke-linejoin="round">{shape}</svg>'
)
SHAPES = {
    "waiting": '<circle cx="8" cy="12" r=".6"/><circle cx="12" cy="12" r=".6"/><circle cx="16" cy="12" r=".6"/>',
    "photo": '<rect x="4" y="6" width="16" height="12" rx="1.5"/><circle cx="9" cy="10.5" r="1.3"/>'
    '<path d="m6 17 4.5-4 3 2.5 2.5-2 3 3.5"/>',
    "film": '<rect x="4" y="6" width="16" height="12" rx="1.5"/><path d="m10.5 9.5 4 2.5-4 2.5z"/>',
    "text": '<path d="M7 4h7l3 3v13H7zM14 4v3h3M9.5 11h5M9.5 14h5M9.5 17h3"/>',
}


@blueprint.get("/files/<int:asset_id>/thumbnail")
def thumbnail(asset_id: int) -> Response:
    """A small picture of a file. Raises NotFound for a file that is not known."""
    found = services()
    with found.db.reading() as conn:
        asset = assets.find(conn, asset_id)
    if asset is None:
        raise NotFound("asset", asset_id)
    if not found.config.system.thumbnail_cache_mb or not is_drawable(asset.path) or asset.status is AssetStatus.GONE:
        return _none(asset)
    shelf, key = Shelf(found.state_dir), key_of(asset)
    content = shelf.read(key)
    if content is not None:
        return _picture(content, version_of(asset))
    if shelf.why_none(key) is not None:
        return _none(asset)
    ask_for_thumbnail(found, asset_id)
    answer = _drawing("waiting", WAITING)
    answer.status_code = 202
    answer.cache_control.no_store = True
    return answer


def _picture(content: bytes, version: str) -> Response:
    answer = make_response(content)
    answer.mimetype = "image/webp"
    answer.set_etag(version)
    answer.cache_control.private = True
    if request.args.get("v") == version:
        answer.cache_control.max_age = YEAR_SECONDS
        answer.cache_control.immutable = True
    else:
        answer.cache_control.no_cache = True
    answer.make_conditional(request)
    return answer


def _none(asset: Asset) -> Response:
    shape = "film" if is_film(asset.path) else "photo" if is_drawable(asset.path) else "text"
    answer = _drawing(shape, NONE)
    answer.cache_control.private = True
    answer.cache_control.max_age = HOUR_SECONDS if asset.status is not AssetStatus.GONE else 0
    return answer


def _drawing(shape: str, side: int) -> Response:
    answer = make_response(FRAME.format(side=side, shape=SHAPES[shape]))
    answer.mimetype = "image/svg+xml"
    return answer
