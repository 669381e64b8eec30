"""Asking Syncthing what the proof needs: the state of the folder and of its peers, a scan, and one answer per file."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from app.config.schema import Config
from app.syncthing import place, proof, troubles
from app.syncthing.answers import Completion, FileView, FolderView
from app.syncthing.client import SyncthingClient
from app.syncthing.proof import Expected
from app.syncthing.seen import PeerSeen, look_at_devices
from app.syncthing.troubles import Trouble


@dataclass(frozen=True)
class Ground:
    """A folder that can deliver, and this Syncthing's own device.

    `prefix` is where batch_dir lies inside the folder; `sequence` grows with every change of any index of the folder.
    """

    folder: FolderView
    my_id: str
    prefix: bytes
    sequence: int = 0


@dataclass(frozen=True)
class Standing:
    """The folder and one peer as they are at this moment; `last_seen` is empty when that is not known.

    `is_shared` is False for a device that the folder is not shared with.
    """

    folder: FolderView
    device_id: str
    peer: str
    connected: bool
    prefix: bytes
    trouble: Trouble | None = None
    last_seen: str = ""
    is_shared: bool = True


def ground_of(client: SyncthingClient, config: Config, batch_dir: bytes, batch_name: str) -> Ground | Trouble:
    """Whether the folder that holds batch_dir can deliver at all. Raises SyncthingError."""
    folder = place.find_only_folder(client, config, batch_dir)
    prefix = place.prefix_of(config, folder, batch_dir)
    status = _status(client, folder)
    fault = troubles.folder_trouble(folder, status)
    if fault is not None and fault.code in troubles.UNTIL_SCANNED:
        client.scan(folder.id, sub_folder(prefix, batch_name))
        status = _status(client, folder)
        fault = troubles.folder_trouble(folder, status)
    if fault is not None:
        return fault
    return Ground(folder, client.my_id(), prefix, int((status or {}).get("sequence") or 0))


def precheck(
    client: SyncthingClient, config: Config, wanted: str | None, batch_dir: bytes, batch_name: str
) -> Standing | Trouble:
    """Whether the folder can deliver to this device, or to its only peer, and how that stands.

    A peer that is paused or not connected is no reason to stop: the files can be announced meanwhile, so that is the
    `trouble` of the Standing. Raises SyncthingError.
    """
    ground = ground_of(client, config, batch_dir, batch_name)
    if isinstance(ground, Trouble):
        return ground
    device = troubles.choose_device(ground.folder, ground.my_id, wanted)
    if isinstance(device, Trouble):
        return device
    return standing_of(client, ground.folder, device, ground.prefix)


def _status(client: SyncthingClient, folder: FolderView) -> dict[str, Any] | None:
    return None if folder.paused else client.folder_status(folder.id)


def sub_folder(prefix: bytes, batch_name: str) -> str:
    """A batch's folder as a path relative to Syncthing's folder; never absolute, which would scan nothing."""
    return (prefix + batch_name.encode()).decode("utf-8", "replace")


def standing_of(client: SyncthingClient, folder: FolderView, device_id: str, prefix: bytes) -> Standing:
    """The folder and this peer of it as they are now. Raises SyncthingError."""
    return standings_of(client, folder, [device_id], prefix)[0]


def standings_of(
    client: SyncthingClient, folder: FolderView, device_ids: Sequence[str], prefix: bytes
) -> list[Standing]:
    """The folder and each of these peers of it as they are now, from as many answers as for one."""
    found = look_at_devices(client, device_ids)
    last_seen = {} if all(peer.connected for peer in found.values()) else client.last_seen()
    return [_standing(folder, device_id, found[device_id], prefix, last_seen) for device_id in device_ids]


def _standing(
    folder: FolderView, device_id: str, peer: PeerSeen, prefix: bytes, known: Mapping[str, str]
) -> Standing:
    last_seen, trouble = _instant(known.get(device_id, "")), None
    if peer.paused:
        trouble = Trouble("device_paused", f"{peer.name} is paused in Syncthing; resume it there.")
    elif not peer.connected:
        since = f"last seen {_in_words(last_seen)}" if last_seen else "never seen yet"
        words = f"Waiting for {peer.name}: it is not connected, {since}."
        trouble = Trouble("peer_offline", words, warning=False, device_id=device_id)
    return Standing(folder, device_id, peer.name, peer.connected, prefix, trouble, last_seen)


def unreachable(standing: Standing, trouble: Trouble) -> Standing:
    """A device that the folder is not shared with, or that is no peer at all: nothing can be asked of it."""
    return replace(standing, connected=False, trouble=trouble, is_shared=False)


def _instant(text: str) -> str:
    """When a device was last seen, in UTC; empty when it never was, which Syncthing writes as 1970 or the year 1."""
    try:
        # Go writes nanoseconds, which Python reads from 3.11 on; the zone is that of Syncthing's machine.
        found = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return ""
    return found.isoformat(timespec="microseconds") if found.year > 1970 else ""


def _in_words(instant: str) -> str:
    return f"{instant[:16].replace('T', ' ')} UTC"


def scan(client: SyncthingClient, ground: Ground, batch_name: str) -> Trouble | None:
    """Have the batch's own folder scanned; None when Syncthing has read all of it. Raises SyncthingError."""
    if client.scan(ground.folder.id, sub_folder(ground.prefix, batch_name)):
        return None
    return Trouble("scanning", "Syncthing is still reading the batch.", warning=False)


def completion_of(client: SyncthingClient, standing: Standing) -> Completion:
    """How far the peer is with the whole folder, for the progress bar and for what it lacks."""
    return client.completion(standing.folder.id, standing.device_id)


def views(
    client: SyncthingClient, ground: Ground, expected: Iterable[Expected]
) -> Iterator[tuple[Expected, FileView | None]]:
    """Each file as Syncthing's index has it now: one request a file, whatever number of peers it answers for.

    Some are taken from `expected` before the one that is answered. Only files that proof.sendable_name has a name for
    may be asked. Raises SyncthingError.
    """
    unanswered = deque[Expected]()
    names = _names(expected, ground.prefix, unanswered)
    for view in client.files(ground.folder.id, names):
        yield unanswered.popleft(), view


def _names(expected: Iterable[Expected], prefix: bytes, taken: deque[Expected]) -> Iterator[str]:
    for item in expected:
        name = proof.sendable_name(prefix + item.path)
        assert name is not None
        taken.append(item)
        yield name


def unreadable(client: SyncthingClient, ground: Ground, batch_name: str) -> dict[bytes, str]:
    """The batch's paths (relative to batch_dir) that Syncthing could not handle, with its reasons."""
    below = ground.prefix + batch_name.encode() + b"/"
    found = {path.encode(): reason for path, reason in client.folder_errors(ground.folder.id).items()}
    return {path[len(ground.prefix) :]: reason for path, reason in found.items() if path.startswith(below)}
