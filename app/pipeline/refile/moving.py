"""Carrying a plan out: whole groups, by the same protocol as every move, each a rename within the archive.

What stops in between is planned anew from where files lie then, so a run that was killed, paused or failed is simply
begun again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from app.db import archived_groups, assets, journal, made_folders, refile_entries
from app.db.connection import Connection
from app.db.refile_entries import DONE, FAILED, Entry
from app.errors import printable
from app.files.move import Move, Moved
from app.files.prune import remove_empty_folders
from app.files.roots import check_roots
from app.model import Asset, AssetStatus, Failure, Place, RootKind
from app.pipeline.failing import raise_when_full, reason_of
from app.pipeline.filing import REVIEW_REASON
from app.pipeline.new_folders import note_new_folders
from app.pipeline.refile.aside import paths_aside
from app.pipeline.refile.turns import Turns
from app.pipeline.step import StepContext
from app.services import Services

PURPOSE = "refile"
#: Files planned and moved between two safe points, or a little more: no group is parted.
SLICE = 256

#: Files on their way to their places, or to names where they wait: where each goes.
Ways = Mapping[int, bytes]


@dataclass
class Refiling:
    """One plan being carried out."""

    services: Services
    step: StepContext
    total: int
    done: int = 0
    done_bytes: int = 0
    failures: list[Failure] = field(default_factory=list)
    folders: set[tuple[int, bytes]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.archive = self.services.root(RootKind.ARCHIVE)
        self.run_id = self.step.run_id


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
    for part in _slices(entries):
        _move(work, part, {entry.asset_id: entry.to_path for entry in part if entry.to_path is not None})


def _slices(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    part: list[Entry] = []
    for _, group in groupby(entries, key=lambda entry: entry.group_key):
        part += group
        if len(part) >= SLICE:
            yield part
            part = []
    if part:
        yield part


def _put_aside(work: Refiling, entries: Sequence[Entry]) -> set[int]:
    """Give groups other names in their folders, so that others can go to their places; returns those that failed."""
    failed: set[int] = set()
    for part in _slices(entries):
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
        _put_back(work, [m for m in moved if m.outcome != "failed" and groups[m.move.asset.id] in failed])
        _note_failures(work, [entry for entry in entries if entry.group_key in failed], reasons)
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

    moved = work.services.disk.move_files(work.services.db, moves, run_id=work.run_id, settle=settle)
    raise_when_full(moved)
    return moved


def say_why_aside(conn: Connection, moved: Sequence[Moved]) -> None:
    """What waits for a review says so; what came from there says nothing any more."""
    changed = [m.move for m in moved if m.move.status_after is not m.move.asset.status]
    reasons = {AssetStatus.SET_ASIDE: REVIEW_REASON}
    assets.set_columns(conn, [(m.asset.id, {"reason": reasons.get(m.status_after)}) for m in changed if m.status_after])


# --- what fails


def _put_back(work: Refiling, moved: Sequence[Moved]) -> None:
    """A group is not parted: what of it had moved goes back, where its former place is free still."""
    with work.services.db.reading() as conn:
        now = archived_groups.list_by_id(conn, [m.move.asset.id for m in moved])
    back = [Move(now[m.move.asset.id], m.move.target, m.move.source, PURPOSE, m.move.asset.status) for m in moved]

    def settle(conn: Connection, returned: Sequence[Moved]) -> None:
        say_why_aside(conn, returned)
        refile_entries.set_places(conn, work.run_id, [(m.move.asset.id, m.move.target.path) for m in returned])

    work.services.disk.move_files(work.services.db, back, run_id=work.run_id, settle=settle)


def _note_failures(work: Refiling, entries: Sequence[Entry], reasons: Mapping[int, str]) -> None:
    # An unmounted share also lacks every file: nothing is held against a file before its folder was seen.
    check_roots(work.services.db, [work.archive])
    by_group: dict[int, str] = {}
    for entry in entries:
        if entry.asset_id in reasons:
            by_group.setdefault(entry.group_key, f"{printable(entry.from_path)}: {reasons[entry.asset_id]}")
    with work.services.db.transaction() as conn:
        states = [(entry.asset_id, FAILED, by_group[entry.group_key]) for entry in entries]
        refile_entries.set_states(conn, work.run_id, states)
        for entry in entries:
            if entry.asset_id in reasons:
                _tell(work, conn, entry, reasons[entry.asset_id])
    work.failures += [
        Failure(printable(entry.from_path), by_group[entry.group_key], entry.asset_id) for entry in entries
    ]


def _tell(work: Refiling, conn: Connection, entry: Entry, reason: str) -> None:
    path, target = printable(entry.from_path), printable(entry.to_path or b"")
    words = f"{path} stays where it is, with its group; it belongs at {target}: {reason}"
    detail = {"path": path, "target": target, "reason": reason}
    journal.record(conn, "asset.stayed_in_place", words, level="warning", run_id=work.run_id,
                   asset_id=entry.asset_id, detail=detail)


# --- folders


def _remove_left_folders(work: Refiling) -> None:
    """Folders that the last file has left go when they were made for files."""
    with work.services.db.reading() as conn:
        left = refile_entries.list_left(conn, work.run_id)
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
