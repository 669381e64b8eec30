"""An installation beside a Syncthing that knows nothing yet, as after a first `docker compose up`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from app.config.store import ConfigStore
from app.db import journal
from app.services import ServiceContainer, set_up
from tests.conftest import make_config
from tests.syncthing.pair import KEY, Node


def fresh_node(base: Path, name: str) -> Node:
    """A Syncthing without folders and devices; `node.folder` is a folder that nobody shares yet."""
    node = Node(base / name, name)
    node.generate()
    node.start()
    return node


def write_settings(base: Path, **changes: Any) -> Path:
    """A configuration file whose folders lie under `base`."""
    path = base / "config.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(json.loads(make_config(base, **changes).model_dump_json())))
    return path


def install(base: Path, node: Node, **changes: Any) -> ServiceContainer:
    """A container over new settings that lead to the node; its folders are set up."""
    syncthing = {"api_url": node.url, "api_key": KEY, "poll_interval_sec": 1, "rescan_delay_sec": 0}
    syncthing |= changes.pop("syncthing", {})
    path = write_settings(base, syncthing=syncthing, **{"sync": {"target": "auto"}, **changes})
    set_up(ConfigStore(str(path)).load()).close()
    return ServiceContainer(str(path))


def kinds_of(container: ServiceContainer, prefix: str = "sync.") -> list[str]:
    """The kinds of the events that begin so, the oldest first."""
    with container.services.db.reading() as conn:
        return [event.kind for event in reversed(journal.list_events(conn, kind_prefix=prefix))]


def config_text(node: Node) -> str:
    """The node's config.xml as it is on disk."""
    return (node.home / "home" / "config.xml").read_text()


@contextmanager
def two_strangers(base: Path) -> Iterator[tuple[Node, Node]]:
    """Two Syncthings that know nothing of each other, ended afterwards."""
    started: list[Node] = []
    try:
        for name in ("ours", "phone"):
            started.append(fresh_node(base, name))
        yield started[0], started[1]
    finally:
        for node in started:
            node.stop()


def empty(node: Node) -> None:
    """Make the node forget every folder, device and request; starts it when a test left it down."""
    if node.process is None:
        node.start()
    for folder in node.rest("GET", "config/folders"):
        node.rest("DELETE", f"config/folders/{folder['id']}")
    for device in node.rest("GET", "config/devices"):
        if device["deviceID"] != node.device_id:
            node.rest("DELETE", f"config/devices/{device['deviceID']}")
    for device_id in node.rest("GET", "cluster/pending/devices"):
        node.rest("DELETE", "cluster/pending/devices", params={"device": device_id})
