"""Making in Syncthing what a delivery needs: our folder, its ignore lines, a device, and the folder shared with it.

What exists and is right is left as it is; what exists and is not is changed only by the calls that say so. Every
change is read back: Syncthing's word that it took it is not enough.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from app.errors import BadRequest, SyncthingRefused
from app.syncthing import ignores
from app.syncthing.answers import FolderView, whole
from app.syncthing.client import SyncthingClient

DEFAULT_ID = "media-pipeline"
LABEL = "Media Pipeline"
#: Every batch is scanned when it is published; a watcher and short pauses would read the folder for nothing.
RESCAN_SECONDS = 3600


def free_id(taken: Iterable[str]) -> str:
    """The ID for a new folder: media-pipeline, or with a number behind it when that one is taken."""
    known, number, wanted = set(taken), 1, DEFAULT_ID
    while wanted in known:
        number += 1
        wanted = f"{DEFAULT_ID}-{number}"
    return wanted


def create_folder(client: SyncthingClient, folder_id: str, path: str) -> FolderView:
    """Make the folder that sends batches, shared with nobody yet. Raises SyncthingError.

    It is paused until our ignore lines are in, so that no file of the program's own is ever announced. When it was cut
    off in between, the folder stays paused, and the next set-up ends what was begun.
    """
    folder = {
        "id": folder_id,
        "label": LABEL,
        "path": path,
        "type": "sendonly",
        "paused": True,
        "fsWatcherEnabled": False,
        "rescanIntervalS": RESCAN_SECONDS,
        "devices": [{"deviceID": client.my_id()}],
    }
    client.send("POST", "config/folders", body=folder)
    ignores.add_lines(client, folder_id, ignores.own_lines(b""))
    return change_folder(client, folder_id, paused=False)


def change_folder(client: SyncthingClient, folder_id: str, **values: Any) -> FolderView:
    """Change single settings of a folder; returns it as it is then. Raises SyncthingError."""
    client.send("PATCH", _address(folder_id), body=values)
    raw = _raw_folder(client, folder_id)
    kept = [name for name, value in values.items() if name != "devices" and raw.get(name) != value]
    if kept:
        raise SyncthingRefused("other", 200, f"Syncthing did not change {kept[0]} of the folder {folder_id}.")
    return client.folder(folder_id)


def add_device(client: SyncthingClient, device_id: str, name: str) -> bool:
    """Make a device known; False when it is already, and then nothing of it is changed.

    Raises SyncthingError, and BadRequest for the ID of Syncthing here itself.
    """
    if device_id == client.my_id():
        raise BadRequest("This is the ID of Syncthing here itself; enter the one that the peer shows.")
    if device_id in client.devices():
        return False
    client.send("POST", "config/devices", body={"deviceID": device_id, "name": name})
    if device_id not in client.devices():
        raise SyncthingRefused("other", 200, f"Syncthing did not take the device {device_id}.")
    return True


def share_folder(client: SyncthingClient, folder_id: str, device_id: str) -> bool:
    """Share the folder with a known device; False when it is already. All other shares stay. Raises SyncthingError."""
    devices = list(_raw_folder(client, folder_id).get("devices") or [])
    if any(entry.get("deviceID") == device_id for entry in devices):
        return False
    client.send("PATCH", _address(folder_id), body={"devices": [*devices, {"deviceID": device_id}]})
    if device_id not in client.folder(folder_id).devices:
        raise SyncthingRefused("other", 200, f"Syncthing did not share the folder {folder_id} with {device_id}.")
    return True


def _address(folder_id: str) -> str:
    return f"config/folders/{quote(folder_id, safe='')}"


def _raw_folder(client: SyncthingClient, folder_id: str) -> dict[str, Any]:
    found = client.ask("config/folders", lambda answer: {entry["id"]: whole(entry) for entry in answer})
    if folder_id not in found:
        raise SyncthingRefused("not_found", 404, f"Syncthing has no folder {folder_id!r} any more.")
    return found[folder_id]
