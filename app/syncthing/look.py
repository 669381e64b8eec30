"""Asking Syncthing what the proof needs: the state of the folder and the peer, a scan, and one answer per file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.syncthing import proof, troubles
from app.syncthing.answers import Completion, FolderView
from app.syncthing.client import SyncthingClient
from app.syncthing.proof import Expected, Judgement, Verdict
from app.syncthing.troubles import Trouble


@dataclass(frozen=True)
class Standing:
    """The folder and the peer as they are at this moment. `prefix` is where batch_dir lies inside the folder."""

    folder: FolderView
    device_id: str
    peer: str
    connected: bool
    prefix: bytes
    trouble: Trouble | None = None


def precheck(
    client: SyncthingClient, folder_id: str, wanted: str | None, batch_dir: bytes, batch_name: str
) -> Standing | Trouble:
    """Whether this folder can deliver to this device at all, and to whom.

    A peer that is paused or not connected is no reason to stop: the files can be announced meanwhile, so that is the
    `trouble` of the Standing. Raises SyncthingError.
    """
    if not folder_id:
        return troubles.folder_needed()
    folder = client.folder(folder_id)
    prefix = proof.prefix_in_folder(folder.path.encode(), batch_dir)
    fault = _folder_fault(client, folder)
    if fault is not None and fault.code in troubles.UNTIL_SCANNED:
        client.scan(folder.id, sub_folder(prefix, batch_name))
        fault = _folder_fault(client, folder)
    if fault is not None:
        return fault
    device = troubles.choose_device(folder, client.my_id(), wanted)
    if isinstance(device, Trouble):
        return device
    return standing_of(client, folder, device, prefix)


def _folder_fault(client: SyncthingClient, folder: FolderView) -> Trouble | None:
    return troubles.folder_trouble(folder, None if folder.paused else client.folder_status(folder.id))


def sub_folder(prefix: bytes, batch_name: str) -> str:
    """A batch's folder as a path relative to Syncthing's folder; never absolute, which would scan nothing."""
    return (prefix + batch_name.encode()).decode("utf-8", "replace")


def standing_of(client: SyncthingClient, folder: FolderView, device_id: str, prefix: bytes) -> Standing:
    """The folder and this peer of it as they are now. Raises SyncthingError."""
    entry = client.devices().get(device_id) or {}
    peer = str(entry.get("name") or "") or device_id[:7]
    connected = client.connected().get(device_id, False)
    trouble = None
    if entry.get("paused"):
        trouble = Trouble("device_paused", f"{peer} is paused in Syncthing; resume it there.")
    elif not connected:
        trouble = _offline(client, device_id, peer)
    return Standing(folder, device_id, peer, connected, prefix, trouble)


def _offline(client: SyncthingClient, device_id: str, peer: str) -> Trouble:
    seen = client.last_seen().get(device_id, "")
    since = f"last seen {seen}" if seen and not seen.startswith(("1970", "0001")) else "never seen yet"
    return Trouble("peer_offline", f"Waiting for {peer}: it is not connected, {since}.", warning=False)


def scan(client: SyncthingClient, standing: Standing, batch_name: str) -> Trouble | None:
    """Have the batch's own folder scanned; None when Syncthing has read all of it. Raises SyncthingError."""
    if client.scan(standing.folder.id, sub_folder(standing.prefix, batch_name)):
        return None
    return Trouble("scanning", "Syncthing is still reading the batch.", warning=False)


def completion_of(client: SyncthingClient, standing: Standing) -> Completion:
    """How far the peer is with the whole folder, for the progress bar."""
    return client.completion(standing.folder.id, standing.device_id)


def examine(client: SyncthingClient, standing: Standing, expected: Iterable[Expected]) -> Iterator[Judgement]:
    """One judgement per file, each resting on one answer of Syncthing. Raises SyncthingError."""
    for item in expected:
        name = proof.sendable_name(standing.prefix + item.path)
        if name is None:
            yield Judgement(item, Verdict.NAME)
            continue
        yield proof.judge(item, client.file(standing.folder.id, name), standing.device_id)


def unreadable(client: SyncthingClient, standing: Standing, batch_name: str) -> dict[bytes, str]:
    """The batch's paths (relative to batch_dir) that Syncthing could not handle, with its reasons."""
    below = standing.prefix + batch_name.encode() + b"/"
    found = {path.encode(): reason for path, reason in client.folder_errors(standing.folder.id).items()}
    return {path[len(standing.prefix) :]: reason for path, reason in found.items() if path.startswith(below)}
