"""What is on disk for an unfinished move: its source, temporary file, target and trash, re-hashed."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from enum import Enum

from app.db.moves import MoveRow
from app.files import content, faults
from app.files.directory import Folders, is_regular, look, split
from app.files.moving import TRASH_FOLDER
from app.model import Place, Root


class Found(Enum):
    """The content at one name, compared with what was planned."""

    ABSENT = "absent"
    RIGHT = "right"
    WRONG = "wrong"


@dataclass(frozen=True)
class Fact:
    """What one name holds, and which inode and size it has when there is something."""

    found: Found
    device: int = 0
    inode: int = 0
    size_bytes: int = 0

    @property
    def absent(self) -> bool:
        """Nothing is there, for certain."""
        return self.found is Found.ABSENT

    @property
    def right(self) -> bool:
        """The planned content is there."""
        return self.found is Found.RIGHT

    def same_file(self, other: Fact) -> bool:
        """Whether both names are of one inode."""
        return not self.absent and not other.absent and (self.device, self.inode) == (other.device, other.inode)


NOTHING = Fact(Found.ABSENT)


@dataclass(frozen=True)
class Places:
    """Every name that an unfinished move can have touched."""

    source: Place
    target: Place
    temp: Place | None
    trash: Place | None


@dataclass(frozen=True)
class Facts:
    """What those names hold."""

    source: Fact
    target: Fact
    temp: Fact
    trash: Fact


def places_of(row: MoveRow, roots: dict[int, Root]) -> Places:
    """The names of a row. KeyError never happens: the table refers to the roots table."""
    target = Place(roots[row.dst_root_id], row.dst_path)
    temp = None
    if row.tmp_name is not None:
        folder = split(target)[0]
        temp = Place(target.root, (folder + b"/" if folder else b"") + row.tmp_name)
    trash = None
    if row.trash_path is not None and row.trash_root_id is not None:
        trash = Place(roots[row.trash_root_id], row.trash_path)
    return Places(Place(roots[row.src_root_id], row.src_path), target, temp, trash)


def gather(folders: Folders, row: MoveRow, places: Places) -> Facts:
    """Look at every name. Raises RootUnavailable when one cannot be told for certain."""
    return Facts(
        fact_of(folders, row, places.source),
        fact_of(folders, row, places.target),
        fact_of(folders, row, places.temp),
        fact_of(folders, row, places.trash),
    )


def fact_of(folders: Folders, row: MoveRow, place: Place | None) -> Fact:
    """What is at one name, its content re-hashed when the size fits."""
    if place is None:
        return NOTHING
    try:
        return _fact(folders, row, place)
    except FileNotFoundError:
        return NOTHING
    except OSError as error:
        if error.errno in faults.NOT_A_FOLDER:
            return NOTHING  # a part of the path is a link or a file now: below it there is nothing of ours
        raise faults.of_root(error, place.root) from error


def _fact(folders: Folders, row: MoveRow, place: Place) -> Fact:
    folder, name = split(place)
    fd = folders.open(place.root, folder)
    seen = look(fd, name)
    if seen is None:
        return NOTHING
    found = Found.WRONG
    if is_regular(seen) and seen.st_size == row.size_bytes and not row.is_directory:
        found = _compare(fd, name, row)
    return Fact(found, seen.st_dev, seen.st_ino, seen.st_size)


def _compare(fd: int, name: bytes, row: MoveRow) -> Found:
    try:
        read = content.read_digest(fd, name, row.digest_algorithm or "blake3")
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return Found.WRONG
    return Found.RIGHT if read is not None and read[0] == row.digest else Found.WRONG


def is_in_trash_folder(place: Place) -> bool:
    """Whether a place is one of our private trash names."""
    folder, name = split(place)
    return folder == TRASH_FOLDER or name.startswith(b".mp-trash-")
