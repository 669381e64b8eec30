"""Finishing or undoing the moves that a crash cut off, from what is on disk now and nothing else.

Every open row is decided by its facts (recover_decide.py), acted upon and closed, one after the other, so that a
crash in here is only one more crash. An answer of the system that is not certain stops all of it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from app.db import moves, roots
from app.db.connection import Database
from app.db.moves import MoveRow
from app.files import lock, recover_folder
from app.files.directory import Folders
from app.files.lock import mover_lock, refuse_rehearsal
from app.files.moving import choose_trash_roots
from app.files.recover_steps import RowInRecovery
from app.model import MoveState, Root


@dataclass(frozen=True)
class RecoveryReport:
    """How many unfinished moves were found, and how they ended."""

    finished: int = 0
    undone: int = 0
    quarantined: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.finished + self.undone + self.quarantined


def recover(db: Database) -> RecoveryReport:
    """Finish or undo every unfinished move; may be called again at any time, and does nothing when there is none.

    Each one writes a move.recovered or move.quarantined event. Raises RootUnavailable when facts cannot be told
    for certain (the rows stay open), and MoverBusy.
    """
    refuse_rehearsal(db)
    state_dir = os.path.dirname(os.path.abspath(db.path))
    with mover_lock(state_dir), lock.moving:
        with db.reading() as conn:
            rows, known = moves.list_open(conn), roots.list_all(conn)
        ends = [_recover_one(db, row, {r.id: r for r in known}) for row in rows]
    return RecoveryReport(
        sum(e is MoveState.DONE for e in ends),
        sum(e is MoveState.ABORTED for e in ends),
        sum(e is MoveState.QUARANTINE for e in ends),
    )


def _recover_one(db: Database, row: MoveRow, known: dict[int, Root]) -> MoveState:
    with Folders() as folders:
        if row.is_directory:
            return recover_folder.recover_folder(db, folders, row, known)
        return RowInRecovery(db, folders, row, known, choose_trash_roots(list(known.values()))).recover()
