"""Finishing or undoing an interrupted rename of a whole folder. A rename happened or it did not; nothing is removed."""

from __future__ import annotations

import os
import stat

from sqlalchemy import Connection

from app.db import batches, journal, members, moves
from app.db.clock import now
from app.db.connection import Database
from app.db.moves import Ending, MoveRow
from app.errors import printable
from app.files import faults, publish
from app.files.directory import Folders, look, split
from app.model import MoveState, Place, Root


def recover_folder(db: Database, folders: Folders, row: MoveRow, known: dict[int, Root]) -> MoveState:
    """Close the row by what is on disk. Raises RootUnavailable when that cannot be told for certain."""
    source, target = Place(known[row.src_root_id], row.src_path), Place(known[row.dst_root_id], row.dst_path)
    here, there = _folder_at(folders, source), _folder_at(folders, target)
    if here is None and there is not None:
        return _close(db, folders, row, target, MoveState.DONE)
    if here is not None:
        return _close(db, folders, row, source, MoveState.ABORTED)
    return _close(db, folders, row, target, MoveState.QUARANTINE)


def _folder_at(folders: Folders, place: Place) -> os.stat_result | None:
    try:
        seen = look(folders.open(place.root, split(place)[0]), split(place)[1])
    except FileNotFoundError:
        return None
    except OSError as error:
        raise faults.of_root(error, place.root) from error
    return seen if seen is not None and stat.S_ISDIR(seen.st_mode) else None


def _close(db: Database, folders: Folders, row: MoveRow, place: Place, state: MoveState) -> MoveState:
    if state is not MoveState.QUARANTINE:
        folders.changed(place.root, split(place)[0])
        folders.flush()
    words = {
        MoveState.DONE: "was finished: the folder had reached its target",
        MoveState.ABORTED: "was undone: the folder had not been moved yet",
        MoveState.QUARANTINE: "needs a look: the folder is neither at its source nor at its target",
    }[state]
    kind = "move.quarantined" if state is MoveState.QUARANTINE else "move.recovered"
    level = "error" if state is MoveState.QUARANTINE else "info"
    with db.transaction() as conn:
        moves.close(conn, [Ending(row.id, state, publish.RENAME, row.dst_inode, False, words)])
        if state is MoveState.DONE and row.batch_id is not None:
            members.rebase(conn, row.batch_id, row.src_root_id, row.dst_root_id)
            _mark_published(conn, row.batch_id)
        message = f"An interrupted move of the folder {printable(place.absolute)} {words}."
        journal.record(conn, kind, message, level=level, run_id=row.run_id, batch_id=row.batch_id)
    return state


def _mark_published(conn: Connection, batch_id: int) -> None:
    batch = batches.find(conn, batch_id)
    if batch is not None and batch.published_at is None:
        batches.set_columns(conn, batch_id, published_at=now())
