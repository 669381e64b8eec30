"""Moving files so that none is ever lost, overwritten or altered, whatever stops the program in between.

The intent is committed before a file is touched, the fact after it is durable. On the same mount a file is only
ever renamed, never onto anything. Across mounts it is copied, read back and compared before the original goes to
our trash, where it is kept for some days. docs/architecture.md, "How a file moves", has the steps and what
recovery does after each.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

from app.db import moves as journal_rows
from app.db import roots
from app.db.connection import Database
from app.files import lock
from app.files.copies import place_by_copy
from app.files.directory import Folders
from app.files.finish import Settle, finish
from app.files.lock import mover_lock, refuse_rehearsal
from app.files.move_directory import move_directory
from app.files.moving import Group, Move, Moved, OpenMove, Outcome, choose_trash_roots, temp_names
from app.files.place import place_by_rename
from app.files.prepare import check_sources, make_sources_durable, write_intents
from app.files.recover import recover
from app.files.trash import take_sources

__all__ = ["Move", "Moved", "Outcome", "Settle", "move_directory", "move_files", "recover", "state_dir_of"]

#: Files that share their commits and flushes.
GROUP_FILES = 256

#: A group ends early when its files are large: so much at most is under way, and unfinished after a crash.
GROUP_BYTES = 256 * 1024 * 1024

AfterGroup = Callable[[Sequence[Moved]], None]


def move_files(
    db: Database,
    moves: Sequence[Move],
    *,
    run_id: int | None,
    batch_id: int | None = None,
    settle: Settle | None = None,
    group_size: int = GROUP_FILES,
    after_group: AfterGroup | None = None,
) -> list[Moved]:
    """Bring every file to its target and its asset's row with it; one result per move, in order.

    A file that cannot be moved gives a "failed" result and does not stop the others: TargetExists (other content, or
    another asset's place: plan another name), SourceChanged, NoSpace, CopyMismatch or another FileError. The same
    content at the target under another inode gives "already_there". Raises RootUnavailable when a folder cannot be
    trusted any more (nothing further is touched; recovery finishes what was begun), StateError, and MoverBusy.
    `settle` runs inside the commit that ends a group; `after_group` after it, outside any transaction, and may raise.
    """
    if not moves:
        return []
    refuse_rehearsal(db)
    with mover_lock(state_dir_of(db)), lock.moving:
        with db.reading() as conn:
            unfinished, known = journal_rows.has_open(conn), roots.list_all(conn)
        if unfinished:
            recover(db)
        trash_roots, flushed = choose_trash_roots(known), set[int]()
        results: list[Moved] = []
        for few in in_groups(moves, group_size):
            begun = [OpenMove(move, temp) for move, temp in zip(few, temp_names(len(few)), strict=True)]
            with Folders() as folders:
                _move_group(Group(db, folders, run_id, batch_id, trash_roots, flushed, begun), settle)
            results += [m.result() for m in begun]
            if after_group is not None:
                after_group(results[-len(few) :])
    return results


def state_dir_of(db: Database) -> str:
    """The folder of the database, where the mover's lock lies."""
    return os.path.dirname(os.path.abspath(db.path))


def in_groups(moves: Sequence[Move], group_size: int) -> Iterator[list[Move]]:
    """Slices of bounded count and size in which no place is named twice."""
    few: list[Move] = []
    named: set[tuple[int, bytes]] = set()
    size = 0
    for move in moves:
        places = {(p.root.id, p.path) for p in (move.source, move.target)}
        if few and (len(few) >= group_size or size + move.asset.size_bytes > GROUP_BYTES or places & named):
            yield few
            few, named, size = [], set(), 0
        few.append(move)
        named |= places
        size += move.asset.size_bytes
    if few:
        yield few


def _move_group(group: Group, settle: Settle | None) -> None:
    check_sources(group)
    make_sources_durable(group)
    if group.going_on():
        write_intents(group)
    if not group.going_on():
        return
    place_by_rename(group)
    place_by_copy(group)
    group.folders.flush()
    take_sources(group)
    finish(group, settle)
