"""Requests that wait for a person's word: devices that knocked, and folders that a known device offers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from app.syncthing.answers import entries, shown_name, text_of
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
    knocking = client.ask("cluster/pending/devices", _knocking)
    offered = client.ask("cluster/pending/folders", lambda answer: _offered(answer, names))
    return Pending(tuple(sorted(knocking, key=lambda d: d.at)), tuple(sorted(offered, key=lambda f: f.at)))


def dismiss_device(client: SyncthingClient, device_id: str) -> None:
    """Forget that a device has knocked; it is told of again when it tries again. Raises SyncthingError."""
    client.send("DELETE", "cluster/pending/devices", {"device": device_id})


def dismiss_folder(client: SyncthingClient, folder_id: str, device_id: str) -> None:
    """Forget that a device offers a folder; it is told of again when it connects again. Raises SyncthingError."""
    client.send("DELETE", "cluster/pending/folders", {"folder": folder_id, "device": device_id})


def _knocking(answer: Any) -> list[PendingDevice]:
    return [
        PendingDevice(
            device_id,
            name=shown_name(text_of(entry, "name", "")),
            address=shown_name(text_of(entry, "address", "")),
            at=text_of(entry, "time"),
        )
        for device_id, entry in entries(answer).items()
    ]


def _offered(answer: Any, names: dict[str, str]) -> list[PendingFolder]:
    return [
        PendingFolder(
            folder_id,
            label=shown_name(text_of(offer, "label", "")),
            device_id=device_id,
            device=names.get(device_id) or device_id[:7],
            at=text_of(offer, "time"),
        )
        for folder_id, entry in entries(answer).items()
        for device_id, offer in entries(entry["offeredBy"]).items()
    ]
