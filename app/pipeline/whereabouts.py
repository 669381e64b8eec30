"""Where an asset's content is when it may not be where its row says: at its place, in a kept copy, or nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from app.db import kept_copies
from app.errors import FileError, RootUnavailable
from app.files.disk import MEDIA, Disk
from app.files.roots import check_roots
from app.model import Asset, Place, Root, Signature
from app.services import Services


class Whereabouts(Enum):
    """What is at a place where an asset's content should be."""

    HERE = "here"
    MISSING = "missing"
    CHANGED = "changed"
    UNREADABLE = "unreadable"


def look_at(place: Place, asset: Asset, disk: Disk = MEDIA) -> Whereabouts:
    """Read what is at a place now. MISSING and CHANGED are certain, as far as the root is what it should be.

    The caller has its marker checked: an unmounted share also lacks every file.
    """
    try:
        seen = disk.signature_at(place)
        if seen is None:
            return Whereabouts.MISSING
        if seen.size_bytes != asset.size_bytes:
            return Whereabouts.CHANGED
        found = disk.full_digest(place, asset.digest_algorithm or "blake3")
    except (OSError, FileError):
        return Whereabouts.UNREADABLE
    return Whereabouts.HERE if found.digest == asset.digest else Whereabouts.CHANGED


def find_kept_copy(services: Services, roots: Mapping[int, Root], asset: Asset) -> tuple[Place, Signature] | None:
    """A copy that stayed where the asset was copied from, read now and found to have its content; None when none has.

    Raises RootUnavailable when the folder of one is away, and FileError when one cannot be read now: then the
    content is not lost. A copy under a folder that is no longer configured counts only while that is there.
    """
    with services.db.reading() as conn:
        kept = kept_copies.list_of(conn, asset.id)
    unreadable = None
    for root_id, path, _ in kept:
        place = Place(roots[root_id], path)
        if not is_there(services, place.root):
            continue
        found = look_at(place, asset, services.disk)
        signature = _signature(place, services.disk) if found is Whereabouts.HERE else None
        if signature is not None:
            return place, signature
        if found is Whereabouts.UNREADABLE:
            unreadable = place
    if unreadable is not None:
        raise FileError("read", unreadable.absolute, "the copy that was kept there cannot be read now")
    return None


def is_there(services: Services, root: Root) -> bool:
    """Whether a root can be used now; False only for one that the settings no longer name. Raises RootUnavailable."""
    try:
        check_roots(services.db, [root])
    except RootUnavailable:
        if root in services.roots.get(root.kind, ()):
            raise
        return False
    return True


def _signature(place: Place, disk: Disk) -> Signature | None:
    try:
        return disk.signature_at(place)
    except OSError:
        return None
