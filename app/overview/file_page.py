"""One file as its page shows it: its whole story, with its picture and what a person can do."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from app.config.schema import Config
from app.db import assets, duplicates, roots
from app.db.search import AssetSearch, search
from app.model import Asset, AssetStatus
from app.overview.capture import SOURCE_NAMES
from app.overview.file_lists import describe, picture_of
from app.overview.retrying import why_not
from app.overview.why import whole_story

#: What a person may have tried again.
RETRIED = (AssetStatus.FAILED, AssetStatus.SET_ASIDE)
#: Files that belong to it, or hold the same, shown with their pictures.
SHOWN = 12
#: Sentences of which the page says the same in another way.
SAID_ELSEWHERE = ("candidates", "moves")


def file_page(conn: Connection, config: Config, asset_id: int) -> dict[str, Any]:
    """Everything that the rows know of one asset, for its page. Raises NotFound."""
    asset = assets.get(conn, asset_id)
    story = whole_story(conn, config, asset)
    name = story["path"].rpartition("/")[2]
    return {
        "file": {**story, "name": name, "picture": picture_of(asset)},
        "told": [sentence["text"] for sentence in story["told"] if sentence["about"] not in SAID_ELSEWHERE],
        "places": _places(story, asset),
        "mates": describe(conn, _mates(conn, asset)),
        "original": _first(describe(conn, _original(conn, asset))),
        "copies": describe(conn, duplicates.list_of(conn, asset.id, SHOWN)),
        "retry": _retry(conn, asset),
        "sources": SOURCE_NAMES,
    }


def _places(story: dict[str, Any], asset: Asset) -> list[dict[str, str]]:
    """Every place where it is, or was, with what the place is."""
    now = "It was last seen at" if asset.status is AssetStatus.GONE else "It lies at"
    found = [{"what": now, "path": story["place"]}]
    found += [{"what": "A copy stays at", "path": copy["path"]} for copy in story["kept_copies"]]
    found += [{"what": "In our trash at", "path": one["path"]} for one in story["trash"]]
    if story["origin"] and story["origin"] != story["place"]:
        found.append({"what": "It came as", "path": story["origin"]})
    return found


def _retry(conn: Connection, asset: Asset) -> dict[str, Any] | None:
    """Whether it can be tried again, and why not; None for a file that is not in trouble."""
    if asset.status not in RETRIED:
        return None
    known = {root.id: root for root in roots.list_all(conn)}
    return {"why_not": why_not(conn, asset, known)}


def _mates(conn: Connection, asset: Asset) -> list[Asset]:
    if asset.group_id is None:
        return []
    found, _ = search(conn, AssetSearch(group_id=asset.group_id, limit=SHOWN + 1))
    return [one for one in found if one.id != asset.id][:SHOWN]


def _original(conn: Connection, asset: Asset) -> list[Asset]:
    found = assets.find(conn, asset.original_id) if asset.original_id is not None else None
    return [found] if found is not None else []


def _first(found: list[dict[str, Any]]) -> dict[str, Any] | None:
    return found[0] if found else None
