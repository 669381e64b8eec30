"""What becomes of groups that cannot get to their places: each lies where the run found it, if it can, and is told.

A group that had made room for others gets its former names again at the end, when it is certain who needs them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.db import archived_groups, journal, moves, refile_entries
from app.db.connection import Connection
from app.db.refile_entries import FAILED, PLANNED, Entry
from app.errors import printable
from app.files.move import Move, Moved
from app.files.roots import check_roots
from app.model import Asset, AssetStatus, Failure, Place
from app.pipeline.filing import REVIEW_FOLDER
from app.pipeline.refile.refiling import PURPOSE, Refiling, in_slices, say_why_aside

#: By asset id, where a run found a file and where it left it.
Ways = Mapping[int, tuple[bytes, bytes]]


def put_back(work: Refiling, moved: Sequence[Moved]) -> None:
    """A group is not parted: what of it had moved goes back, where its former place is free still."""
    returned = [m.move.asset.id for m in _reverse(work, moved) if m.outcome != "failed"]
    with work.services.db.transaction() as conn:
        # They were settled as done, and are not.
        refile_entries.set_states(conn, work.run_id, [(asset_id, PLANNED, None) for asset_id in returned])


def _reverse(work: Refiling, moved: Sequence[Moved]) -> list[Moved]:
    with work.services.db.reading() as conn:
        now = archived_groups.list_by_id(conn, [m.move.asset.id for m in moved])
    return _move_back(work, [
        Move(now[m.move.asset.id], m.move.target, m.move.source, PURPOSE, m.move.asset.status) for m in moved
    ])  # fmt: skip


def note_failures(work: Refiling, entries: Sequence[Entry], reasons: Mapping[int, str]) -> None:
    """Write down and tell that these groups did not get to their places; those that lie elsewhere than the run found
    them are told by `bring_home`. Raises RootUnavailable."""
    # An unmounted share also lacks every file: nothing is held against a file before its folder was seen.
    check_roots(work.services.db, [work.archive])
    work.reasons.update(reasons)
    with work.services.db.transaction() as conn:
        ways = _ways_of(conn, work, entries)
        firsts = _first_reasons(work, entries, ways)
        states = [(entry.asset_id, FAILED, firsts[entry.group_key]) for entry in entries]
        refile_entries.set_states(conn, work.run_id, states)
    away = {entry.group_key for entry in entries if entry.asset_id in ways}
    work.away += [entry for entry in entries if entry.group_key in away]
    if staying := [entry for entry in entries if entry.group_key not in away]:
        _tell(work, staying, {}, {})


def bring_home(work: Refiling) -> None:
    """Groups that are away and did not get to their places go back to where the run found them, if that is free."""
    for part in in_slices(work.away):
        with work.services.db.reading() as conn:
            found = archived_groups.list_by_id(conn, [entry.asset_id for entry in part])
            ways = _ways_of(conn, work, part)
        homeward = [
            move for entry in part if (move := _homeward(work, found.get(entry.asset_id), ways)) is not None
        ]
        groups = {entry.asset_id: entry.group_key for entry in part}
        moved = _move_back(work, homeward)
        failed = {groups[m.move.asset.id] for m in moved if m.outcome == "failed"}
        _reverse(work, [m for m in moved if m.outcome != "failed" and groups[m.move.asset.id] in failed])
        with work.services.db.reading() as conn:
            now = archived_groups.list_by_id(conn, [entry.asset_id for entry in part])
        _tell(work, part, ways, now)
    work.away = []


def _ways_of(conn: Connection, work: Refiling, entries: Sequence[Entry]) -> Ways:
    return moves.list_ways_of(conn, work.run_id, PURPOSE, work.archive.id, [entry.asset_id for entry in entries])


def _homeward(work: Refiling, asset: Asset | None, ways: Ways) -> Move | None:
    if asset is None or asset.id not in ways or asset.root_id != work.archive.id:
        return None
    home, last = ways[asset.id]
    if asset.path != last:
        return None
    after = asset.status
    if home.rpartition(b"/")[0] != last.rpartition(b"/")[0]:
        after = AssetStatus.SET_ASIDE if home.startswith(REVIEW_FOLDER + b"/") else AssetStatus.ARCHIVED
    return Move(asset, Place(work.archive, last), Place(work.archive, home), PURPOSE, after)


def _move_back(work: Refiling, back: Sequence[Move]) -> list[Moved]:
    def settle(conn: Connection, returned: Sequence[Moved]) -> None:
        say_why_aside(conn, returned)
        refile_entries.set_places(conn, work.run_id, [(m.move.asset.id, m.move.target.path) for m in returned])

    return work.services.disk.move_files(work.services.db, back, run_id=work.run_id, settle=settle)


# --- telling


def _first_reasons(work: Refiling, entries: Sequence[Entry], ways: Ways) -> dict[int, str]:
    """By group, the first of its files that failed, as it was called before the run, and why."""
    firsts: dict[int, str] = {}
    for entry in entries:
        if entry.asset_id in work.reasons:
            home = ways.get(entry.asset_id, (entry.from_path, b""))[0]
            firsts.setdefault(entry.group_key, f"{printable(home)}: {work.reasons[entry.asset_id]}")
    return firsts


def _tell(work: Refiling, entries: Sequence[Entry], ways: Ways, now: Mapping[int, Asset]) -> None:
    """Each file that failed in the journal, each of its group in the report, by the name that it has now."""
    firsts = _first_reasons(work, entries, ways)
    here = {e.asset_id: now[e.asset_id].path if e.asset_id in now else e.from_path for e in entries}
    with work.services.db.transaction() as conn:
        for entry in (entry for entry in entries if entry.asset_id in work.reasons):
            home = ways.get(entry.asset_id, (entry.from_path, b""))[0]
            _tell_one(work, conn, entry, home, here[entry.asset_id])
    work.failures += [
        Failure(printable(here[entry.asset_id]), firsts[entry.group_key], entry.asset_id) for entry in entries
    ]


def _tell_one(work: Refiling, conn: Connection, entry: Entry, home: bytes, here: bytes) -> None:
    path, target, reason = printable(home), printable(entry.to_path or b""), work.reasons[entry.asset_id]
    stays = "stays where it is, with its group"
    if here != home:
        stays = f"could not go back to this name either, and lies at {printable(here)} now, with its group"
    detail = {"path": path, "lies_at": printable(here), "target": target, "reason": reason}
    journal.record(conn, "asset.stayed_in_place", f"{path} {stays}; it belongs at {target}: {reason}",
                   level="warning", run_id=work.run_id, asset_id=entry.asset_id, detail=detail)
