"""Carrying a plan out: whole groups, by the same protocol as every move, each a rename within the archive.

What stops in between is planned anew from where files lie then, so a run that was killed, paused or failed is simply
begun again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.db import archived_groups, made_folders, refile_entries
from app.db.connection import Connection
from app.db.refile_entries import DONE, Entry
from app.files.move import Move, Moved
from app.files.prune import remove_empty_folders
from app.files.roots import check_roots
from app.model import Asset, AssetStatus, Place
from app.pipeline.failing import raise_when_full, reason_of
from app.pipeline.new_folders import note_new_folders
from app.pipeline.refile.aside import paths_aside
from app.pipeline.refile.failures import bring_home, note_failures, put_back
from app.pipeline.refile.refiling import PURPOSE, SLICE, Refiling, in_slices, say_why_aside
from app.pipeline.refile.turns import Turns

#: Files on their way to their places, or to names where they wait: where each goes.
Ways = Mapping[int, bytes]


def carry_out(work: Refiling) -> None:
    """Move every planned entry, then remove the folders that are empty now and were made for files.

    Raises RootUnavailable, NoSpace, and Stopped between two slices.
    """
    check_roots(work.services.db, [work.archive])
    with work.services.db.reading() as conn:
        turns = Turns(refile_entries.list_blocked(conn, work.run_id))
    after: int | None = None
    while entries := _next_groups(work, after):
        after = entries[-1].group_key
        _move_in_slices(work, [entry for entry in entries if entry.group_key not in turns.waiting])
    while turns.waiting:
        _take_turns(work, turns)
    bring_home(work)
    _remove_left_folders(work)


def _next_groups(work: Refiling, after: int | None) -> list[Entry]:
    with work.services.db.reading() as conn:
        return refile_entries.list_groups(conn, work.run_id, after, SLICE)


def _take_turns(work: Refiling, turns: Turns) -> None:
    ready = turns.next_to_move()
    for start in range(0, len(ready), SLICE):
        groups = ready[start : start + SLICE]
        _move_in_slices(work, _entries_of(work, groups))
        for group in groups:
            turns.has_moved(group)
    if ready:
        return
    groups = turns.next_aside(SLICE)
    failed = _put_aside(work, _entries_of(work, groups))
    for group in groups:
        turns.has_moved(group) if group in failed else turns.is_aside(group)


def _entries_of(work: Refiling, groups: Sequence[int]) -> list[Entry]:
    with work.services.db.reading() as conn:
        return refile_entries.list_of_groups(conn, work.run_id, groups)


def _move_in_slices(work: Refiling, entries: Sequence[Entry]) -> None:
    for part in in_slices(entries):
        _move(work, part, {entry.asset_id: entry.to_path for entry in part if entry.to_path is not None})


def _put_aside(work: Refiling, entries: Sequence[Entry]) -> set[int]:
    """Give groups other names in their folders, so that others can go to their places; returns those that failed."""
    failed: set[int] = set()
    for part in in_slices(entries):
        ways = paths_aside(work.services, work.archive, work.run_id, part)
        failed |= _move(work, part, ways, is_aside=True)
    return failed


# --- one slice


def _move(work: Refiling, entries: Sequence[Entry], ways: Ways, *, is_aside: bool = False) -> set[int]:
    """Move files of whole groups; returns the groups of which one failed: what of them had moved is put back."""
    with work.services.db.reading() as conn:
        found = archived_groups.list_by_id(conn, [entry.asset_id for entry in entries])
    moves, reasons = [], dict[int, str]()
    for entry in entries:
        asset = found.get(entry.asset_id)
        if asset is None or (asset.root_id, asset.path) != (work.archive.id, entry.from_path):
            reasons[entry.asset_id] = "it has gone elsewhere meanwhile"
        else:
            moves.append(_as_move(work, asset, entry, ways[asset.id], is_aside=is_aside))
    stuck = {entry.group_key for entry in entries if entry.asset_id in reasons}
    groups = {entry.asset_id: entry.group_key for entry in entries}
    moved = _move_files(work, [m for m in moves if groups[m.asset.id] not in stuck], is_aside=is_aside)
    reasons |= {m.move.asset.id: reason_of(m.error) for m in moved if m.outcome == "failed"}
    failed = {groups[asset_id] for asset_id in reasons}
    if failed:
        put_back(work, [m for m in moved if m.outcome != "failed" and groups[m.move.asset.id] in failed])
        raise_when_full(moved)
        note_failures(work, [entry for entry in entries if entry.group_key in failed], reasons)
    if not is_aside:
        _count(work, [m for m in moved if m.outcome != "failed" and groups[m.move.asset.id] not in failed])
    return failed


def _count(work: Refiling, arrived: Sequence[Moved]) -> None:
    work.done += len(arrived)
    work.done_bytes += sum(m.move.asset.size_bytes for m in arrived)


def _as_move(work: Refiling, asset: Asset, entry: Entry, path: bytes, *, is_aside: bool) -> Move:
    after = asset.status if is_aside or entry.status_after is None else AssetStatus(entry.status_after)
    return Move(asset, Place(work.archive, asset.path), Place(work.archive, path), PURPOSE, after)


def _move_files(work: Refiling, moves: Sequence[Move], *, is_aside: bool) -> list[Moved]:
    work.step.safe_point(work.done, work.total, work.done_bytes)
    note_new_folders(work.services, (move.target for move in moves), work.folders)

    def settle(conn: Connection, moved: Sequence[Moved]) -> None:
        say_why_aside(conn, moved)
        if is_aside:
            rows = [(m.move.asset.id, m.move.target.path) for m in moved]
            refile_entries.set_places(conn, work.run_id, rows)
        else:
            refile_entries.set_states(conn, work.run_id, [(m.move.asset.id, DONE, None) for m in moved])

    return work.services.disk.move_files(work.services.db, moves, run_id=work.run_id, settle=settle)


# --- folders


def _remove_left_folders(work: Refiling) -> None:
    """Folders that the last file has left go when they were made for files."""
    with work.services.db.reading() as conn:
        left = refile_entries.list_left(conn)
        made = made_folders.choose(conn, work.archive.id, _with_parents(left))
    removed = remove_empty_folders(work.archive, made)
    with work.services.db.transaction() as conn:
        made_folders.forget(conn, work.archive.id, removed)


def _with_parents(folders: set[bytes]) -> set[bytes]:
    found: set[bytes] = set()
    for below in folders:
        folder = below
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition(b"/")[0]
    return found
