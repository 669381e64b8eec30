"""What the folder and its peers look like at one moment, as Syncthing answers when it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.syncthing import troubles
from app.syncthing.answers import FolderView, device_label
from app.syncthing.client import SyncthingClient


@dataclass(frozen=True)
class PeerSeen:
    """One device. A paused one is never connected."""

    name: str
    connected: bool
    paused: bool


@dataclass(frozen=True)
class Seen:
    """The folder and its peers by device ID. `fault` says why Syncthing has stopped the folder, empty when it has
    not; `path` is where it lies in Syncthing's eyes."""

    folder_id: str
    path: str
    paused: bool
    fault: str
    peers: Mapping[str, PeerSeen]


def look_around(client: SyncthingClient, folder_id: str) -> Seen:
    """The folder and its peers as they are now. Raises SyncthingError."""
    folder, own_id = client.folder(folder_id), client.my_id()
    peers = look_at_devices(client, [device for device in folder.devices if device != own_id])
    return Seen(folder.id, folder.path, folder.paused, "" if folder.paused else _fault(client, folder), peers)


def look_at_devices(client: SyncthingClient, device_ids: Iterable[str]) -> dict[str, PeerSeen]:
    """Each of these devices as it is now, also one that Syncthing does not know. Raises SyncthingError."""
    known, connected = client.devices(), client.connected()
    return {
        device: PeerSeen(
            name=device_label(known.get(device) or {}, device),
            connected=connected.get(device, False),
            paused=bool((known.get(device) or {}).get("paused")),
        )
        for device in device_ids
    }


def _fault(client: SyncthingClient, folder: FolderView) -> str:
    found = troubles.folder_trouble(folder, client.folder_status(folder.id))
    return found.sentence if found is not None and found.code in troubles.UNTIL_SCANNED else ""
