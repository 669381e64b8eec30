"""One asset's whole story: every place that it has and had, its moves, its proofs, its checks, its events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from app.db import assets, batches, duplicates, event_search, kept_copies, lists, roots
from app.db.event_search import EventSearch
from app.db.tables import assets as assets_table
from app.db.tables import deliveries, findings
from app.errors import printable
from app.model import Asset, Root
from app.overview.batches import batch_summary, device_name, with_device_names
from app.overview.capture import as_json, capture_story
from app.overview.summaries import absolute, asset_line, asset_summary, event_summary, move_summary

#: How many moves and events one asset's story shows; the rest is a page away.
STORY_LIMIT = 200
#: How many duplicates and files of its group it names.
NAMED = 20


def asset_story(conn: Connection, asset_id: int) -> dict[str, Any]:
    """Everything that the rows know of one asset, as JSON-ready values. Raises NotFound."""
    asset = assets.get(conn, asset_id)
    known = {root.id: root for root in roots.list_all(conn)}
    original = assets.find(conn, asset.original_id) if asset.original_id else None
    batch = batches.find(conn, asset.batch_id) if asset.batch_id is not None else None
    moves, next_move = _moves(conn, asset_id, known)
    events, next_event = event_search.search(conn, EventSearch(asset_id=asset_id, limit=STORY_LIMIT))
    return {
        **asset_summary(asset),
        **_places(conn, asset, known),
        "trash": [{"path": m["trash"], "since": m["trashed_at"], "move_id": m["id"]} for m in moves if m["trash"]],
        "original": asset_summary(original) if original else None,
        "duplicates": _duplicates(conn, asset),
        "group": _group(conn, asset),
        "capture": as_json(capture_story(conn, asset)),
        "batch": batch_summary(batch) if batch else None,
        "deliveries": _deliveries(conn, asset_id),
        "verification": _verification(conn, asset_id, known),
        "moves": moves,
        "next_move_after_id": next_move,
        "events": [event_summary(event) for event in events],
        "next_event_before_id": next_event,
    }


def _places(conn: Connection, asset: Asset, known: Mapping[int, Root]) -> dict[str, Any]:
    origin = None
    if asset.origin_root_id is not None and asset.origin_path is not None:
        origin = absolute(known, asset.origin_root_id, asset.origin_path)
    return {
        "place": absolute(known, asset.root_id, asset.path),
        "root_kind": known[asset.root_id].kind.value,
        "origin": origin,
        "kept_copies": [
            {"path": absolute(known, root_id, path), "root_kind": known[root_id].kind.value}
            for root_id, path, _ in kept_copies.list_of(conn, asset.id)
        ],
    }


def _moves(conn: Connection, asset_id: int, known: Mapping[int, Root]) -> tuple[list[dict[str, Any]], int | None]:
    rows, next_id = lists.page_of_moves(conn, asset_id=asset_id, limit=STORY_LIMIT)
    return [move_summary(row, known) for row in rows], next_id


def _duplicates(conn: Connection, asset: Asset) -> dict[str, Any]:
    found = duplicates.list_of(conn, asset.id, NAMED)
    count = len(found) if len(found) < NAMED else duplicates.count_of(conn, [asset.id]).get(asset.id, 0)
    return {
        "count": count,
        "files": [asset_line(one) for one in found],
        "all": f"/api/assets?original_id={asset.id}" if count else None,
    }


def _group(conn: Connection, asset: Asset) -> dict[str, Any] | None:
    """The files that belong together with it; they move as one."""
    if asset.group_id is None:
        return None
    a = assets_table.c
    query = select(a.id, a.path, a.status).where(a.group_id == asset.group_id, a.id != asset.id)
    rows = conn.execute(query.order_by(a.id).limit(NAMED))
    return {"id": asset.group_id, "files": [{"id": r[0], "path": printable(r[1]), "status": r[2]} for r in rows]}


def _deliveries(conn: Connection, asset_id: int) -> list[dict[str, Any]]:
    d = deliveries.c
    columns = (d.device_id, device_name(), d.batch_id, d.confirmed_at, d.version)
    query = select(*columns).select_from(with_device_names()).where(d.asset_id == asset_id)
    return [
        {"device_id": row[0], "name": row[1], "batch_id": row[2], "confirmed_at": row[3], "version": row[4]}
        for row in conn.execute(query.order_by(d.confirmed_at))
    ]


def _verification(conn: Connection, asset_id: int, known: Mapping[int, Root]) -> dict[str, Any]:
    f = findings.c
    query = select(f.kind, f.root_id, f.path, f.reason, f.found_at, f.run_id).where(f.asset_id == asset_id)
    return {
        "verified_at": conn.execute(select(assets_table.c.verified_at).where(assets_table.c.id == asset_id)).scalar(),
        "findings": [
            {"kind": r[0], "path": absolute(known, r[1], r[2]), "reason": r[3], "found_at": r[4], "run_id": r[5]}
            for r in conn.execute(query.order_by(f.id))
        ],
    }
