"""Is there room for what is about to be moved? Asked before a batch is built or sorted, not found out half-way."""

from __future__ import annotations

from collections.abc import Mapping

from app.errors import NoSpace
from app.files.disk import MEDIA, Disk
from app.files.mounts import mount_of
from app.model import Root
from app.model.counting import size_in_words as in_words

__all__ = ["in_words", "require_room"]


def require_room(
    verb: str,
    sizes: Mapping[int, int],
    roots: Mapping[int, Root],
    target: Root,
    *,
    copies: bool,
    disk: Disk = MEDIA,
) -> None:
    """Raise NoSpace unless the target can take so many bytes from each root; a rename within one mount takes no room.

    This is a first look. Where a rename turns out to be impossible, the mover finds out file by file.
    """
    target_mount = mount_of(target)
    needed = sum(size for i, size in sizes.items() if copies or mount_of(roots[i]) != target_mount)
    free = disk.free_bytes(target) if needed else 0
    if needed > free:
        disk.refuse(NoSpace(verb, target.path, f"it needs {in_words(needed)} and has {in_words(free)} free"))
