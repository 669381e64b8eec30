"""Moving a whole folder that we made, such as a finished batch, by one journalled rename."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable

from sqlalchemy import Connection

from app.db import moves
from app.db.connection import Database
from app.db.moves import Ending, Intent
from app.errors import FileError, RootUnavailable, SourceChanged, TargetExists
from app.files import faults, lock, publish, syscalls
from app.files.directory import Folders, look, signature_of, split
from app.files.lock import mover_lock, refuse_rehearsal
from app.files.prepare import BOOT_ID
from app.model import MoveState, Place, Signature

#: Called inside the commit that ends the move.
SettleFolder = Callable[[Connection], None]


def move_directory(
    db: Database,
    source: Place,
    target: Place,
    *,
    run_id: int | None,
    batch_id: int | None,
    purpose: str,
    settle: SettleFolder | None = None,
) -> Signature:
    """Rename a folder that we made, with all that is in it, to a free name on the same mount.

    Returns the folder's signature at its target. Raises TargetExists when the name is taken, FileError when the
    folder cannot be renamed (across mounts among them), RootUnavailable, MoverBusy. `settle` runs inside the last
    commit; recovery, which has no `settle`, moves the batch's assets along and fills in `batches.published_at`.
    """
    refuse_rehearsal(db)
    with mover_lock(os.path.dirname(os.path.abspath(db.path))), lock.moving, Folders() as folders:
        try:
            seen = _check(folders, source, target)
        except OSError as error:
            raise faults.of_file(error, "move", source, target) from error
        row_id = _write_intent(db, source, target, seen, (run_id, batch_id, purpose))
        try:
            _rename(folders, source, target)
        except OSError as error:
            told = faults.of_file(error, "move", source, target)
            if not isinstance(told, RootUnavailable):  # else it may have happened all the same: recovery looks
                _close(db, row_id, MoveState.ABORTED, str(told))
            raise told from error
        placed = _make_durable(folders, source, target)
        with db.transaction() as conn:
            moves.close(conn, [Ending(row_id, MoveState.DONE, publish.RENAME, placed.inode, False, None)])
            if settle is not None:
                settle(conn)
    return placed


def _check(folders: Folders, source: Place, target: Place) -> Signature:
    seen = look(folders.open(source.root, split(source)[0]), split(source)[1])
    if seen is None:
        raise SourceChanged("move", source.absolute, "it is no longer there")
    if not stat.S_ISDIR(seen.st_mode):
        raise FileError("move", source.absolute, "it is not a folder")
    if look(folders.make(target.root, split(target)[0]), split(target)[1]) is not None:
        raise TargetExists("move", source.absolute, "the target name is taken", target.absolute)
    return signature_of(seen)


def _write_intent(
    db: Database, source: Place, target: Place, seen: Signature, work: tuple[int | None, int | None, str]
) -> int:
    run_id, batch_id, purpose = work
    intent = Intent(
        purpose=purpose,
        run_id=run_id,
        batch_id=batch_id,
        asset_id=None,
        is_directory=True,
        keep_source=False,
        places_asset=False,
        src_root_id=source.root.id,
        src_path=source.path,
        dst_root_id=target.root.id,
        dst_path=target.path,
        tmp_name=None,
        digest=None,
        digest_algorithm=None,
        size_bytes=0,
        src_device=seen.device,
        src_inode=seen.inode,
        src_mtime_ns=seen.mtime_ns,
        method=None,
        status_after=None,
    )
    with db.transaction() as conn:
        return moves.plan(conn, [intent], BOOT_ID)[0]


def _rename(folders: Folders, source: Place, target: Place) -> None:
    """Where a rename cannot be told not to replace, a plain one will do: of folders it replaces only an empty one."""
    to, here = folders.make(target.root, split(target)[0]), folders.open(source.root, split(source)[0])
    try:
        syscalls.rename_without_replacing(here, split(source)[1], to, split(target)[1])
    except OSError as error:
        if error.errno not in faults.UNSUPPORTED:
            raise
        if look(to, split(target)[1]) is not None:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from error
        os.rename(split(source)[1], split(target)[1], src_dir_fd=here, dst_dir_fd=to)


def _make_durable(folders: Folders, source: Place, target: Place) -> Signature:
    folders.changed(target.root, split(target)[0])
    folders.changed(source.root, split(source)[0])
    folders.flush()
    try:
        seen = look(folders.open(target.root, split(target)[0]), split(target)[1])
    except OSError as error:
        raise faults.of_root(error, target.root) from error
    if seen is None:
        raise RootUnavailable(target.root.kind.value, target.root.path, "a folder just moved there is not there")
    return signature_of(seen)


def _close(db: Database, row_id: int, state: MoveState, note: str | None) -> None:
    with db.transaction() as conn:
        moves.close(conn, [Ending(row_id, state, None, None, False, note)])
