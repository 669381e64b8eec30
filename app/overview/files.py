"""Assets as people ask for them: searched, listed, one asset's whole story, what lies at a place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from app.db import assets as asset_rows
from app.db import kept_copies, past_places, roots, search
from app.db.names import name_key
from app.db.search import AssetSearch
from app.db.search_readings import as_meant
from app.errors import readings
from app.model import Asset, Root
from app.overview import cursors
from app.overview.story import asset_story
from app.overview.summaries import absolute, asset_summary, event_summary

__all__ = ["AssetSearch", "asset_story", "asset_summary", "assets_at", "event_summary", "find_assets"]


def find_assets(conn: Connection, wanted: AssetSearch, cursor: str | None = None) -> dict[str, Any]:
    """A page of assets; `next_cursor` is None at the end only, whatever the length of the page. Names and paths may be
    given as they are shown. When a name is searched, `matches` says of each file which of its names begins so.

    In id order the page can be followed by `next_after_id` as well. Raises BadRequest for a cursor of another search.
    """
    search.refuse_contradictions(wanted)
    wanted = as_meant(conn, wanted)
    if cursor:
        wanted = replace(wanted, after=cursors.decode(wanted, cursor))
    found, next_key = search.search(conn, wanted)
    by_id = next_key is not None and wanted.sort == "id" and not wanted.descending
    return {
        "assets": [{**asset_summary(asset), **_matching(asset, wanted.name)} for asset in found],
        "next_cursor": cursors.encode(wanted, next_key),
        "next_after_id": next_key[0] if by_id and next_key is not None else None,
    }


def _matching(asset: Asset, prefix: str) -> dict[str, str]:
    """Which of its names begins so: the `present` one, the `former` one with which it came, or `both`."""
    if not prefix:
        return {}
    wanted = name_key(prefix.encode("utf-8", "surrogateescape"))
    now = name_key(asset.path).startswith(wanted)
    first = name_key(asset.origin_path or asset.path).startswith(wanted)
    return {"matches": "both" if now and first else "present" if now else "former"}


def assets_at(conn: Connection, given: str) -> dict[str, Any]:
    """The assets that are at a place, have a copy there, or once were there; `relation` says which.

    The path is absolute, or relative to any root; as it is shown, or as it is spelled.
    """
    known = {root.id: root for root in roots.list_all(conn)}
    found: dict[int, str] = {}
    for root_id, relative in [place for path in readings(given) for place in _places(known, path)]:
        here = asset_rows.find_at(conn, root_id, relative)
        if here is not None:
            found.setdefault(here.id, "here")
        for _, asset_id, _ in kept_copies.list_at(conn, root_id, [relative]).values():
            found.setdefault(asset_id, "copy")
        for asset_id in past_places.list_once_at(conn, root_id, relative):
            found.setdefault(asset_id, "once")
    listed = [(asset_rows.get(conn, asset_id), relation) for asset_id, relation in found.items()]
    return {
        "assets": [
            {**asset_summary(asset), "place": absolute(known, asset.root_id, asset.path), "relation": relation}
            for asset, relation in listed
        ]
    }


def _places(known: dict[int, Root], path: bytes) -> list[tuple[int, bytes]]:
    """(root id, path in it) of every place that a path may mean."""
    if not path.startswith(b"/"):
        return [(root_id, path) for root_id in known]
    return [
        (root.id, path[len(root.path.rstrip(b"/")) + 1 :])
        for root in known.values()
        if path.startswith(root.path.rstrip(b"/") + b"/")
    ]
