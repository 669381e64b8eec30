"""Which mount a folder lies on, as the kernel lists them: a rename works within a mount and never between two."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from app.errors import RootUnavailable
from app.model import Root

MOUNT_INFO = "/proc/self/mountinfo"
ESCAPE = re.compile(rb"\\([0-7]{3})")


@dataclass(frozen=True)
class Mount:
    """One mount: its number, where it is mounted, the kind of file system, and whether it may be written to."""

    id: int
    point: bytes
    type: str
    read_only: bool


def mount_of(root: Root) -> tuple[int, bytes]:
    """What tells mounts apart: the device, and the mount point, since one disk can be mounted twice.

    Raises RootUnavailable.
    """
    try:
        device = os.stat(root.path).st_dev
        point = os.path.realpath(root.path)
        while point != b"/" and not os.path.ismount(point):
            point = os.path.dirname(point)
    except OSError as error:
        raise RootUnavailable(root.kind, root.path, error.strerror or str(error)) from error
    return device, point


def find_mount(path: bytes) -> Mount | None:
    """The mount that holds a path; None where the kernel does not tell."""
    try:
        with open(MOUNT_INFO, "rb") as file:
            mounts = [_parse(line) for line in file]
    except OSError:
        return None
    resolved = os.path.realpath(path)
    holding = [m for m in mounts if resolved == m.point or resolved.startswith(m.point.rstrip(b"/") + b"/")]
    # Of two mounts at one point the later one hides the earlier one.
    return max(enumerate(holding), key=lambda pair: (len(pair[1].point), pair[0]))[1] if holding else None


def _parse(line: bytes) -> Mount:
    own, _, of_system = line.partition(b" - ")
    fields, system = own.split(), of_system.split()
    point = ESCAPE.sub(lambda match: bytes([int(match[1], 8)]), fields[4])
    options = {*fields[5].split(b","), *system[2].split(b",")}
    return Mount(int(fields[0]), point, system[0].decode(), b"ro" in options)
