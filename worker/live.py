"""What the worker's threads know of the peers at this moment, from Syncthing's events. Forgotten when they end."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from app.syncthing.events import Heard, Need
from app.syncthing.seen import Seen


@dataclass(frozen=True)
class Picture:
    """One moment: the folder and its peers, what each lacks, and the blocks that each has of files under way."""

    seen: Seen | None = None
    needs: Mapping[str, Need] = field(default_factory=dict)
    downloads: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def is_connected(self, device_id: str) -> bool | None:
        """Whether a peer is connected; None when it is not known."""
        peer = self.seen.peers.get(device_id) if self.seen is not None else None
        return peer.connected if peer is not None else None


class Live:
    """The newest picture, for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._picture = Picture()

    @property
    def picture(self) -> Picture:
        """The newest picture; it never changes, only gives way to another."""
        with self._lock:
            return self._picture

    def forget(self) -> None:
        """Nothing is known any more: Syncthing is not heard."""
        with self._lock:
            self._picture = Picture()

    def put_seen(self, seen: Seen) -> None:
        """The folder and its peers were looked at. What a peer lacks is not known while it is away."""
        away = {device for device, peer in seen.peers.items() if not peer.connected}
        with self._lock:
            downloads = {d: files for d, files in self._picture.downloads.items() if d not in away}
            self._picture = replace(self._picture, seen=seen, downloads=downloads)

    def put_heard(self, heard: Heard) -> None:
        """Events told of needs and downloads."""
        with self._lock:
            needs = {**self._picture.needs, **heard.needs}
            downloads = {**self._picture.downloads, **heard.downloads}
            self._picture = replace(self._picture, needs=needs, downloads=downloads)
