"""Before a rebuild gives up a file: is the disk that it lies on mounted?"""

from __future__ import annotations

from collections.abc import Sequence

from app.db import rebuild_rows
from app.errors import RootUnavailable
from app.files.nested_disks import mount_point_without_disk
from app.model import Place, Root
from app.services import Services


def refuse_without_disks(services: Services, walked: Sequence[Root]) -> None:
    """Raise RootUnavailable when a row's file is not at its place because a disk below a root is not mounted."""
    asked: set[tuple[int, bytes, int]] = set()
    for root in walked:
        with services.db.reading() as conn:
            for path, device in rebuild_rows.list_unseen(conn, root.id):
                folder = path.rpartition(b"/")[0]
                if (root.id, folder, device) not in asked:
                    asked.add((root.id, folder, device))
                    _refuse(root, path, device)


def _refuse(root: Root, path: bytes, device: int) -> None:
    place = Place(root, path)
    try:
        mount_point = mount_point_without_disk(place, device)
    except OSError as error:
        raise RootUnavailable(root.kind, place.absolute, error.strerror or str(error)) from error
    if mount_point is not None:
        reason = (
            "it is empty and on another disk than it was, and files are missing there; mount its disk, or remove the "
            "empty folder if they are gone, then begin again"
        )
        raise RootUnavailable(root.kind, mount_point, reason)
