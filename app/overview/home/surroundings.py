"""The state of what the program stands on: Syncthing and its peers, folders, backups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from app.db import facts, silences
from app.model import RootKind
from app.overview.health import newest_backup_at
from app.overview.home.values import NEVER, UNKNOWN, instant
from app.services import Services
from app.syncthing import known, telling

#: The folders whose disks may fill.
ROOMS = {
    RootKind.INGEST.value: "ingest_free_bytes",
    RootKind.BATCH.value: "batch_free_bytes",
    RootKind.ARCHIVE.value: "archive_free_bytes",
}
PEER_SILENCE = "peer.missed"


def of_syncthing(conn: Connection, services: Services) -> dict[str, str | int | bool]:
    """Syncthing and its peers as the worker found them last; all is well where nothing goes through Syncthing."""
    is_used = services.config.sync_target == "syncthing"
    found, told = known.load(conn), telling.load(conn)
    is_heard = is_used and bool(found.version) and found.folder_id == services.config.syncthing.folder_id
    peers = found.peers if is_heard else {}
    return {
        "syncthing_reachable": not is_used or (is_heard and not told.lost),
        "peers": len(peers),
        "peers_connected": sum(peer.connected for peer in peers.values()),
        "peer_away_since": min(_away_since(conn, peers), default=NEVER),
        "peer_unseen": is_used and any(one.kind == PEER_SILENCE for one in silences.list_all(conn)),
    }


def _away_since(conn: Connection, peers: Mapping[str, known.PeerKnown]) -> Iterator[str]:
    first_looked_for = silences.peers_seen(conn)
    for device, peer in peers.items():
        if peer.connected:
            continue
        # Of a device that it never saw, Syncthing says 1970 or the year 1.
        last = peer.last_seen_at if _is_real(peer.last_seen_at) else first_looked_for.get(device, {}).get("seen_at")
        if last:
            yield instant(last)


def _is_real(at: str | None) -> bool:
    return bool(at) and datetime.fromisoformat(str(at)).year > 1970


def of_roots(looks: list[dict[str, Any]]) -> dict[str, str | int | bool]:
    """Whether every folder is there, and the room on their disks: the least where a kind has several."""
    rooms = {kind: [look["free_bytes"] for look in looks if look["kind"] == kind] for kind in ROOMS}
    free = {key: min((r for r in rooms[kind] if r is not None), default=UNKNOWN) for kind, key in ROOMS.items()}
    return {"folders_available": bool(looks) and not any(look["fault"] for look in looks), **free}


def of_backups(conn: Connection, services: Services) -> dict[str, str | int | bool]:
    """The newest backup of settings and database, and whether the last try failed."""
    return {
        "last_backup_at": instant(newest_backup_at(services.backup_dir)),
        "backup_failed": bool(facts.find(conn, facts.BACKUP_FAILED)),
    }
