"""Taking the sources of copied files away: into our trash by one rename each, looked at there, kept for some days."""

from __future__ import annotations

import errno
import os

from app.db import moves
from app.errors import MediaPipelineError, RootUnavailable, SourceChanged
from app.files import content, faults, publish
from app.files.directory import is_regular, look, signature_of, split
from app.files.moving import COPY, SAME_CONTENT, Group, OpenMove, trash_beside, trash_place
from app.files.place import stop
from app.model import Place

#: The trash cannot be made or reached, or has the name already: a private name beside the source will do.
TRASH_UNUSABLE = (errno.EXDEV, errno.EEXIST, errno.EACCES, *faults.NO_ROOM, *faults.NOT_A_FOLDER)

TAKEN_AWAY = (COPY, SAME_CONTENT, publish.LINK)


def take_sources(group: Group) -> None:
    """Commit that the targets are durable, then take the sources of copied files to the trash."""
    taking = [m for m in group.going_on() if not m.move.keep_source and m.method in TAKEN_AWAY]
    if not taking:
        return
    for moving in taking:
        root = group.trash_roots.get(moving.move.source.root.id, moving.move.source.root)
        moving.trash = trash_place(root, moving.row_id)
    _commit_placed(group, taking)
    for moving in taking:
        _take(group, moving)
    group.folders.flush()


def _commit_placed(group: Group, taking: list[OpenMove]) -> None:
    rows = []
    for m in taking:
        assert m.placed is not None and m.trash is not None and m.method is not None
        rows.append((m.row_id, m.method, m.placed.inode, m.trash.root.id, m.trash.path))
    with group.db.transaction() as conn:
        moves.mark_placed(conn, rows)


def _take(group: Group, moving: OpenMove) -> None:
    try:
        _take_somewhere(group, moving)
        if moving.trashed:
            _look_at_taken(group, moving)
    except OSError as error:
        told = faults.of_file(error, "remove", moving.move.source)
        if isinstance(told, RootUnavailable):
            raise told from error
        _keep_source(moving, told)


def _keep_source(moving: OpenMove, reason: MediaPipelineError) -> None:
    """The copy is in place and the original cannot be taken away: both stay, and are counted once."""
    moving.trashed, moving.source_kept, moving.note = False, True, str(reason)


def _take_somewhere(group: Group, moving: OpenMove) -> None:
    """Into the trash of the root; into the source's own folder when that is another mount or the name is taken."""
    try:
        moving.trashed = _take_to(group, moving)
    except OSError as error:
        if error.errno not in TRASH_UNUSABLE:
            raise
        moving.trash = trash_beside(moving.move.source, moving.row_id)
        _commit_placed(group, [moving])
        moving.trashed = _take_to(group, moving)


def _take_to(group: Group, moving: OpenMove) -> bool:
    """True when the source was taken, False when someone else has removed it meanwhile."""
    assert moving.trash is not None
    folder, name = split(moving.trash)
    trash = group.folders.make(moving.trash.root, folder)
    source = group.source_dir(moving)
    try:
        publish.take(source, moving.source_name, trash, name)
    except FileNotFoundError:
        moving.note = "the source was removed by someone else meanwhile"
        return False
    group.touched(moving.move.source)
    group.touched(moving.trash)
    return True


def _look_at_taken(group: Group, moving: OpenMove) -> None:
    """What was taken must be what was copied; a file that took its name meanwhile goes back."""
    assert moving.trash is not None and moving.source is not None
    try:
        folder, name = group.folders.open(moving.trash.root, split(moving.trash)[0]), split(moving.trash)[1]
        seen = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if moving.method == publish.LINK and _is_second_name(seen, moving):
            os.unlink(name, dir_fd=folder)
            moving.trashed = False
            _refresh(group, moving)
            return
        if is_what_was_copied(folder, name, seen, moving):
            return
        give_back(group, moving, moving.trash)
    except OSError as error:
        raise stop(error, moving) from error


def _is_second_name(seen: os.stat_result, moving: OpenMove) -> bool:
    placed = moving.placed
    return placed is not None and (seen.st_dev, seen.st_ino) == (placed.device, placed.inode)


def _refresh(group: Group, moving: OpenMove) -> None:
    """Removing a name of the same file changed its ctime."""
    seen = look(group.target_dir(moving), moving.target_name)
    if seen is not None:
        moving.placed = signature_of(seen)


def is_what_was_copied(folder: int, name: bytes, seen: os.stat_result, moving: OpenMove) -> bool:
    """By inode, size and mtime; where those differ, by content."""
    copied = moving.source
    facts = (seen.st_ino, seen.st_size, seen.st_mtime_ns)
    if not is_regular(seen):
        return False
    if copied is not None and facts == (copied.inode, copied.size_bytes, copied.mtime_ns):
        return True
    found = content.read_digest(folder, name, moving.expected[1])
    return found is not None and found[0] == moving.expected[0]


def give_back(group: Group, moving: OpenMove, trash: Place) -> None:
    """Put a file that is not the one we copied back to its name; when that is taken too, it stays in the trash."""
    folder, name = split(trash)
    trash_dir, source = group.folders.open(trash.root, folder), group.source_dir(moving)
    moving.trashed = False
    try:
        publish.put_back(trash_dir, name, source, moving.source_name)
    except FileExistsError:
        changed = SourceChanged("remove", moving.move.source.absolute, "it was replaced twice meanwhile")
        moving.note = f"{changed} The first replacement lies at {trash.absolute!r}."
        return
    group.touched(moving.move.source)
    moving.note = "the source was changed or replaced meanwhile: the new file was left in place"
