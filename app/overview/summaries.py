"""Rows as JSON-ready values; paths are made printable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.db.lists import MOVE_COLUMNS
from app.errors import printable
from app.model import Asset, Event, Root

MOVE_NAMES = tuple(str(column.name) for column in MOVE_COLUMNS)


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
        "sha256": asset.sha256,
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


def asset_line(asset: Asset) -> dict[str, Any]:
    """The few values that tell which file it is and how it stands."""
    return {
        "id": asset.id,
        "path": printable(asset.path),
        "status": asset.status.value,
        "size_bytes": asset.size_bytes,
        "reason": asset.reason,
        "attempts": asset.attempts,
        "batch_id": asset.batch_id,
        "updated_at": asset.updated_at,
    }


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


def absolute(known: Mapping[int, Root], root_id: int, path: bytes) -> str:
    """The whole path of a place, for people."""
    root = known.get(root_id)
    return printable((root.path.rstrip(b"/") + b"/" if root else b"") + path)


def move_summary(row: Sequence[Any], known: Mapping[int, Root]) -> dict[str, Any]:
    """A row of MOVE_COLUMNS as JSON-ready values, with whole paths."""
    move = dict(zip(MOVE_NAMES, row, strict=True))
    in_trash = move["trash_path"] is not None and move["trashed_at"] and not move["trash_dropped_at"]
    return {
        "id": move["id"],
        "purpose": move["purpose"],
        "state": move["state"],
        "run_id": move["run_id"],
        "batch_id": move["batch_id"],
        "asset_id": move["asset_id"],
        "is_directory": bool(move["is_directory"]),
        "keep_source": bool(move["keep_source"]),
        "source": absolute(known, move["src_root_id"], move["src_path"]),
        "target": absolute(known, move["dst_root_id"], move["dst_path"]),
        "size_bytes": move["size_bytes"],
        "method": move["method"],
        "note": move["note"],
        "trash": absolute(known, move["trash_root_id"], move["trash_path"]) if in_trash else None,
        "trashed_at": move["trashed_at"],
        "trash_dropped_at": move["trash_dropped_at"],
        "created_at": move["created_at"],
        "updated_at": move["updated_at"],
    }
