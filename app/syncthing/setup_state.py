"""How far the set-up of the delivery is: what is there in Syncthing, as values. What it means is in setup_steps.py."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from app.config.schema import Config
from app.errors import SyncthingError, SyncthingRefused
from app.syncthing import ignores, place, troubles
from app.syncthing.answers import FolderView, device_label
from app.syncthing.client import SyncthingClient
from app.syncthing.key import Key, find_keys
from app.syncthing.pending import Pending, find_pending


@dataclass(frozen=True)
class Peer:
    """A device that Syncthing knows, other than itself. `is_shared`: our folder is shared with it."""

    device_id: str
    name: str
    is_connected: bool
    is_paused: bool
    is_shared: bool
    last_seen: str


@dataclass(frozen=True)
class SetupState:
    """What was found. `fault` is why nothing more could be found; what was not asked then is None or empty."""

    keys: tuple[Key, ...]
    accepted: Key | None = None
    fault: SyncthingError | None = None
    version: str = ""
    own_id: str = ""
    folder: FolderView | None = None
    is_found_by_path: bool = False
    is_same_place: bool | None = None
    running_fault: troubles.Trouble | None = None
    missing_lines: tuple[str, ...] = ()
    peers: tuple[Peer, ...] = ()
    pending: Pending = field(default_factory=Pending)


def look_at_setup(config: Config, batch_dir: bytes, marker: str | None) -> SetupState:
    """Ask Syncthing for all of it. Changes nothing, and never raises for what Syncthing does or does not answer.

    `marker` is the name of the place marker in batch_dir, None when it was not made yet.
    """
    state = SetupState(tuple(find_keys(config)))
    try:
        with SyncthingClient.from_config(config) as client:
            return _look(client, config, batch_dir, marker, state)
    except SyncthingError as error:
        return replace(state, fault=error)


def _look(
    client: SyncthingClient, config: Config, batch_dir: bytes, marker: str | None, state: SetupState
) -> SetupState:
    own_id = client.my_id()
    state = replace(state, keys=tuple(client.keys.sources), accepted=client.keys.current)
    state = replace(state, version=client.version(), own_id=own_id)
    folder = _folder(client, config, batch_dir)
    peers = _peers(client, own_id, folder)
    state = replace(
        state,
        folder=folder,
        is_found_by_path=not config.syncthing.folder_id,
        peers=peers,
        pending=find_pending(client, {peer.device_id: peer.name for peer in peers}),
    )
    return state if folder is None else _with_folder(client, config, batch_dir, marker, state, folder)


def _folder(client: SyncthingClient, config: Config, batch_dir: bytes) -> FolderView | None:
    try:
        return place.find_folder(client, config, batch_dir)
    except SyncthingRefused as error:
        if error.cause != "not_found":
            raise
        return None


def _with_folder(
    client: SyncthingClient, config: Config, batch_dir: bytes, marker: str | None, state: SetupState, folder: FolderView
) -> SetupState:
    same = place.is_same_place(client, config, folder, batch_dir, marker) if marker else None
    wanted = ignores.own_lines(place.prefix_of(config, folder, batch_dir))
    present = client.ignores(folder.id)
    status = None if folder.paused else client.folder_status(folder.id)
    return replace(
        state,
        is_same_place=same,
        running_fault=troubles.folder_trouble(replace(folder, type="sendonly"), status),
        missing_lines=tuple(line for line in wanted if line not in present),
    )


def _peers(client: SyncthingClient, own_id: str, folder: FolderView | None) -> tuple[Peer, ...]:
    connected, seen = client.connected(), client.last_seen()
    shared = folder.devices if folder else ()
    return tuple(
        _peer(device_id, entry, connected.get(device_id, False), seen.get(device_id, ""), device_id in shared)
        for device_id, entry in sorted(client.devices().items())
        if device_id != own_id
    )


def _peer(device_id: str, entry: dict[str, Any], is_connected: bool, seen: str, is_shared: bool) -> Peer:
    name = device_label(entry, device_id)
    last_seen = "" if seen.startswith(("1970", "0001")) else seen
    return Peer(device_id, name, is_connected, bool(entry.get("paused")), is_shared, last_seen)
