"""What will happen to the peer's files, said beforehand: under the settings in force, for one batch, by a change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from app.config.changes import Change
from app.config.schema import Config
from app.db import batches, peer_room, policy_change, releases
from app.db.clock import now
from app.db.peer_room import GIB, PeerRoom
from app.model import Batch, BatchStatus
from app.model.peer_policy import POLICIES, peer_words, removal_at
from app.overview.hindrances import hindrance_of
from app.services import Services

SETTING = "sync.peer_policy"
#: Batches of which the peer may hold files that go some day.
SHOWN = (BatchStatus.PENDING, BatchStatus.SYNCING, BatchStatus.SYNCED, BatchStatus.SORTING, BatchStatus.ERROR)


def configured_words(config: Config, peer_policy: str | None = None) -> str:
    """The sentence for the settings in force, or for another policy."""
    room_bytes = int(config.sync.peer_room_gb * GIB)
    policy, grace = peer_policy or config.sync.peer_policy, config.sync.grace_seconds
    return peer_words(config.sync_target, policy, grace_seconds=grace, room_bytes=room_bytes)


def policy_now(services: Services) -> dict[str, Any]:
    """The policy in force, what each would mean, the room at the peer, and the batches that are under way."""
    config = services.config
    with services.db.reading() as conn:
        room = peer_room.measure(conn, config)
        found = batches.list_by_status(conn, SHOWN)
        under_way = [{"id": b.id, "name": b.name, "status": b.status.value, **at_peer(conn, b)} for b in found
                     if b.target == "syncthing"]  # fmt: skip
    return {
        "target": config.sync_target,
        "peer_policy": config.sync.peer_policy,
        "grace_seconds": config.sync.grace_seconds,
        "at_the_peer": configured_words(config),
        "policies": [{"peer_policy": policy, "at_the_peer": configured_words(config, policy)} for policy in POLICIES],
        "room": room_json(room),
        "batches": under_way,
    }


def room_json(room: PeerRoom) -> dict[str, Any]:
    """The room at the peer; `limit_bytes` and `free_bytes` are null when it is not bounded."""
    return {
        "limit_bytes": room.limit_bytes or None,
        "used_bytes": room.used_bytes,
        "free_bytes": room.free_bytes,
        "words": room.full_words() if room.free_bytes == 0 and room.holders else room.used_words(),
    }


def at_peer(conn: Connection, batch: Batch) -> dict[str, Any]:
    """One batch: its policy in words, when the peer's copies go, how much was released, how its files are held."""
    released = releases.count(conn, batch.id)
    return {
        "peer_policy": batch.peer_policy,
        "at_the_peer": peer_words(batch.target, batch.peer_policy),
        **countdown(batch),
        "released_count": released.file_count,
        "released_bytes": released.size_bytes,
        "hold": batch.hold,
    }


def countdown(batch: Batch) -> dict[str, Any]:
    """When the peer's copies go under mirror, at the earliest, and the seconds until then; null when they do not."""
    at = removal_at(batch)
    left = (datetime.fromisoformat(at) - datetime.fromisoformat(now())).total_seconds() if at is not None else None
    return {"removal_at": at, "seconds_left": max(int(left), 0) if left is not None else None}


def awaited(conn: Connection) -> list[dict[str, Any]]:
    """Delivered batches whose copies at the peer are about to go, or which wait for the peer to release them."""
    found = batches.list_by_status(conn, [BatchStatus.SYNCED])
    return [{"id": b.id, "name": b.name, "file_count": b.file_count, "detail": b.sync_detail, **hindrance_of(conn, b),
             **at_peer(conn, b)}
            for b in found if b.target == "syncthing" and b.peer_policy != "keep"]  # fmt: skip


def affected_batches(conn: Connection, changes: Sequence[Change]) -> list[dict[str, Any]]:
    """The batches whose files at the peer will fare otherwise by these changes of settings."""
    to = next((str(change.after) for change in changes if change.path == SETTING), None)
    found = policy_change.list_affected(conn, to) if to is not None else []
    return [
        {"id": b.id, "name": b.name, "status": b.status.value, "from": b.peer_policy, "to": to,
         "at_the_peer": peer_words(b.target, to or "")}
        for b in found
    ]  # fmt: skip


def affected_words(affected: Sequence[dict[str, Any]]) -> str:
    """One sentence on them; empty when there are none."""
    if not affected:
        return ""
    names = ", ".join(str(batch["name"]) for batch in affected)
    return f"This changes what happens to batches that are not sorted yet ({names}): {affected[0]['at_the_peer']}"
