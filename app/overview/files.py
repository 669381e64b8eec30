"""Assets as people ask for them: lists by status and name, and one asset's whole story."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from app.db import assets, journal
from app.db.tables import deliveries, moves, roots
from app.errors import printable
from app.model import Asset, AssetStatus, Event

#: How many moves and events one asset's story shows.
STORY_LIMIT = 200


def asset_summary(asset: Asset) -> dict[str, Any]:
    """An asset as JSON-ready values; its path is made printable."""
    return {
        "id": asset.id,
        "root_id": asset.root_id,
        "path": printable(asset.path),
        "status": asset.status.value,
        "size_bytes": asset.size_bytes,
        "digest": asset.digest,
        "digest_algorithm": asset.digest_algorithm,
        "original_id": asset.original_id,
        "group_id": asset.group_id,
        "batch_id": asset.batch_id,
        "taken_at": asset.taken_at,
        "taken_local": asset.taken_local,
        "taken_from": asset.taken_from,
        "origin_path": printable(asset.origin_path) if asset.origin_path is not None else None,
        "attempts": asset.attempts,
        "reason": asset.reason,
        "first_seen_at": asset.first_seen_at,
        "updated_at": asset.updated_at,
    }


def list_files(
    conn: Connection, status: AssetStatus | None, prefix: str, batch_id: int | None, after_id: int, limit: int
) -> dict[str, Any]:
    """A page of assets in id order, and the `after_id` of the next page (None at the end)."""
    found = assets.list_page(
        conn,
        status=status,
        prefix=prefix.encode("utf-8", "surrogateescape"),
        batch_id=batch_id,
        after_id=after_id,
        limit=limit,
    )
    return {
        "assets": [asset_summary(asset) for asset in found],
        "next_after_id": found[-1].id if len(found) == limit else None,
    }


def asset_story(conn: Connection, asset_id: int) -> dict[str, Any]:
    """One asset with its original, its moves, its confirmed deliveries and its events. Raises NotFound."""
    asset = assets.get(conn, asset_id)
    original = assets.find(conn, asset.original_id) if asset.original_id else None
    return {
        **asset_summary(asset),
        "original": asset_summary(original) if original else None,
        "moves": _moves(conn, asset_id),
        "deliveries": _deliveries(conn, asset_id),
        "events": [event_summary(event) for event in journal.list_events(conn, asset_id=asset_id, limit=STORY_LIMIT)],
    }


def _moves(conn: Connection, asset_id: int) -> list[dict[str, Any]]:
    source, target = roots.alias("source"), roots.alias("target")
    m = moves.c
    query = (
        select(m.id, m.purpose, m.state, source.c.path, m.src_path, target.c.path, m.dst_path, m.method, m.updated_at)
        .join(source, source.c.id == m.src_root_id)
        .join(target, target.c.id == m.dst_root_id)
        .where(m.asset_id == asset_id)
        .order_by(m.id)
        .limit(STORY_LIMIT)
    )
    return [
        {
            "id": row[0],
            "purpose": row[1],
            "state": row[2],
            "source": printable(row[3].rstrip(b"/") + b"/" + row[4]),
            "target": printable(row[5].rstrip(b"/") + b"/" + row[6]),
            "method": row[7],
            "updated_at": row[8],
        }
        for row in conn.execute(query)
    ]


def _deliveries(conn: Connection, asset_id: int) -> list[dict[str, Any]]:
    d = deliveries.c
    query = select(d.device_id, d.batch_id, d.confirmed_at).where(d.asset_id == asset_id)
    return [{"device_id": row[0], "batch_id": row[1], "confirmed_at": row[2]} for row in conn.execute(query)]


def event_summary(event: Event) -> dict[str, Any]:
    """A journal row as JSON-ready values."""
    return {
        "id": event.id,
        "at": event.at,
        "kind": event.kind,
        "level": event.level,
        "message": event.message,
        "run_id": event.run_id,
        "batch_id": event.batch_id,
        "asset_id": event.asset_id,
        "detail": event.detail,
    }
