"""Giving the sources of a group their target names on the same mount: by rename, else by link, else over a placeholder.

Nothing here removes a file. What cannot be renamed because it would cross a mount is left to copies.py.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable

from app.db import moves
from app.errors import RootUnavailable, SourceChanged, TargetExists
from app.files import content, faults, publish, syscalls
from app.files.directory import is_regular, look, signature_of
from app.files.moving import COPY, SAME_CONTENT, SECOND_NAME, Group, OpenMove
from app.files.prepare import attempt, sync_file
from app.model import MoveState, Signature


def place_by_rename(group: Group) -> None:
    """Rename every source that is not to be kept; `method` then says what was done or has to be done.

    A hold gets its second name here.
    """
    for moving in group.going_on():
        if moving.move.is_hold:
            attempt(moving, "hold", moving.move.target, _hold, group, moving)
        elif moving.move.keep_source:
            moving.method = COPY
        else:
            attempt(moving, "move", moving.move.target, _rename, group, moving)
    others = [m for m in group.going_on() if m.method == publish.LINK]
    if not others:
        return
    with group.db.transaction() as conn:  # so that recovery can tell our second name from a hard link of the user's
        moves.note_method(conn, [(m.row_id, publish.LINK, None) for m in others])
    for moving in others:
        attempt(moving, "move", moving.move.target, _second_way, group, moving)


def _rename(group: Group, moving: OpenMove) -> None:
    # The target's folder first: both descriptors are then certainly open at once.
    target, source = group.target_dir(moving), group.source_dir(moving)
    try:
        syscalls.rename_without_replacing(source, moving.source_name, target, moving.target_name)
    except FileExistsError:
        compare_with_target(group, moving)
        return
    except FileNotFoundError:
        # On a network share the answer to a rename that was done may be lost and the second try finds nothing.
        seen = look(target, moving.target_name)
        if seen is None or not _is_same(signature_of(seen), moving.source):
            raise
    except OSError as error:
        moving.method = _other_method(error)
        return
    moving.method = publish.RENAME
    check_placed(group, moving)


def _other_method(error: OSError) -> str:
    if error.errno == errno.EXDEV:
        return COPY
    if error.errno in faults.UNSUPPORTED:
        return publish.LINK
    raise error


def _second_way(group: Group, moving: OpenMove) -> None:
    target, source = group.target_dir(moving), group.source_dir(moving)

    def note(inode: int | None) -> None:
        with group.db.transaction() as conn:
            moves.note_method(conn, [(moving.row_id, publish.PLACEHOLDER, inode)])

    try:
        way = publish.without_rename_flag(source, moving.source_name, target, moving.target_name, note)
    except FileExistsError:
        compare_with_target(group, moving)
        return
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        moving.method = COPY
        return
    moving.method = way
    check_placed(group, moving)


def _hold(group: Group, moving: OpenMove) -> None:
    """A second name of the very file that was hashed. One that is there from an earlier time will do."""
    target, source = group.target_dir(moving), group.source_dir(moving)
    with contextlib.suppress(FileExistsError):
        publish.add_name(source, moving.source_name, target, moving.target_name)
    seen, mine = look(target, moving.target_name), moving.source
    group.touched(moving.move.target)
    if seen is None or mine is None or not is_regular(seen) or not _is_same(signature_of(seen), mine):
        words = "another file has its name among the holds, or took its place meanwhile"
        raise TargetExists("hold", moving.move.source.absolute, words, moving.move.target.absolute)
    moving.method, moving.placed = SECOND_NAME, signature_of(seen)


def check_placed(group: Group, moving: OpenMove) -> None:
    """What arrived must be what was hashed: a file swapped in at the last moment goes back to its name.

    The file has left its name: whatever goes wrong from here on stops the work and is left to recovery.
    """
    try:
        seen = look(group.target_dir(moving), moving.target_name)
        group.both_touched(moving)
        if seen is not None and (_is_same(seen_signature := signature_of(seen), moving.source) and is_regular(seen)):
            moving.placed = seen_signature
            return
        _check_content(group, moving)
    except OSError as error:
        raise faults.of_root(error, moving.move.target.root) from error


def _is_same(found: Signature, planned: Signature | None) -> bool:
    """Size, mtime and inode; a rename changes ctime, and some file systems make the device anew."""
    facts = (found.inode, found.size_bytes, found.mtime_ns)
    return planned is not None and facts == (planned.inode, planned.size_bytes, planned.mtime_ns)


def _check_content(group: Group, moving: OpenMove) -> None:
    digest, algorithm = moving.expected
    target = group.target_dir(moving)
    try:
        found = content.read_digest(target, moving.target_name, algorithm)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        found = None
    if found is not None and found[0] == digest:
        moving.placed = found[1]
        return
    source = moving.move.source.absolute
    changed = SourceChanged("move", source, "it was changed or replaced while it was being moved")
    try:
        _undo(group, moving)
    except FileExistsError:
        moving.fail(changed, MoveState.QUARANTINE)
        return
    moving.fail(changed)


def _undo(group: Group, moving: OpenMove) -> None:
    target, source = group.target_dir(moving), group.source_dir(moving)
    if moving.method == publish.LINK:
        # Both names are there. The second one is ours, but what it names is not what we know: a person decides.
        raise FileExistsError
    publish.put_back(target, moving.target_name, source, moving.source_name)


def compare_with_target(group: Group, moving: OpenMove) -> None:
    """The target name is taken: the same content under another inode is accepted, all else fails this move."""
    folder = group.target_dir(moving)
    seen = look(folder, moving.target_name)
    found = same_content_at_target(
        moving, seen, lambda: content.read_digest(folder, moving.target_name, moving.expected[1])
    )
    _accept_target(group, moving, found)


def same_content_at_target(
    moving: OpenMove, seen: os.stat_result | None, read: Callable[[], tuple[str, Signature] | None]
) -> Signature:
    """The signature of another file of the same content at the taken target. Raises TargetExists for all else."""
    source, target = moving.move.source, moving.move.target
    if seen is None or not is_regular(seen):
        raise TargetExists("move", source.absolute, "the target name is taken", target.absolute)
    here = moving.source
    if here is not None and (seen.st_dev, seen.st_ino) == (here.device, here.inode):
        raise TargetExists("move", source.absolute, "the target is the same file by another name", target.absolute)
    found = read() if seen.st_size == moving.move.asset.size_bytes else None
    if found is None or found[0] != moving.expected[0]:
        raise TargetExists("move", source.absolute, "the target name is taken by other content", target.absolute)
    return found[1]


def _accept_target(group: Group, moving: OpenMove, found: Signature) -> None:
    """What is there is kept as it is, but before our source may go it must be certain to survive a power cut."""
    try:
        sync_file(group.target_dir(moving), moving.target_name)
    except OSError as error:
        raise faults.of_root(error, moving.move.target.root) from error
    group.touched(moving.move.target)
    moving.method, moving.outcome, moving.placed = SAME_CONTENT, "already_there", found


def stop(error: OSError, moving: OpenMove) -> RootUnavailable:
    """The error for a failed system call after which this move can only be left to recovery."""
    return faults.of_root(error, moving.move.target.root)
