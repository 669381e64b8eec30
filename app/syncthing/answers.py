"""What Syncthing answered, as values: only the parts that decisions rest on, whatever its version.

Each raises AttributeError, TypeError, ValueError or OverflowError for what Syncthing never answers; the client makes
one error of that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FileView:
    """One file as `GET /rest/db/file` shows it. `holders` are the connected devices that hold the global version whole,
    `partial_holders` those that have some of it so far; `modified_by` begins the ID of who made the local version."""

    size_bytes: int
    version: tuple[str, ...]
    global_version: tuple[str, ...]
    deleted: bool
    invalid: bool
    ignored: bool
    global_deleted: bool
    global_modified_by: str
    holders: frozenset[str]
    partial_holders: frozenset[str] = frozenset()
    modified_by: str = ""


@dataclass(frozen=True)
class FolderView:
    """One folder as `GET /rest/config/folders/ID` shows it. `devices` includes our own."""

    id: str
    path: str
    type: str
    paused: bool
    devices: tuple[str, ...]
    label: str = ""
    marker_name: str = ".stfolder"
    min_disk_free: float = 0
    min_disk_free_unit: str = ""


@dataclass(frozen=True)
class Completion:
    """`GET /rest/db/completion`: for the progress bar only. `remote_state` is "" before Syncthing 1.20."""

    percent: float
    need_items: int
    need_bytes: int
    need_deletes: int
    sequence: int
    remote_state: str


def file_view(answer: Mapping[str, Any]) -> FileView:
    """The file from the answer's JSON."""
    local, whole = _mapping(answer.get("local")), _mapping(answer.get("global"))
    available = answer.get("availability") or []
    return FileView(
        size_bytes=int(local.get("size") or 0),
        version=_version(local),
        global_version=_version(whole),
        deleted=bool(local.get("deleted")),
        invalid=bool(local.get("invalid")) or bool(local.get("mustRescan")),
        ignored=bool(local.get("ignored")),
        global_deleted=bool(whole.get("deleted")),
        global_modified_by=str(whole.get("modifiedBy") or ""),
        holders=frozenset(str(a.get("id")) for a in available if not a.get("fromTemporary")),
        partial_holders=frozenset(str(a.get("id")) for a in available if a.get("fromTemporary")),
        modified_by=str(local.get("modifiedBy") or ""),
    )


def folder_view(answer: Mapping[str, Any]) -> FolderView:
    """The folder from the answer's JSON."""
    devices = tuple(str(d.get("deviceID")) for d in answer.get("devices") or [])
    room = _mapping(answer.get("minDiskFree"))
    return FolderView(
        id=str(answer.get("id") or ""),
        path=str(answer.get("path") or ""),
        type=str(answer.get("type") or ""),
        paused=bool(answer.get("paused")),
        devices=devices,
        label=str(answer.get("label") or ""),
        marker_name=str(answer.get("markerName") or ".stfolder"),
        min_disk_free=float(room.get("value") or 0),
        min_disk_free_unit=str(room.get("unit") or ""),
    )


def completion(answer: Mapping[str, Any]) -> Completion:
    """The completion from the answer's JSON."""
    return Completion(
        percent=float(answer.get("completion") or 0),
        need_items=int(answer.get("needItems") or 0),
        need_bytes=int(answer.get("needBytes") or 0),
        need_deletes=int(answer.get("needDeletes") or 0),
        sequence=int(answer.get("sequence") or 0),
        remote_state=str(answer.get("remoteState") or ""),
    )


def connections(answer: Mapping[str, Any]) -> dict[str, bool]:
    """Whether each device is connected now."""
    return {str(device): bool(entry.get("connected")) for device, entry in (answer.get("connections") or {}).items()}


def last_seen(answer: Mapping[str, Any]) -> dict[str, str]:
    """When each device was last seen, as Syncthing writes it."""
    return {device: str(entry.get("lastSeen") or "") for device, entry in answer.items()}


def folder_errors(answer: Mapping[str, Any]) -> dict[str, str]:
    """The reasons of the paths that could not be handled."""
    return {str(error.get("path")): str(error.get("error")) for error in answer.get("errors") or []}


def ignore_lines(answer: Mapping[str, Any]) -> list[str]:
    """The lines of a folder's ignore list."""
    return [str(line) for line in answer.get("ignore") or []]


def sequence_of(answer: Mapping[str, Any]) -> int:
    """How often the indexes of a folder have changed."""
    return int(answer.get("sequence") or 0)


def device_label(entry: Mapping[str, Any], device_id: str) -> str:
    """What a person calls a device of Syncthing's configuration: its name there, else the beginning of its ID."""
    return str(entry.get("name") or "") or device_id[:7]


def _version(part: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(v) for v in part.get("version") or [])


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
