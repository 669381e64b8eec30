"""File systems of many kinds, each mounted afresh below a folder and gone with its context. Needs root."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.torture.power import Disk, said_by
from tests.torture.tracing import REPOSITORY

IMAGE_BYTES = 64 << 20
MOUNT_SECONDS = 20

Mounter = Callable[[Path, ExitStack], Path]


def _run(*command: str | Path) -> None:
    said_by(*(str(part) for part in command))


def _made(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def _on_loop(kind: str) -> Mounter:
    def mount(base: Path, stack: ExitStack) -> Path:
        disk = Disk.make(kind, base)
        stack.callback(disk.remove)
        return disk.folder

    return mount


def _tmpfs(base: Path, stack: ExitStack) -> Path:
    folder = _made(base / "tmpfs")
    _run("mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", folder)
    stack.callback(_unmount, folder)
    return folder


def _overlay(base: Path, stack: ExitStack) -> Path:
    below, folder = _tmpfs(base, stack), _made(base / "overlay")
    for name in ("lower", "upper", "work"):
        _made(below / name)
    _run("mount", "-t", "overlay", "-o", f"lowerdir={below}/lower,upperdir={below}/upper,workdir={below}/work",
         "overlay", folder)  # fmt: skip
    stack.callback(_unmount, folder)
    return folder


def _on_image(mkfs: tuple[str, ...], mount_command: str) -> Mounter:
    def mount(base: Path, stack: ExitStack) -> Path:
        folder, image = _made(base / "mounted"), base / "image"
        with image.open("wb") as file:
            file.truncate(IMAGE_BYTES)
        _run(*mkfs, image)
        device = said_by("losetup", "--find", "--show", str(image))
        stack.callback(_run, "losetup", "--detach", device)
        _run(mount_command, device, folder)
        stack.callback(_unmount, folder)
        return folder

    return mount


def _over_folders(*command: str, folders: int) -> Mounter:
    def mount(base: Path, stack: ExitStack) -> Path:
        behind = [_tmpfs(base / f"behind{number}", stack) for number in range(folders)]
        folder = _made(base / "mounted")
        _run(*command, ":".join(map(str, behind)), folder)
        stack.callback(_unmount, folder)
        return folder

    return mount


def _unmount(folder: Path) -> None:
    """What serves it, or another one over it, may still be busy with the last call."""
    deadline = time.monotonic() + MOUNT_SECONDS
    while subprocess.run(["umount", str(folder)], capture_output=True, check=False).returncode:
        assert time.monotonic() < deadline, f"{folder} stays mounted"
        time.sleep(0.1)


def _quirky(*quirks: str) -> Mounter:
    def mount(base: Path, stack: ExitStack) -> Path:
        behind, folder = _tmpfs(base, stack), _made(base / "quirky")
        command = [sys.executable, "-m", "tests.torture.quirky", str(behind), str(folder), *quirks]
        server = subprocess.Popen(command, cwd=REPOSITORY)
        stack.callback(server.wait, MOUNT_SECONDS)
        deadline = time.monotonic() + MOUNT_SECONDS
        while not os.path.ismount(folder):
            assert server.poll() is None and time.monotonic() < deadline, f"{command} does not mount"
            time.sleep(0.02)
        stack.callback(_unmount, folder)
        return folder

    return mount


KINDS: dict[str, Mounter] = {
    "ext4": _on_loop("ext4"),
    "xfs": _on_loop("xfs"),
    "btrfs": _on_loop("btrfs"),
    "tmpfs": _tmpfs,
    "overlay": _overlay,
    "exfat": _on_image(("mkfs.exfat",), "mount.exfat-fuse"),
    "ntfs": _on_image(("mkfs.ntfs", "-q", "-F", "-Q"), "ntfs-3g"),
    "mergerfs": _over_folders("mergerfs", "-o", "minfreespace=0,category.create=mfs", folders=2),
    "bindfs": _over_folders("bindfs", folders=1),
    "a share without links and case": _quirky("short", "nolink", "nocase"),
}

#: Not for the matrix: nothing that it stores is what was written.
GARBLING = _quirky("flip")


@contextmanager
def mounted(mounter: Mounter, base: Path) -> Iterator[Path]:
    """One of them, at a folder below `base`."""
    with ExitStack() as stack:
        yield mounter(_made(base), stack)
