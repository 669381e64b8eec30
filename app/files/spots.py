"""What lies at a name, as exactly as the file system tells: nothing, the file that is expected, or something else."""

from __future__ import annotations

import os

from app.files import faults
from app.files.directory import is_regular, look
from app.files.walk import open_folder
from app.model import Place, Signature
from app.model.undo import Spot


class Names:
    """What lies at names below a root. The folder of the last name stays open, since names come folder by folder."""

    def __init__(self) -> None:
        self._folder: tuple[int, bytes] | None = None
        self._descriptor: int | None = None

    def find(self, place: Place) -> os.stat_result | None:
        """What is at the name itself (a link is not followed); None when there is certainly nothing.

        Raises OSError for every other answer, and when a part of the path is not a folder.
        """
        folder, _, name = place.path.rpartition(b"/")
        if self._folder != (place.root.id, folder):
            self.close()
            try:
                self._descriptor = open_folder(place.root, folder)
            except FileNotFoundError:
                self._descriptor = None
            self._folder = (place.root.id, folder)
        return None if self._descriptor is None else look(self._descriptor, name)

    def close(self) -> None:
        """Let go of the folder."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._folder = self._descriptor = None


def spot_at(names: Names, place: Place, expected: Signature | None, size_bytes: int | None = None) -> Spot:
    """What lies at a place, where a file with this signature, or at least of this size, is expected."""
    try:
        seen = names.find(place)
    except OSError as error:
        return Spot.BLOCKED if error.errno in faults.NOT_A_FOLDER else Spot.UNKNOWN
    if seen is None:
        return Spot.FREE
    wanted = expected.size_bytes if expected is not None else size_bytes
    if not is_regular(seen) or seen.st_size != wanted:
        return Spot.OTHER
    is_known = expected is not None and seen.st_mtime_ns == expected.mtime_ns
    return Spot.SAME if is_known else Spot.UNREAD
