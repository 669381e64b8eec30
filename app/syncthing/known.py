"""What the worker knows of Syncthing and its peers from its last look, for doors that must not ask Syncthing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field

from sqlalchemy import Connection

from app.db import facts
from app.errors import SyncthingError
from app.syncthing.client import SyncthingClient
from app.syncthing.seen import Seen

FACT = "syncthing_known"


@dataclass(frozen=True)
class PeerKnown:
    """A device that the folder is shared with. `last_seen_at` is when Syncthing had it last, while it is away."""

    name: str
    connected: bool
    paused: bool
    last_seen_at: str | None = None


@dataclass(frozen=True)
class Known:
    """Syncthing as it was at the last look: its version, and the folder's peers by device ID."""

    version: str = ""
    folder_id: str = ""
    peers: Mapping[str, PeerKnown] = field(default_factory=dict)


def learn(client: SyncthingClient, seen: Seen, version: str) -> Known:
    """What is to be known after a look. Asks for the version once, and since when peers are away."""
    last_seen: Mapping[str, str] = {}
    with suppress(SyncthingError):
        version = version or client.version()
        if not all(peer.connected for peer in seen.peers.values()):
            last_seen = client.last_seen()
    peers = {
        device: PeerKnown(peer.name, peer.connected, peer.paused,
                          None if peer.connected else last_seen.get(device) or None)
        for device, peer in seen.peers.items()
    }  # fmt: skip
    return Known(version, seen.folder_id, peers)


def put(conn: Connection, known: Known) -> None:
    """Remember it for other processes."""
    facts.put(conn, FACT, json.dumps(asdict(known)))


def load(conn: Connection) -> Known:
    """What was known last; empty when Syncthing was never heard."""
    text = facts.find(conn, FACT)
    if not text:
        return Known()
    found = json.loads(text)
    return Known(**{**found, "peers": {device: PeerKnown(**peer) for device, peer in found["peers"].items()}})
