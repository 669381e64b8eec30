"""Which disks turn: there it costs a movement of the head to read files in another order than they lie in."""

from __future__ import annotations

import os
from pathlib import Path

#: What the kernel tells of each block device, by its numbers.
DEVICES = Path("/sys/dev/block")


def turns(path: bytes, devices: Path = DEVICES) -> bool:
    """Whether the disk that holds a path says that it turns; False where nothing is said, as of a share.

    A virtual machine may say so of a disk that does not.
    """
    try:
        device = os.stat(path).st_dev
        disk = (devices / f"{os.major(device)}:{os.minor(device)}").resolve(strict=True)
    except OSError:
        return False
    # A partition has no queue of its own; that of its disk lies above it.
    return any(_says_so(folder / "queue" / "rotational") for folder in (disk, disk.parent))


def _says_so(file: Path) -> bool:
    try:
        return file.read_text(encoding="ascii").strip() == "1"
    except OSError:
        return False
