"""What to do about an unfinished move, from its row and the facts alone. No input or output here.

S source, T temporary file, D target, X trash. "Right" means: read again now, and it is what was planned.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from app.db.moves import MoveRow
from app.files import publish
from app.files.moving import HOLD
from app.files.recover_facts import Facts
from app.model import MoveState


class Act(Enum):
    """The next thing to do. After those of the first kind the facts are gathered anew; the others end the row."""

    DROP_TEMP = "remove our temporary file"
    DROP_PLACEHOLDER = "remove our empty placeholder"
    PUT_TARGET_BACK = "rename the target back to the source's name"
    PUT_TRASH_BACK = "rename what is in the trash back to the source's name"
    TAKE = "the target is complete: take the source to the trash, then done"
    ACCEPT = "done"
    ABORT = "nothing has happened to the source"
    QUARANTINE = "the facts do not fit: a person has to look"


@dataclass(frozen=True)
class Decision:
    """An act, the words for the journal, and whether they are an alarm."""

    act: Act
    why: str
    alarm: bool = False


def decide(row: MoveRow, facts: Facts) -> Decision:
    """The next act for this row."""
    if not facts.temp.absent:
        if facts.source.right or facts.target.right:
            return Decision(Act.DROP_TEMP, "an incomplete copy was left")
        return Decision(Act.QUARANTINE, "the content is neither at the source nor at the target; a copy of it, "
                                        "complete or not, lies under its temporary name", True)  # fmt: skip
    return _planned(row, facts) if row.state is MoveState.PLANNED else _placed(row, facts)


def _planned(row: MoveRow, facts: Facts) -> Decision:
    source, target = facts.source, facts.target
    if source.right and _is_our_placeholder(row, facts):
        return Decision(Act.DROP_PLACEHOLDER, "a claimed name was left empty")
    if target.right:
        return _planned_and_there(row, facts)
    if source.right:
        return Decision(Act.ABORT, "the file was not moved yet")
    moved_by_us = not target.absent and target.inode == row.src_inode
    if source.absent and moved_by_us:
        return Decision(Act.PUT_TARGET_BACK, "the file had changed before it was moved")
    if source.absent or moved_by_us:
        return Decision(Act.QUARANTINE, "the file is neither at its source nor at its target", True)
    return Decision(Act.ABORT, "the file changed before it was moved")


def _is_our_placeholder(row: MoveRow, facts: Facts) -> bool:
    if row.method != publish.PLACEHOLDER or facts.target.absent or facts.target.size_bytes:
        return False
    return row.dst_inode == facts.target.inode or (row.dst_inode is None and row.size_bytes > 0)


def _planned_and_there(row: MoveRow, facts: Facts) -> Decision:
    if row.purpose == HOLD:
        return Decision(Act.ACCEPT, "the hold was made")
    if not facts.source.right or (row.keep_source and not facts.source.same_file(facts.target)):
        return Decision(Act.ACCEPT, "the file had reached its target")
    if not facts.source.same_file(facts.target) or (row.method == publish.LINK and not row.keep_source):
        return Decision(Act.TAKE, "the target was complete")
    return Decision(Act.ABORT, "source and target are two names of one file; both are kept")


def _placed(row: MoveRow, facts: Facts) -> Decision:
    if not facts.target.right:
        return _placed_and_lost(facts)
    if not facts.trash.absent:
        return _placed_and_taken(facts)
    two_names = facts.source.same_file(facts.target) and row.method != publish.LINK
    if facts.source.right and not two_names:
        return Decision(Act.TAKE, "the target was complete")
    return Decision(Act.ACCEPT, "the file had reached its target")


def _placed_and_taken(facts: Facts) -> Decision:
    if facts.trash.right:
        return Decision(Act.ACCEPT, "the file had reached its target and its source was in the trash")
    if facts.source.absent:
        return Decision(Act.PUT_TRASH_BACK, "the source had been replaced: the new file goes back to its name")
    return Decision(Act.QUARANTINE, "the source had been replaced twice; the first replacement lies in the trash", True)


def _placed_and_lost(facts: Facts) -> Decision:
    if facts.source.right:
        return Decision(Act.ABORT, "the copy at the target is gone or differs; the source is as it was", True)
    if not facts.trash.absent and facts.source.absent:
        return Decision(Act.PUT_TRASH_BACK, "the copy at the target is gone or differs: the source goes back", True)
    return Decision(Act.QUARANTINE, "the content is neither at its source nor at its target", True)
