"""Removing what is ours: empty folders, expired trash, stale temporary files, old logs. Never a photo.

Folders go by rmdir only, which the system refuses for one that is not empty. Files go only from our trash, after
its checks, or by the pattern of our temporary names with a row in the journal.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.db import moves
from app.db.clock import later
from app.db.connection import Database
from app.errors import OutsideRoot
from app.files import faults, lock
from app.files.directory import FOLDER_FLAGS, Folders, is_regular, look, split
from app.files.lock import mover_lock, refuse_rehearsal
from app.files.own_files import remove_own_file, write_new_file
from app.files.trash_expiry import TrashReport, drop_expired_trash
from app.model import Place, Root

__all__ = [
    "TrashReport",
    "drop_expired_trash",
    "expire_logs",
    "remove_empty_folders",
    "remove_own_file",
    "remove_stale_temps",
    "write_new_file",
]

TEMP_NAME = re.compile(rb"\.mp-[0-9a-f]{32}\.part")
LOG_NAME = re.compile(r"[a-z][a-z0-9_-]*\.log(\.\d+)?")
SECONDS_PER_DAY = 86_400

#: These say that a folder is not ours to remove now: it is not empty, in use, or gone already.
STAYS = (errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY, errno.EACCES, errno.EPERM, errno.ENOENT, *faults.NOT_A_FOLDER)


def remove_empty_folders(root: Root, folders: Sequence[bytes]) -> list[bytes]:
    """rmdir those of these folders (relative paths) that are empty, deepest first; returns the removed ones.

    Only folders that we made may be named. The root itself is never removed. Raises RootUnavailable.
    """
    removed = []
    with Folders() as opened:
        for path in sorted(set(folders), key=lambda p: (-p.count(b"/"), p)):
            try:
                folder, name = split(Place(root, path))
                os.rmdir(name, dir_fd=opened.open(root, folder))
            except OutsideRoot:
                continue
            except OSError as error:
                if error.errno not in STAYS:
                    raise faults.of_root(error, root) from error
                continue
            opened.removed(root, path)
            opened.changed(root, folder)
            removed.append(path)
        opened.flush()
    return removed


def remove_stale_temps(db: Database, root: Root, days: float = 0) -> list[bytes]:
    """Remove temporary files of ours under a root whose move ended more than `days` ago; returns their paths.

    A file goes only when its name has our pattern and a row of the journal that is done or undone names it.
    Raises StateError for the database of a preview.
    """
    refuse_rehearsal(db)
    with mover_lock(os.path.dirname(os.path.abspath(db.path))), lock.moving, Folders() as opened:
        found = list(_walk_temps(opened, root))
        with db.reading() as conn:
            names = [split(Place(root, path))[1] for path in found]
            ended = moves.closed_temps(conn, names, later(-days * SECONDS_PER_DAY))
        stale = [path for path, name in zip(found, names, strict=True) if name in ended]
        for path in stale:
            _unlink_temp(opened, root, path)
        opened.flush()
    return stale


def _walk_temps(opened: Folders, root: Root) -> Iterator[bytes]:
    """Paths of plain files with our pattern; links are not followed, folders that cannot be read are passed over."""
    waiting = [b""]
    while waiting:
        folder = waiting.pop()
        fd = _open_quietly(opened.root(root), folder)
        if fd is None:
            continue
        try:
            with os.scandir(fd) as entries:
                for entry in entries:
                    name = os.fsencode(entry.name)
                    path = folder + b"/" + name if folder else name
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(path)
                    elif TEMP_NAME.fullmatch(name) and entry.is_file(follow_symlinks=False):
                        yield path
        finally:
            os.close(fd)


def _open_quietly(root_fd: int, folder: bytes) -> int | None:
    fd = os.dup(root_fd) if not folder else root_fd
    try:
        for part in folder.split(b"/") if folder else ():
            deeper = os.open(part, FOLDER_FLAGS | os.O_NOFOLLOW, dir_fd=fd)
            if fd != root_fd:
                os.close(fd)
            fd = deeper
    except OSError:
        if fd != root_fd:
            os.close(fd)
        return None
    return fd


def _unlink_temp(opened: Folders, root: Root, path: bytes) -> None:
    folder, name = split(Place(root, path))
    try:
        fd = opened.open(root, folder)
        seen = look(fd, name)
        if seen is not None and is_regular(seen):
            os.unlink(name, dir_fd=fd)
            opened.changed(root, folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise faults.of_root(error, root) from error


def expire_logs(log_dir: Path | str, *, max_bytes: int, keep: int) -> list[str]:
    """Bound the log folder: a `name.log` larger than `max_bytes` becomes `name.log.1` and starts anew, in place so
    that its writer goes on; older ones shift up, and those beyond `keep` are removed. Returns the names touched.
    """
    touched: list[str] = []
    folder = os.fspath(log_dir)
    try:
        names = sorted(name for name in os.listdir(folder) if LOG_NAME.fullmatch(name))
    except FileNotFoundError:
        return touched
    for name in names:
        path = os.path.join(folder, name)
        number = name.rpartition(".")[2]
        if number.isdigit() and int(number) > keep and not os.path.islink(path):
            os.unlink(path)
            touched.append(name)
        elif not number.isdigit() and not os.path.islink(path) and os.stat(path).st_size > max_bytes:
            _rotate(path, keep)
            touched.append(name)
    return touched


def _rotate(path: str, keep: int) -> None:
    for number in range(keep - 1, 0, -1):
        if os.path.lexists(f"{path}.{number}"):
            os.replace(f"{path}.{number}", f"{path}.{number + 1}")
    with open(path, "r+b") as log:
        if keep:
            _copy_log(log.fileno(), f"{path}.1")
        log.truncate(0)


def _copy_log(fd: int, target: str) -> None:
    with open(target, "wb") as copy:
        offset = 0
        while chunk := os.pread(fd, 1 << 20, offset):
            copy.write(chunk)
            offset += len(chunk)
