"""How far the set-up of Syncthing is, as the page Peer, GET /api/syncthing and the command line show it."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

from app.config.schema import Config
from app.errors import SyncthingError
from app.files.place_marker import find_place_marker
from app.model import RootKind
from app.model.peer_policy import peer_words
from app.services import Services
from app.syncthing.answers import shown_name
from app.syncthing.client import SyncthingClient
from app.syncthing.pending import find_pending
from app.syncthing.place import seen_path
from app.syncthing.setup_state import Peer, SetupState, look_at_setup
from app.syncthing.setup_steps import MISSING, OK, WAITING, WRONG, Step, steps_of


def peer_state(services: Services) -> dict[str, Any]:
    """Everything about the set-up, as JSON-ready values and without a secret. Asks Syncthing, changes nothing."""
    config = services.config
    found = look_at_setup(config, batch_dir_of(config), find_place_marker(services.roots.get(RootKind.BATCH, ())))
    steps = steps_of(found, config, config.syncthing.required_ids)
    return {
        "ready": all(step.state == OK for step in steps),
        "state": next((state for state in (WRONG, MISSING, WAITING) if any(s.state == state for s in steps)), OK),
        "sentence": _sentence(steps),
        "reachable": found.fault is None,
        "version": found.version or None,
        "api_url": config.syncthing.api_url,
        "gui_url": config.syncthing.gui_url or None,
        "key": {
            "source": found.accepted.source if found.accepted else None,
            "length": len(found.accepted.text) if found.accepted else 0,
            "looked_at": [key.facts() for key in found.keys],
        },
        "device_id": found.own_id or None,
        "target": config.sync_target,
        "instead": instead_words(config),
        "at_the_peer": peer_words(config.sync_target, config.sync.peer_policy),
        "batch_dir": config.paths.batch_dir,
        "batch_dir_there": os.fsdecode(seen_path(config, batch_dir_of(config))),
        "folder_id": config.syncthing.folder_id,
        "folder": _folder(found),
        "peers": [_peer(peer, config.syncthing.required_ids) for peer in found.peers],
        "pending": found.pending.as_json(),
        "steps": [asdict(step) for step in steps],
    }


def instead_words(config: Config) -> str | None:
    """Where deliveries go when the settings say another way than Syncthing; None when they go or will go through it."""
    if config.sync.target == "folder":
        where = config.sync.folder_dir or "a folder that is not named yet (sync.folder_dir)"
        return f"Batches are copied to {where}; each copy is read again and compared (sync.target: folder)."
    if config.sync.target == "none":
        return "Batches are delivered nowhere: their files go straight to the archive (sync.target: none)."
    return None


def pending_requests(services: Services) -> dict[str, Any]:
    """What waits in Syncthing for a person's word; `fault` says why nothing can be told."""
    try:
        with SyncthingClient.from_config(services.config) as client:
            names = {key: shown_name(entry.get("name")) for key, entry in client.devices().items()}
            return {**find_pending(client, names).as_json(), "fault": None}
    except SyncthingError as error:
        return {"devices": [], "folders": [], "fault": str(error)}


def own_device_id(services: Services) -> str:
    """The device ID of Syncthing here. Raises SyncthingError."""
    with SyncthingClient.from_config(services.config) as client:
        return client.my_id()


def batch_dir_of(config: Config) -> bytes:
    """The batch folder with every link resolved, as it is compared with Syncthing's paths."""
    return os.path.realpath(os.fsencode(config.paths.batch_dir))


def _sentence(steps: list[Step]) -> str:
    for state in (WRONG, MISSING, WAITING):
        first = next((step for step in steps if step.state == state), None)
        if first is not None:
            return f"{first.cause} {first.fix}".strip()
    return "Everything is set up; batches can be delivered."


def _folder(found: SetupState) -> dict[str, Any] | None:
    if found.folder is None:
        return None
    folder = found.folder
    return {
        "id": folder.id,
        "label": folder.label,
        "path": folder.path,
        "type": folder.type,
        "paused": folder.paused,
        "devices": [device for device in folder.devices if device != found.own_id],
        "found_by": "path" if found.is_found_by_path else "folder_id",
        "same_place": found.is_same_place,
    }


def _peer(peer: Peer, required: tuple[str, ...]) -> dict[str, Any]:
    return {
        "device_id": peer.device_id,
        "name": peer.name,
        "connected": peer.is_connected,
        "paused": peer.is_paused,
        "shared": peer.is_shared,
        "required": peer.device_id in required,
        "last_seen": peer.last_seen or None,
    }
