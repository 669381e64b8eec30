"""Disks mounted somewhere below a root: when one is away, the folder it was mounted on looks merely empty."""

from __future__ import annotations

import os

from app.files.walk import open_folder
from app.model import Place


def mount_point_without_disk(place: Place, device: int) -> bytes | None:
    """The whole path of the folder on which the disk of a file is not mounted now, for a file that is not there and
    was last seen on this device; None when nothing says so.

    An empty folder on another device says so. One that holds anything does not: many file systems get another number
    with every mount, and then a file that is really missing lacks only itself. Raises OSError when the file system
    cannot tell.
    """
    folder = place.path.rpartition(b"/")[0]
    while folder:
        try:
            descriptor = open_folder(place.root, folder)
        except (FileNotFoundError, NotADirectoryError):
            folder = folder.rpartition(b"/")[0]
            continue
        try:
            is_without = os.fstat(descriptor).st_dev != device and not os.listdir(descriptor)
        finally:
            os.close(descriptor)
        return Place(place.root, folder).absolute if is_without else None
    return None
