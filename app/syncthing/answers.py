"""What Syncthing answered, as values: only the parts that decisions rest on, whatever its version.

Each raises AttributeError, LookupError, TypeError, ValueError or OverflowError for what Syncthing never answers; the
client makes one error of that. Nothing that is missing is taken for good news.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.errors import printable

#: No device is called more than that.
NAME_LENGTH = 100
#: What Syncthing tells of a file that one side does not have.
NO_FILE = {"size": 0, "version": None, "deleted": False, "invalid": False, "ignored": False, "mustRescan": False,
           "modifiedBy": ""}  # fmt: skip


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
    local, whole = _part(answer, "local"), _part(answer, "global")
    available = _entries(answer, "availability")
    return FileView(
        size_bytes=_number(local, "size"),
        version=tuple(_texts(local["version"])),
        global_version=tuple(_texts(whole["version"])),
        deleted=_flag(local, "deleted"),
        invalid=any([_flag(local, "invalid"), _flag(local, "mustRescan")]),
        ignored=_flag(local, "ignored"),
        global_deleted=_flag(whole, "deleted"),
        global_modified_by=_text(whole, "modifiedBy"),
        holders=frozenset(_text(a, "id") for a in available if not _flag(a, "fromTemporary")),
        partial_holders=frozenset(_text(a, "id") for a in available if _flag(a, "fromTemporary")),
        modified_by=_text(local, "modifiedBy"),
    )


def folder_view(answer: Mapping[str, Any]) -> FolderView:
    """The folder from the answer's JSON. What one version or another does not tell has its default."""
    room = answer.get("minDiskFree") or {}
    return FolderView(
        id=_text(answer, "id"),
        path=_text(answer, "path"),
        type=_text(answer, "type"),
        paused=_flag(answer, "paused"),
        devices=tuple(_text(device, "deviceID") for device in _entries(answer, "devices")),
        label=_text(answer, "label", ""),
        marker_name=_text(answer, "markerName", "") or ".stfolder",
        min_disk_free=float(room.get("value") or 0),
        min_disk_free_unit=_text(room, "unit", ""),
    )


def completion(answer: Mapping[str, Any]) -> Completion:
    """The completion from the answer's JSON."""
    return Completion(
        percent=_percent(answer),
        need_items=_number(answer, "needItems"),
        need_bytes=_number(answer, "needBytes"),
        need_deletes=_number(answer, "needDeletes"),
        sequence=_number(answer, "sequence"),
        remote_state=_text(answer, "remoteState", ""),
    )


def names_needed(answer: Mapping[str, Any]) -> list[str]:
    """The names on one page of `GET /rest/db/remoteneed`."""
    if not isinstance(answer["files"], list):
        raise TypeError("files")
    return [_text(file, "name") for file in _entries(answer, "files")]


def connections(answer: Mapping[str, Any]) -> dict[str, bool]:
    """Whether each device is connected now."""
    return {str(device): _flag(entry, "connected") for device, entry in answer["connections"].items()}


def last_seen(answer: Mapping[str, Any]) -> dict[str, str]:
    """When each device was last seen, as Syncthing writes it."""
    return {device: _text(entry, "lastSeen") for device, entry in answer.items()}


def folder_errors(answer: Mapping[str, Any]) -> dict[str, str]:
    """The reasons of the paths that could not be handled."""
    return {_text(error, "path"): _text(error, "error") for error in _entries(answer, "errors")}


def ignore_lines(answer: Mapping[str, Any]) -> list[str]:
    """The lines of a folder's ignore list, which is written back with ours: it must be all of it."""
    return _texts(answer["ignore"])


def sequence_of(answer: Mapping[str, Any]) -> int:
    """How often the indexes of a folder have changed, from its status, which must tell of its state as well."""
    _text(answer, "state")
    for fault in ("error", "invalid"):
        _text(answer, fault, "")
    return _number(answer, "sequence")


def own_id(answer: Mapping[str, Any]) -> str:
    """The device ID of the Syncthing that answers."""
    found = _text(answer, "myID")
    if not found:
        raise ValueError("myID")
    return found


def system_status(answer: Any) -> dict[str, Any]:
    """The status as it is; it names the Syncthing that answers, and its listeners by their addresses."""
    own_id(whole(answer))
    whole(answer.get("connectionServiceStatus", {}))
    return dict(answer)


def devices(answer: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Every device of the configuration by its ID."""
    for entry in answer:
        _text(entry, "name", "")
        _flag(entry, "paused")
    return {_text(entry, "deviceID"): dict(entry) for entry in answer}


def listed_paths(answer: Any) -> list[str]:
    """What lies at a place, from `GET /rest/system/browse`: a list, also when nothing does."""
    if not isinstance(answer, list):
        raise TypeError("paths")
    return _texts(answer)


def effective_lines(answer: Mapping[str, Any]) -> list[str]:
    """The lines of a folder's ignore list with those that it includes from other files."""
    return _texts(answer["expanded"])


def whole(answer: Any) -> dict[str, Any]:
    """An object as it is, for a person to read."""
    if not isinstance(answer, dict):
        raise TypeError("object")
    return answer


def entries(answer: Any) -> dict[str, Mapping[str, Any]]:
    """Objects by their names."""
    found = whole(answer)
    for entry in found.values():
        whole(entry)
    return found


def text_of(entry: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """A text that every version tells, unless there is a default for one that does not."""
    return _text(entry, name, default)


def shown_name(value: Any) -> str:
    """What a device or a folder is called, fit to be shown: one short line without control characters."""
    return printable(str(value or "")[:NAME_LENGTH].encode("utf-8", "replace"))


def device_label(entry: Mapping[str, Any], device_id: str) -> str:
    """What a person calls a device of Syncthing's configuration: its name there, else the beginning of its ID."""
    return shown_name(entry.get("name")) or device_id[:7]


# --- parts of an answer: what is of another kind than Syncthing's, or not there although every version has it, raises


def _text(part: Mapping[str, Any], name: str, default: str | None = None) -> str:
    found = part[name] if default is None else part.get(name, default)
    if not isinstance(found, str):
        raise TypeError(name)
    return found


def _flag(part: Mapping[str, Any], name: str) -> bool:
    found = part[name]
    if not isinstance(found, bool):
        raise TypeError(name)
    return found


def _number(part: Mapping[str, Any], name: str) -> int:
    found = part[name]
    if isinstance(found, bool) or not isinstance(found, int):
        raise TypeError(name)
    return found


def _percent(part: Mapping[str, Any]) -> float:
    found = part["completion"]
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        raise TypeError("completion")
    return float(found)


def _entries(part: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A list of objects, for which Syncthing writes null when it is empty."""
    found = part[name]
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(entry, Mapping) for entry in found):
        raise TypeError(name)
    return found


def _part(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """One side's view of a file; where it has none, Syncthing writes null, nothing, or a file without a version."""
    found = answer[name]
    if found is not None and not isinstance(found, Mapping):
        raise TypeError(name)
    return found or NO_FILE


def _texts(found: Any) -> list[str]:
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise TypeError("list")
    return found
