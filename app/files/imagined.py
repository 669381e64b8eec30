"""An imagined disk: what is really on the media folders, and on top of it what rehearsed moves would have made of it.

Nothing here changes media. What is judged is judged by the rules of real moves: whether the source is the file that
was hashed (prepare.py), whether what is at a taken target is the same (place.py), who holds a place (prepare.py),
what a finished move writes (finish.py). Only the two system calls between are left out: a map says which place holds
what really lies where.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from typing import cast

from app.db import assets, roots
from app.db.connection import Database
from app.db.imagined import ImaginedPlaces
from app.errors import FileError, NoSpace, TargetExists
from app.files import content, twins
from app.files.digest import Digests, full_digest
from app.files.directory import FOLDER_FLAGS, Folders, look, split
from app.files.finish import Settle, finish
from app.files.imagined_room import ImaginedRoom
from app.files.move import GROUP_FILES, AfterGroup, in_groups
from app.files.move_directory import SettleFolder
from app.files.moving import COPY, SAME_CONTENT, Group, Move, Moved, OpenMove, temp_names
from app.files.place import same_content_at_target
from app.files.prepare import accept_content, accept_source, attempt, refuse_impossible, write_intents
from app.files.publish import RENAME
from app.files.walk import Looks, open_folder, signature_at
from app.model import Place, Root, Signature


class ImaginedDisk:
    """For one rehearsal, in one thread. `db` is the rehearsal's own; see `Disk` for what each method promises."""

    def __init__(self, db: Database) -> None:
        self._places = ImaginedPlaces()
        with db.reading() as conn:
            self._roots = {root.id: root for root in roots.list_all(conn)}
        self.room = ImaginedRoom()

    def close(self) -> None:
        """Forget what was imagined."""
        self._places.close()

    def find(self, place: Place) -> Place | None:
        """Where the content that would be at a place lies now; None when the place would be empty.

        A place that no rehearsed move has touched holds what it holds.
        """
        found = self._places.find(place.root.id, place.path)
        if found is None:
            return place
        root_id, path = found
        return None if root_id is None or path is None else Place(self._roots[root_id], path)

    # --- looks

    def signature_at(self, place: Place) -> Signature | None:
        """What the content's file says of itself now."""
        real = self.find(place)
        return None if real is None else signature_at(real.root, real.path)

    def looks(self, root: Root) -> Looks:
        """Looks that also see what was imagined."""
        return _ImaginedLooks(self, root)

    def readable_at(self, place: Place) -> Place:
        """Where the content lies now; of an empty place the place itself, where it is found to be missing."""
        return self.find(place) or place

    def full_digest(self, place: Place, algorithm: str) -> Digests:
        """Read the content where it lies now."""
        return full_digest(self._real(place), algorithm)

    def compare_bytes(self, original: Place, duplicate: Place) -> None:
        """Read both where their contents lie now."""
        twins.compare_bytes(*(self._real(place) for place in (original, duplicate)))

    def share_room(self, original: Place, duplicate: Place) -> int:
        """What would be gained, if the file system is one of those that can do it."""
        return twins.room_to_share(*(self._real(place) for place in (original, duplicate)))

    def _real(self, place: Place) -> Place:
        real = self.find(place)
        if real is None:
            raise FileError("read", place.absolute, "it is no longer there")
        return real

    def free_bytes(self, root: Root) -> int:
        """What would be left."""
        return self.room.free_bytes(root)

    def refuse(self, error: NoSpace) -> None:
        """Note it: the rehearsal goes on, so that it can say how much room is needed in all."""
        self.room.shortages.append(str(error))

    # --- changes, imagined

    def write_new_file(self, place: Place, data: bytes) -> None:
        """Only a name taken by other content is found out."""
        real = self.find(place)
        if real is not None and self._look(place) is not None and _read(real) != data:
            raise TargetExists("write", place.absolute, "the name is taken by other content")

    def remove_own_file(self, place: Place) -> None:
        """The name would be free."""
        self._places.put(place.root.id, place.path, None, None)

    def move_directory(
        self,
        db: Database,
        source: Place,
        target: Place,
        *,
        run_id: int | None,
        batch_id: int,
        purpose: str,
        settle: SettleFolder,
    ) -> None:
        """The assets of the batch that are below the folder would go with it."""
        if self._look(target) is not None:
            raise TargetExists("move", source.absolute, "the target name is taken", target.absolute)
        with db.reading() as conn:
            inside = [a.path for a in assets.list_in_batch(conn, batch_id) if a.root_id == source.root.id]
        for path in inside:
            self._imagine(Place(source.root, path), Place(target.root, path), keep_source=False)
        with db.transaction() as conn:
            settle(conn)

    def move_files(
        self,
        db: Database,
        moves: Sequence[Move],
        *,
        run_id: int | None,
        batch_id: int | None = None,
        settle: Settle | None = None,
        after_group: AfterGroup | None = None,
    ) -> list[Moved]:
        """Judge every move as a real one, and write what it would have written."""
        results: list[Moved] = []
        for few in in_groups(moves, GROUP_FILES):
            begun = [OpenMove(move, temp) for move, temp in zip(few, temp_names(len(few)), strict=True)]
            with Folders() as folders:
                self._move_group(Group(db, folders, run_id, batch_id, {}, set(), begun), settle)
            results += [m.result() for m in begun]
            if after_group is not None:
                after_group(results[-len(few) :])
        return results

    def _move_group(self, group: Group, settle: Settle | None) -> None:
        for moving in group.moves:
            attempt(moving, "move", None, self._check_source, group, moving)
        for moving in group.going_on():
            attempt(moving, "move", moving.move.target, self._check_folder, group, moving)
        if group.going_on():
            write_intents(group)
        if not group.going_on():
            return
        for moving in group.going_on():
            attempt(moving, "move", moving.move.target, self._place, moving)
        finish(group, settle)

    def _check_source(self, group: Group, moving: OpenMove) -> None:
        refuse_impossible(moving)
        source = moving.move.source
        group.folders.root(source.root)  # checks the marker
        if not accept_source(moving, self._look(source)):
            accept_content(moving, lambda: self._read_digest(source, moving.expected[1]))
        if not moving.move.keep_source:
            _require_writable(cast("Place", self.find(source)))

    def _check_folder(self, group: Group, moving: OpenMove) -> None:
        group.folders.root(moving.move.target.root)
        _require_writable(moving.move.target)

    def _place(self, moving: OpenMove) -> None:
        move = moving.move
        seen = self._look(move.target)
        if seen is not None:
            moving.placed = same_content_at_target(
                moving, seen, lambda: self._read_digest(move.target, moving.expected[1])
            )
            moving.method, moving.outcome = SAME_CONTENT, "already_there"
        else:
            moving.placed = moving.source
            copies = move.keep_source or self.room.is_across(move.source.root, move.target.root)
            moving.method = COPY if copies else RENAME
            if copies:
                self.room.take(move.target.root, move.asset.size_bytes)
        self._imagine(move.source, move.target, move.keep_source, is_there=seen is not None)

    def _imagine(self, source: Place, target: Place, keep_source: bool, *, is_there: bool = False) -> None:
        real = self.find(source)
        if real is not None and not is_there:
            self._places.put(target.root.id, target.path, real.root.id, real.path)
        if not keep_source:
            self._places.put(source.root.id, source.path, None, None)

    # --- what is really there

    def _look(self, place: Place) -> os.stat_result | None:
        """What would be at a place, links not followed; None when certainly nothing would."""
        real = self.find(place)
        if real is None:
            return None
        folder, name = split(real)
        try:
            descriptor = open_folder(real.root, folder)
        except FileNotFoundError:
            return None
        try:
            return look(descriptor, name)
        finally:
            os.close(descriptor)

    def _read_digest(self, place: Place, algorithm: str) -> tuple[str, Signature] | None:
        real = self.find(place)
        if real is None:
            return None
        folder, name = split(real)
        descriptor = open_folder(real.root, folder)
        try:
            return content.read_digest(descriptor, name, algorithm)
        finally:
            os.close(descriptor)


