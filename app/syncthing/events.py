"""Syncthing's events: a call to look, never the truth.

They come in order, each with an id that grows by one; after a restart the ids begin anew, and of a long absence the
oldest are gone. So nothing here rests on having heard every event: whoever misses some looks for himself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.errors import SyncthingUnreachable
from app.syncthing.client import SyncthingClient

#: What is asked for. Asking for other kinds makes Syncthing begin another memory, in which nothing earlier is.
KINDS = (
    "ClusterConfigReceived",
    "ConfigSaved",
    "DeviceConnected",
    "DeviceDisconnected",
    "DevicePaused",
    "DeviceResumed",
    "FolderCompletion",
    "FolderErrors",
    "FolderPaused",
    "FolderResumed",
    "RemoteDownloadProgress",
    "RemoteIndexUpdated",
    "StateChanged",
)
#: After these, somebody may have come, gone or paused, or the folder may have changed.
STATE_KINDS = frozenset(
    {"ClusterConfigReceived", "ConfigSaved", "DeviceConnected", "DeviceDisconnected", "DevicePaused", "DeviceResumed"}
)
FOLDER_STATE_KINDS = frozenset({"FolderErrors", "FolderPaused", "FolderResumed"})
#: Of more events than these at once only the newest are taken; the gap is noticed.
MOST_AT_ONCE = 500
#: How much longer than asked for an answer may take before it counts as lost.
PATIENCE_SECONDS = 10.0


@dataclass(frozen=True)
class SyncthingEvent:
    """One event: `id` counts the events of our kinds."""

    id: int
    kind: str
    data: Mapping[str, Any]


class EventsClient(SyncthingClient):
    """A client of its own for listening: its one connection is held by the question for the next event."""

    def last_event_id(self) -> int:
        """The id of the newest event, 0 when there is none; from the first call on, Syncthing remembers our kinds."""
        return max((event.id for event in self._events({"since": "0", "limit": "1", "timeout": "0"}, 0.0)), default=0)

    def events(self, since: int, timeout_seconds: int) -> list[SyncthingEvent]:
        """The events after this id, the oldest first; waits for one when there is none, and may come back empty."""
        asked = {"since": str(since), "limit": str(MOST_AT_ONCE), "timeout": str(timeout_seconds)}
        return self._events(asked, timeout_seconds)

    def cut(self) -> None:
        """End a wait for events from another thread; the waiting call raises."""
        self._guard.cut()

    def _events(self, asked: dict[str, str], seconds: float) -> list[SyncthingEvent]:
        parameters = {**asked, "events": ",".join(KINDS)}
        content = self._answer("GET", "events", parameters, read_seconds=seconds + PATIENCE_SECONDS)
        try:
            found = json.loads(content) or []
            return [SyncthingEvent(int(item["id"]), str(item["type"]), item.get("data") or {}) for item in found]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise SyncthingUnreachable(self.url, "its events cannot be read") from error


@dataclass(frozen=True)
class Need:
    """What a device lacks of the folder, by its own word. `sequence` is 0 while it has not said what it holds."""

    items: int
    size_bytes: int
    sequence: int = 1

    @property
    def is_nothing(self) -> bool:
        """Whether it asks for nothing more, having said what it holds. This proves no file."""
        return self.items == 0 and self.sequence > 0


@dataclass
class Heard:
    """What some events say about one folder."""

    #: The folder, or some device, may not be as it was.
    has_new_state: bool = False
    #: How often each device told that it holds something new.
    index_updates: dict[str, int] = field(default_factory=dict)
    needs: dict[str, Need] = field(default_factory=dict)
    #: Per device, how many blocks it has of each file that it is fetching; a device that fetches none has an empty one.
    downloads: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing of it matters to the folder."""
        return not (self.has_new_state or self.index_updates or self.needs or self.downloads)


def sort_out(events: Iterable[SyncthingEvent], folder_id: str) -> Heard:
    """What these events say about this folder; a later word of a device takes the place of an earlier one."""
    heard = Heard()
    for event in events:
        if _is_new_state(event, folder_id):
            heard.has_new_state = True
        elif event.data.get("folder") == folder_id:
            _hear_device(heard, event, str(event.data.get("device") or ""))
    return heard


def _is_new_state(event: SyncthingEvent, folder_id: str) -> bool:
    if event.kind in STATE_KINDS:
        return True
    is_ours = folder_id in (event.data.get("folder"), event.data.get("id"))
    if event.kind == "StateChanged":
        return is_ours and "error" in (event.data.get("from"), event.data.get("to"))
    return is_ours and event.kind in FOLDER_STATE_KINDS


def _hear_device(heard: Heard, event: SyncthingEvent, device_id: str) -> None:
    data = event.data
    if event.kind == "RemoteIndexUpdated":
        heard.index_updates[device_id] = heard.index_updates.get(device_id, 0) + 1
    elif event.kind == "FolderCompletion":
        heard.needs[device_id] = need_of(data)
    elif event.kind == "RemoteDownloadProgress":
        state = data.get("state")
        files = state.items() if isinstance(state, Mapping) else ()
        heard.downloads[device_id] = {str(name): _number(blocks) for name, blocks in files}


def need_of(data: Mapping[str, Any]) -> Need:
    """What a completion, or the event of one, says that a device lacks."""
    return Need(_number(data.get("needItems")), _number(data.get("needBytes")), _number(data.get("sequence")))


def _number(value: Any) -> int:
    return int(value) if isinstance(value, int | float) else 0


def has_gap(events: list[SyncthingEvent], since: int) -> bool:
    """Whether events are missing between `since` and the first of these."""
    return bool(events) and events[0].id != since + 1
