"""Room on an imagined disk: what rehearsed copies would take. A rename within one mount takes none, and nothing is
given back: what is moved to another mount leaves its source in the trash for some days."""

from __future__ import annotations

import os
from dataclasses import dataclass

from app.errors import RootUnavailable
from app.files.mounts import mount_of
from app.files.roots import free_bytes
from app.model import Root


@dataclass(frozen=True)
class Need:
    """What a root would take in, and what its file system has free now for all roots on it."""

    root: Root
    needed_bytes: int
    free_bytes: int
    fits: bool


class ImaginedRoom:
    """Counts bytes by root and by file system."""

    def __init__(self) -> None:
        #: What a real disk would have refused, in words.
        self.shortages: list[str] = []
        self._mounts: dict[int, tuple[int, bytes]] = {}
        self._devices: dict[int, int] = {}
        self._free_at_first: dict[int, int] = {}
        self._taken_by_device: dict[int, int] = {}
        self._taken_by_root: dict[int, int] = {}
        self._roots: dict[int, Root] = {}

    def is_across(self, source: Root, target: Root) -> bool:
        """Whether a move between these roots has to copy."""
        return self._mount(source) != self._mount(target)

    def take(self, root: Root, size_bytes: int) -> None:
        """A copy of this size was rehearsed."""
        device = self._device(root)
        self.free_bytes(root)
        self._taken_by_device[device] = self._taken_by_device.get(device, 0) + size_bytes
        self._taken_by_root[root.id] = self._taken_by_root.get(root.id, 0) + size_bytes

    def free_bytes(self, root: Root) -> int:
        """What would be free now. Raises RootUnavailable."""
        device = self._device(root)
        self._roots[root.id] = root
        if device not in self._free_at_first:
            self._free_at_first[device] = free_bytes(root)
        return self._free_at_first[device] - self._taken_by_device.get(device, 0)

    def needs(self, of_roots: list[Root]) -> list[Need]:
        """What each of these roots takes in all, and whether its file system can take all of it."""
        found = []
        for root in of_roots:
            try:
                left = self.free_bytes(root)
            except RootUnavailable:
                continue  # a disk for deliveries that is not there takes nothing now
            device = self._device(root)
            taken = self._taken_by_root.get(root.id, 0)
            found.append(Need(root, taken, self._free_at_first[device], left >= 0))
        return found

    def _mount(self, root: Root) -> tuple[int, bytes]:
        if root.id not in self._mounts:
            self._mounts[root.id] = mount_of(root)
        return self._mounts[root.id]

    def _device(self, root: Root) -> int:
        if root.id not in self._devices:
            try:
                self._devices[root.id] = os.stat(root.path).st_dev
            except OSError as error:
                raise RootUnavailable(root.kind, root.path, error.strerror or str(error)) from error
        return self._devices[root.id]
