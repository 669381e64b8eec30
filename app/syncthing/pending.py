"""Requests that wait for a person's word: devices that knocked, and folders that a known device offers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from app.syncthing.answers import shown_name
from app.syncthing.client import SyncthingClient


@dataclass(frozen=True)
class PendingDevice:
    """A device that is not known here and has tried to connect. Its name is what it says of itself."""

    device_id: str
    name: str
    address: str
    at: str


@dataclass(frozen=True)
class PendingFolder:
    """A folder that a known device shares with us and that we do not have, or do not share with it."""

    folder_id: str
    label: str
    device_id: str
    device: str
    at: str


@dataclass(frozen=True)
class Pending:
    """Everything that waits, in the order of its time."""

    devices: tuple[PendingDevice, ...] = ()
    folders: tuple[PendingFolder, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {"devices": [asdict(d) for d in self.devices], "folders": [asdict(f) for f in self.folders]}


def find_pending(client: SyncthingClient, names: dict[str, str]) -> Pending:
    """What waits in Syncthing; `names` are those of the known devices. Raises SyncthingError."""
    devices = _mapping(client.get("cluster/pending/devices"))
    folders = _mapping(client.get("cluster/pending/folders"))
    knocking = [_device(device_id, _mapping(entry)) for device_id, entry in devices.items()]
    offered = [
        _folder(folder_id, device_id, _mapping(offer), names)
        for folder_id, entry in folders.items()
        for device_id, offer in _mapping(_mapping(entry).get("offeredBy")).items()
    ]
    return Pending(tuple(sorted(knocking, key=lambda d: d.at)), tuple(sorted(offered, key=lambda f: f.at)))


def dismiss_device(client: SyncthingClient, device_id: str) -> None:
    """Forget that a device has knocked; it is told of again when it tries again. Raises SyncthingError."""
    client.send("DELETE", "cluster/pending/devices", {"device": device_id})


def dismiss_folder(client: SyncthingClient, folder_id: str, device_id: str) -> None:
    """Forget that a device offers a folder; it is told of again when it connects again. Raises SyncthingError."""
    client.send("DELETE", "cluster/pending/folders", {"folder": folder_id, "device": device_id})


def _device(device_id: str, entry: dict[str, Any]) -> PendingDevice:
    name, address = shown_name(entry.get("name")), shown_name(entry.get("address"))
    return PendingDevice(device_id, name, address, str(entry.get("time") or ""))


def _folder(folder_id: str, device_id: str, offer: dict[str, Any], names: dict[str, str]) -> PendingFolder:
    label, at = shown_name(offer.get("label")), str(offer.get("time") or "")
    return PendingFolder(folder_id, label, device_id, names.get(device_id) or device_id[:7], at)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
