"""Copying the files of a group that cannot be renamed: temporary name, durable, read back, then the final name."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable

from app.db import moves
from app.errors import FileError, MediaPipelineError
from app.files import content, faults, publish, syscalls
from app.files.directory import look, signature_of
from app.files.moving import COPY, Group, OpenMove
from app.files.place import compare_with_target, stop
from app.files.prepare import attempt

#: Fewer copies than this are made durable by an fsync each, more by one syncfs where that is as good.
FLUSH_TOGETHER_AT_LEAST = 3


def place_by_copy(group: Group) -> None:
    """Copy every source that has to be copied and give the proven copies their names."""
    for moving in _to_copy(group):
        attempt(moving, "copy", moving.move.target, _check_first, group, moving)
    copying = _to_copy(group)
    together = len(copying) >= FLUSH_TOGETHER_AT_LEAST and _flush_is_enough(group, copying[0])
    for moving in copying:
        _with_clean_up(group, moving, lambda m=moving: _copy(group, m, together))  # type: ignore[misc]
    if together:
        _flush_together(group, _to_copy(group))
    for moving in _to_copy(group):
        _with_clean_up(group, moving, lambda m=moving: _prove_and_publish(group, m))  # type: ignore[misc]


def _to_copy(group: Group) -> list[OpenMove]:
    return [m for m in group.going_on() if m.method == COPY]


def _check_first(group: Group, moving: OpenMove) -> None:
    """Nothing is copied whose target is taken, or whose source could not be taken away afterwards."""
    if look(group.target_dir(moving), moving.target_name) is not None:
        compare_with_target(group, moving)
        return
    if moving.move.keep_source:
        return
    if not os.access(b".", os.W_OK | os.X_OK, dir_fd=group.source_dir(moving), effective_ids=True):
        reason = "nothing may be removed from its folder, so it could be copied but not moved"
        raise FileError("move", moving.move.source.absolute, reason)


def _flush_is_enough(group: Group, moving: OpenMove) -> bool:
    try:
        return syscalls.one_flush_is_enough(group.target_dir(moving))
    except OSError as error:
        raise stop(error, moving) from error


def _copy(group: Group, moving: OpenMove, together: bool) -> None:
    target, source = group.target_dir(moving), group.source_dir(moving)
    moving.source = content.copy_to_temp(
        moving.move.source, source, target, moving.temp, moving.expected, durable=not together
    )


def _flush_together(group: Group, copied: list[OpenMove]) -> None:
    flushed: set[int] = set()
    for moving in copied:
        try:
            fd = group.target_dir(moving)
            device = os.fstat(fd).st_dev
            if device not in flushed:
                syscalls.flush_file_system(fd)
                flushed.add(device)
        except OSError as error:
            raise stop(error, moving) from error


def _prove_and_publish(group: Group, moving: OpenMove) -> None:
    target = group.target_dir(moving)
    content.check_copy(moving.move.source, target, moving.temp, moving.expected)

    def note(inode: int | None) -> None:
        with group.db.transaction() as conn:
            moves.note_method(conn, [(moving.row_id, publish.PLACEHOLDER, inode)])

    try:
        way = publish.publish(target, moving.temp, target, moving.target_name, note)
    except FileExistsError:
        compare_with_target(group, moving)
        remove_temp(group, moving)
        return
    except FileNotFoundError as error:
        raise _of_the_name(error, moving, target) from error
    if way == publish.LINK:
        remove_temp(group, moving)
    try:
        seen = os.stat(moving.target_name, dir_fd=target, follow_symlinks=False)
    except OSError as error:
        raise stop(error, moving) from error
    moving.placed = signature_of(seen)
    group.touched(moving.move.target)


def _of_the_name(error: FileNotFoundError, moving: OpenMove, folder: int) -> OSError:
    """exFAT by FUSE says of names that it refuses that they are not there; our copy was there a moment ago and still
    is."""
    return OSError(errno.EILSEQ, os.strerror(errno.EILSEQ)) if look(folder, moving.temp) is not None else error


def _with_clean_up(group: Group, moving: OpenMove, step: Callable[[], None]) -> None:
    """As `attempt`; whatever goes wrong, our own incomplete copy is removed and the source is untouched."""
    try:
        attempt(moving, "copy", moving.move.target, step)
    except MediaPipelineError:
        _try_to_remove_temp(group, moving)
        raise
    if moving.failed:
        remove_temp(group, moving)


def _try_to_remove_temp(group: Group, moving: OpenMove) -> None:
    with contextlib.suppress(MediaPipelineError):  # all work stops anyway; recovery removes it by its row
        remove_temp(group, moving)


def remove_temp(group: Group, moving: OpenMove) -> None:
    """Remove our own temporary file, if it is there."""
    try:
        os.unlink(moving.temp, dir_fd=group.target_dir(moving))
    except FileNotFoundError:
        pass
    except OSError as error:
        raise faults.of_root(error, moving.move.target.root) from error
