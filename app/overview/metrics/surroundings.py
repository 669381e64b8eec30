"""Metrics of what the program stands on: folders and their disks, Syncthing, the database, settings, the build."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client.metrics_core import Metric
from sqlalchemy import Connection

from app import __version__
from app.overview.metrics.families import gauge, seconds_of, single
from app.services import Services
from app.syncthing import known, telling


def of_roots(looks: list[dict[str, Any]]) -> Iterator[Metric]:
    """Room and presence of each folder, from `look_at_roots`; one that does not answer has no room to tell."""
    labels = ["kind", "path"]
    named = [([look["kind"], look["path"]], look) for look in looks]
    words = "1 when the folder is there, ours and answers."
    yield gauge("root_available", words, labels, [(name, look["fault"] is None) for name, look in named])
    words = "Free room on the disk of the folder."
    yield gauge("root_free_bytes", words, labels, [(name, look["free_bytes"]) for name, look in named])
    words = "Size of the disk of the folder."
    yield gauge("root_size_bytes", words, labels, [(name, look["total_bytes"]) for name, look in named])


def of_syncthing(conn: Connection, services: Services) -> Iterator[Metric]:
    """Syncthing and its peers as the worker found them last; without samples while nothing is known or wanted of it."""
    found, told = known.load(conn), telling.load(conn)
    config = services.config
    is_wanted = config.sync_target == "syncthing"
    is_heard = is_wanted and bool(found.version) and found.folder_id == config.syncthing.folder_id
    reachable = float(not told.lost) if is_heard or (is_wanted and told.lost) else None
    yield single("syncthing_reachable", "1 when Syncthing answered the worker's last question.", reachable)
    words = "1, with the version of Syncthing."
    yield gauge("syncthing_info", words, ["version"], [([found.version], 1)] if is_heard else [])
    yield from _of_peers(found.peers if is_heard else {})


def _of_peers(peers: Mapping[str, known.PeerKnown]) -> Iterator[Metric]:
    labels = ["device", "name"]
    named = [([device, peer.name], peer) for device, peer in peers.items()]
    words = "1 when the device was connected to Syncthing at the worker's last look."
    yield gauge("peer_connected", words, labels, [(name, peer.connected) for name, peer in named])
    words = "When Syncthing last saw a device that is not connected."
    # Of a device that it never saw, Syncthing says 1970 or the year 1.
    last_seen = [(name, at) for name, peer in named if (at := seconds_of(peer.last_seen_at) or 0) > 0]
    yield gauge("peer_last_seen_timestamp_seconds", words, labels, last_seen)


def of_program(services: Services, fault: str | None) -> Iterator[Metric]:
    """The build, the settings file (`fault` is what is wrong with it) and the database file."""
    labels = [__version__, platform.python_version()]
    yield gauge(
        "build_info", "1, with the versions of the program and of Python.", ["version", "python"], [(labels, 1)]
    )
    yield single("config_valid", "1 when the settings file has no faults.", fault is None)
    yield single("database_size_bytes", "Size of the database file.", _size(services.db.path))


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except OSError:
        return None