class _ImaginedLooks(Looks):
    """Looks at a root of an imagined disk."""

    def __init__(self, disk: ImaginedDisk, root: Root) -> None:
        super().__init__(root)
        self._disk, self._of = disk, root

    def signature_at(self, path: bytes) -> Signature | None:
        """As the one at the real place of the content."""
        place = Place(self._of, path)
        real = self._disk.find(place)
        if real is None:
            return None
        return super().signature_at(path) if real == place else signature_at(real.root, real.path)


def _read(place: Place) -> bytes | None:
    folder, name = split(place)
    descriptor = open_folder(place.root, folder)
    try:
        with os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=descriptor), "rb") as file:
            return file.read()
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _require_writable(place: Place) -> None:
    """Raise the OSError that a change of the folder of this place would raise, as far as that shows without one."""
    descriptor = os.open(place.root.path, FOLDER_FLAGS)
    try:
        for part in split(place)[0].split(b"/"):
            deeper = _enter(descriptor, part)
            if deeper is None:
                break
            os.close(descriptor)
            descriptor = deeper
        if os.fstatvfs(descriptor).f_flag & os.ST_RDONLY:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        if not os.access(b".", os.W_OK | os.X_OK, dir_fd=descriptor, effective_ids=True):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    finally:
        os.close(descriptor)


def _enter(folder: int, part: bytes) -> int | None:
    """A folder in a folder; None when it is not there yet, and would be made."""
    if not part:
        return None
    try:
        return os.open(part, FOLDER_FLAGS | os.O_NOFOLLOW, dir_fd=folder)
    except FileNotFoundError:
        return None
