"""Files as pages list them: each with its name, its place, its picture, and what is known of how many there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from app.db import batches, cameras, capture_records, roots, totals
from app.db.search import AssetSearch
from app.db.search import search as search_assets
from app.db.search_readings import as_meant
from app.errors import printable
from app.files.thumbnails.shelf import is_drawable, is_film, key_of
from app.model import Asset, AssetStatus, Root
from app.overview import cursors
from app.overview.summaries import absolute

#: So many cameras are offered to choose from.
CAMERAS = 200
#: The beginning of a thumbnail's key that stands in its address.
VERSION_LETTERS = 16


def list_files(conn: Connection, wanted: AssetSearch, cursor: str | None) -> dict[str, Any]:
    """A page of files; `next_cursor` is None at the end only, whatever the length of the page.

    Raises BadRequest for a cursor of another search, or filters that contradict each other.
    """
    wanted = as_meant(conn, wanted)
    if cursor:
        wanted = _after(wanted, cursor)
    found, next_key = search_assets(conn, wanted)
    return {"files": describe(conn, found), "next_cursor": cursors.encode(wanted, next_key)}


def _after(wanted: AssetSearch, cursor: str) -> AssetSearch:
    return replace(wanted, after=cursors.decode(wanted, cursor))


def describe(conn: Connection, found: Sequence[Asset]) -> list[dict[str, Any]]:
    """What a list shows of these files, in their order."""
    known = {root.id: root for root in roots.list_all(conn)}
    taken_with = capture_records.list_cameras(conn, [asset.id for asset in found])
    return [file_line(known, asset, taken_with.get(asset.id)) for asset in found]


def file_line(
    known: Mapping[int, Root], asset: Asset, camera: tuple[str | None, str | None] | None = None
) -> dict[str, Any]:
    """What a list shows of a file."""
    folder, _, name = asset.path.rpartition(b"/")
    root = known.get(asset.root_id)
    return {
        "id": asset.id,
        "name": printable(name),
        "folder": printable(folder),
        "root_kind": root.kind.value if root else "",
        "place": absolute(known, asset.root_id, asset.path),
        "status": asset.status.value,
        "size_bytes": asset.size_bytes,
        "taken_local": asset.taken_local,
        "camera": (camera[1] or camera[0] or "") if camera else "",
        "reason": asset.reason,
        "batch_id": asset.batch_id,
        "original_id": asset.original_id,
        "first_seen_at": asset.first_seen_at,
        "updated_at": asset.updated_at,
        "picture": picture_of(asset),
    }


def picture_of(asset: Asset) -> dict[str, Any]:
    """The address of a file's thumbnail, which is another one for another content; None where there can be none."""
    has_one = asset.status is not AssetStatus.GONE and is_drawable(asset.path)
    return {
        "url": f"/files/{asset.id}/thumbnail?v={version_of(asset)}" if has_one else None,
        "is_film": is_film(asset.path),
    }


def version_of(asset: Asset) -> str:
    """What stands for the content in the address of its thumbnail."""
    return key_of(asset)[:VERSION_LETTERS]


def list_cameras(conn: Connection) -> list[str]:
    """The cameras that took files, to choose from."""
    return cameras.list_names(conn, CAMERAS)


def count_of_statuses(conn: Connection, statuses: Iterable[AssetStatus]) -> int:
    """How many files have one of these statuses, or any if none is named."""
    kept, wanted = totals.read(conn), set(statuses)
    return sum(files for status, (files, _) in kept.items() if not wanted or status in wanted)


def count_of_batch(conn: Connection, batch_id: int) -> tuple[str, int] | None:
    """Name and number of files of a batch, or None."""
    batch = batches.find(conn, batch_id)
    return (batch.name, batch.file_count) if batch is not None else None
