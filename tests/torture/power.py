"""Cutting the power of file systems while files are moved: what was not flushed is gone, as on a real disk.

The file systems are ext4 or xfs on loop images, and their power is cut by FS_IOC_SHUTDOWN (include/uapi/linux/fs.h),
from within the process that moves: asked for by another one a moment later, ext4 kept what it should have lost.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.torture import case
from tests.torture.case import Where

FS_IOC_SHUTDOWN = 0x8004587D
#: Everything is flushed first; the journal is, data is not; nothing is.
FLUSH_ALL, FLUSH_JOURNAL, FLUSH_NOTHING = 0, 1, 2
IMAGE_BYTES = 320 << 20
HELD_SECONDS = 60.0


@dataclass(frozen=True)
class Disk:
    """One file system on a loop device, which stays the same one: with a new one for each mount, what an old one still
    holds could be written over it later."""

    device: str
    folder: Path

    @classmethod
    def make(cls, kind: str, base: Path) -> Disk:
        """A new one, mounted at `base`/disk. Needs root and mkfs of that kind."""
        image, folder = base / "image", base / "disk"
        folder.mkdir(parents=True)
        with image.open("wb") as file:
            file.truncate(IMAGE_BYTES)
        subprocess.run([f"mkfs.{kind}", "-q", str(image)], check=True, capture_output=True)
        disk = cls(said_by("losetup", "--find", "--show", str(image)), folder)
        disk.mount()
        return disk

    def mount(self) -> None:
        """Mount it; what its journal holds is taken up. A container or another mount namespace that was begun meanwhile
        keeps what is mounted now, without power: it is waited for until that ends."""
        said_by("mount", self.device, str(self.folder))
        deadline = time.monotonic() + HELD_SECONDS
        while self._is_off():
            assert time.monotonic() < deadline, f"another mount namespace holds {self.device}"
            self.unmount()
            time.sleep(0.2)
            said_by("mount", self.device, str(self.folder))

    def _is_off(self) -> bool:
        probe = self.folder / "probe"
        try:
            probe.touch()
            probe.unlink()
        except OSError as error:
            return error.errno in (errno.EIO, errno.EROFS)
        return False

    def unmount(self) -> None:
        """Take it away, with its power on or off."""
        said_by("umount", str(self.folder))

    def remove(self) -> None:
        """Take it away for good."""
        self.unmount()
        said_by("losetup", "--detach", self.device)

    def flush(self) -> None:
        """Everything on it is durable after this."""
        said_by("sync", "-f", str(self.folder))


def said_by(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def move_until_cut(
    where: Where,
    disks: Sequence[str],
    flags: Sequence[int],
    calls: int = 0,
    seconds: float = 0.0,
    doing: str = "move_all",
) -> None:
    """Act until the power of all disks is cut: before the `calls`-th call into C, or after `seconds`."""
    folders = [os.open(disk, os.O_RDONLY) for disk in disks]

    def cut() -> None:
        _cut(folders, flags)

    if calls:
        _at_call(calls, cut)
    else:
        threading.Thread(target=lambda: (time.sleep(seconds), cut()), daemon=True).start()
    getattr(case, doing)(where)
    sys.setprofile(None)
    cut()


def write_then_cut(_where: Where, disk: str, name: str) -> None:
    """Write a file that is not flushed, and cut the disk's power at once."""
    Path(disk, name).write_bytes(b"not flushed")
    _cut([os.open(disk, os.O_RDONLY)], [FLUSH_NOTHING])


def calls_of(where: Where, said: str, doing: str = "move_all") -> None:
    """Act without a cut and write into the file `said` how many calls into C that took."""
    counted = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event == "c_call"

    sys.setprofile(count)
    getattr(case, doing)(where)
    sys.setprofile(None)
    Path(said).write_text(str(counted))


def _cut(folders: Sequence[int], flags: Sequence[int]) -> None:
    for folder, flag in zip(folders, flags, strict=True):
        fcntl.ioctl(folder, FS_IOC_SHUTDOWN, struct.pack("I", flag))
    os.kill(os.getpid(), signal.SIGKILL)


def _at_call(ordinal: int, cut: Callable[[], None]) -> None:
    left = ordinal

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal left
        left -= event == "c_call"
        if left <= 0 and event == "c_call":
            sys.setprofile(None)
            cut()

    sys.setprofile(count)
