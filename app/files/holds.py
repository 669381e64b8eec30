"""Holds: second names of the files of a batch, in our own folder, where no peer of a shared folder reaches them.

Syncthing replaces and removes names, and never writes into a file: what a hold names keeps its content. A hold is made
by a journalled move (place.py) and is known as a kept copy. It is dropped here, and only once the file is certainly
somewhere else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.db.connection import Database
from app.errors import FileError, OutsideRoot
from app.files import faults, lock
from app.files.digest import full_digest
from app.files.directory import Folders, is_regular, look, signature_of, split
from app.files.kinds import suffix
from app.files.lock import mover_lock, refuse_rehearsal
from app.files.moving import HOLDS_FOLDER
from app.files.walk import list_names, signature_at
from app.model import Asset, Place, Root, RootKind, Signature

FOLDER = HOLDS_FOLDER


@dataclass(frozen=True)
class Hold:
    """The hold of an asset, and where the asset's own file lies now."""

    asset: Asset
    place: Place
    home: Place


@dataclass(frozen=True)
class Dropped:
    """A hold that is gone. `signature` is the asset's file afterwards, when losing a name has changed it."""

    hold: Hold
    signature: Signature | None = None


def hold_place(staging: Root, batch_name: str, asset: Asset) -> Place:
    """Where the hold of an asset lies: under its id, with its ending."""
    ending = suffix(asset.path.rpartition(b"/")[2])
    name = b"%d.%s" % (asset.id, ending[:32]) if ending else b"%d" % asset.id
    return Place(staging, b"/".join((FOLDER, os.fsencode(batch_name), name)))


def is_hold(place: Place) -> bool:
    """Whether a place is one of a hold."""
    return place.root.kind is RootKind.STAGING and place.path.startswith(FOLDER + b"/")


def list_holds(staging: Root) -> Iterator[tuple[bytes, int]]:
    """(path, asset id) of every file among the holds. Raises RootUnavailable when they cannot be listed."""
    for folder in _names(staging, FOLDER):
        for name in _names(staging, FOLDER + b"/" + folder):
            number = name.partition(b".")[0]
            if number.isdigit():
                yield b"/".join((FOLDER, folder, name)), int(number)


def hold_folders(staging: Root) -> list[bytes]:
    """The folders that holds lie in, and the one around them; those that are empty may be removed."""
    return [FOLDER, *(FOLDER + b"/" + name for name in _names(staging, FOLDER))]


def _names(root: Root, folder: bytes) -> list[bytes]:
    try:
        return list_names(root, folder)
    except OSError as error:
        raise faults.of_root(error, root) from error


def drop_holds(db: Database, holds: Sequence[Hold]) -> list[Dropped]:
    """Remove every one of these holds whose asset's file is certainly at home; returns those that are gone.

    At home is the same file under another name, or one that is as it was when it was placed there and verified, or
    that reads to the asset's digest. Raises RootUnavailable, StateError and MoverBusy.
    """
    if not holds:
        return []
    refuse_rehearsal(db)
    dropped = []
    with mover_lock(os.path.dirname(os.path.abspath(db.path))), lock.moving, Folders() as folders:
        for hold in holds:
            gone = _drop(folders, hold)
            if gone is not None:
                dropped.append(gone)
        folders.flush()
    return dropped


def _drop(folders: Folders, hold: Hold) -> Dropped | None:
    try:
        folder, name = split(hold.place)
        fd = folders.open(hold.place.root, folder)
        seen = look(fd, name)
        if seen is None:
            return Dropped(hold)
        if not is_regular(seen) or not _is_at_home(hold, signature_of(seen)):
            return None
        os.unlink(name, dir_fd=fd)
        folders.changed(hold.place.root, folder)
        return Dropped(hold, signature_at(hold.home.root, hold.home.path))
    except (FileNotFoundError, NotADirectoryError):
        return Dropped(hold)
    except (OutsideRoot, FileError):
        return None
    except OSError as error:
        raise faults.of_root(error, hold.place.root) from error


def _is_at_home(hold: Hold, held: Signature) -> bool:
    """Whether the content is certainly where the asset's row says, apart from its hold."""
    home = signature_at(hold.home.root, hold.home.path)
    if home is None or home.size_bytes != hold.asset.size_bytes:
        return False
    if (home.device, home.inode) == (held.device, held.inode) or home == hold.asset.signature:
        return True
    return full_digest(hold.home, hold.asset.digest_algorithm or "blake3").digest == hold.asset.digest
