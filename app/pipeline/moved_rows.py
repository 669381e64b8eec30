"""What is written of files that have moved: their rows go with them, and groups that moved as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from app.db import assets, duplicates, groups, journal, moved_files
from app.db.connection import Connection
from app.db.moved_files import Former
from app.errors import printable
from app.files.lone_sidecars import ALONE
from app.model import Asset, AssetStatus, Place, Root
from app.pipeline.moved_pairs import Pair, name_of, stem_of
from app.pipeline.naming import unsendable_reason

#: So many files of one folder are told of one by one, and so many lines are written at most for one transaction.
NAMED_EVENTS = 3
LINES = 200


def write_moved(conn: Connection, roots: Mapping[int, Root], root: Root, part: Sequence[Pair], run_id: int) -> int:
    """Write what is still as it was when it was found to have moved; returns how many."""
    rows = duplicates.list_by_ids(conn, [pair.former.id for pair in part])
    moved = [pair for pair in part if _is_as_found(rows.get(pair.former.id), pair.former)]
    before = [rows[pair.former.id] for pair in moved]
    group_ids = _group_ids(conn, root, moved, before)
    _judge_again(conn, [row for row, group_id in zip(before, group_ids, strict=True) if row.group_id != group_id])
    _take_up_again(conn, before)
    places = [
        moved_files.Moved(row.id, root.id, pair.found.path, pair.found.signature, group_id)
        for row, pair, group_id in zip(before, moved, group_ids, strict=True)
        if pair.found.signature is not None
    ]
    moved_files.write(conn, places)
    _record(conn, roots, root, moved, run_id)
    return len(moved)


def _is_as_found(row: Asset | None, former: Former) -> bool:
    return row is not None and (row.root_id, row.path, row.status) == (former.root_id, former.path, former.status)


def _group_ids(conn: Connection, root: Root, moved: Sequence[Pair], before: Sequence[Asset]) -> list[int]:
    """The groups that they are in from now on. One of which all members have moved together goes with them."""
    keys = [(pair.found.path.rpartition(b"/")[0], stem_of(pair.found)) for pair in moved]
    together: dict[int, set[tuple[bytes, bytes]]] = {}
    here: dict[int, set[int]] = {}
    for row, key in zip(before, keys, strict=True):
        if row.group_id is not None and row.status is not AssetStatus.GONE:
            together.setdefault(row.group_id, set()).add(key)
            here.setdefault(row.group_id, set()).add(row.id)
    members = moved_files.list_members(conn, list(together))
    whole = {g: next(iter(places)) for g, places in together.items() if len(places) == 1 and members[g] == here[g]}
    stems = moved_files.list_stems(conn, list(whole))
    # What cameras named alike, or was taken on other days, stays apart from what has the same name.
    apart = {g: (folder, stem + stems[g][len(stems[g].partition(b"\0")[0]) :]) for g, (folder, stem) in whole.items()}
    kept = moved_files.move_groups(conn, root.id, apart)
    others = [key for row, key in zip(before, keys, strict=True) if row.group_id not in kept or _is_gone(row)]
    made = groups.ensure(conn, root.id, others)
    return [
        row.group_id if row.group_id is not None and row.group_id in kept and not _is_gone(row) else made[key]
        for row, key in zip(before, keys, strict=True)
    ]


def _is_gone(row: Asset) -> bool:
    return row.status is AssetStatus.GONE


def _judge_again(conn: Connection, parted: Sequence[Asset]) -> None:
    """What is in other company now, or was gone, needs a new verdict; it is not read for that. What has failed, or was
    set aside, waits for a person as before."""
    judged = (AssetStatus.UNIQUE, AssetStatus.DUPLICATE, AssetStatus.GONE)
    again = [row for row in parted if row.status in judged]
    assets.mark(conn, again, AssetStatus.DISCOVERED, original_id=None, attempts=0)


def _take_up_again(conn: Connection, moved: Sequence[Asset]) -> None:
    """What was set aside for its name, or for want of its photo, was to be moved: it goes on. The batch stage looks at
    the new name."""
    aside = [row for row in moved if row.status is AssetStatus.SET_ASIDE and row.batch_id is None]
    again = [row for row in aside if (row.reason or "").startswith(ALONE) or row.reason == unsendable_reason(row.path)]
    assets.mark(conn, again, AssetStatus.DISCOVERED, attempts=0)


def _record(conn: Connection, roots: Mapping[int, Root], root: Root, moved: Sequence[Pair], run_id: int) -> None:
    lines: dict[tuple[int, bytes, bytes], list[Pair]] = {}
    for pair in moved:
        folders = (pair.former.root_id, pair.former.path.rpartition(b"/")[0], pair.found.path.rpartition(b"/")[0])
        lines.setdefault(folders, []).append(pair)
    told = iter(lines.items())
    for (root_id, source, target), alike in islice(told, LINES):
        if len(alike) > NAMED_EVENTS:
            _record_folder(conn, Place(roots[root_id], source), Place(root, target), len(alike), run_id)
        else:
            for pair in alike:
                _record_file(conn, Place(roots[root_id], pair.former.path), pair, root, run_id)
    rest = sum(len(alike) for _, alike in told)
    if rest:
        message = f"{rest} more files moved in the ingest folder; what is known of them was kept."
        journal.record(conn, "asset.moved", message, run_id=run_id, detail={"count": rest})


def _record_folder(conn: Connection, source: Place, target: Place, count: int, run_id: int) -> None:
    before, after = printable(source.absolute.rstrip(b"/")), printable(target.absolute.rstrip(b"/"))
    words = f"moved from {before} to {after}" if before != after else f"have other names, or are back, in {after}"
    detail = {"from": before, "to": after, "count": count}
    message = f"{count} files {words}; what is known of them was kept."
    journal.record(conn, "asset.moved", message, run_id=run_id, detail=detail)


def _record_file(conn: Connection, source: Place, pair: Pair, root: Root, run_id: int) -> None:
    before, after = printable(source.absolute), printable(Place(root, pair.found.path).absolute)
    words = f"moved from {before} to {after}" if before != after else f"{after} is back"
    if before != after:
        words = f"{printable(name_of(pair.found.path))} {words}"
    detail = {"from": before, "to": after}
    message = f"{words}; what is known of it was kept."
    journal.record(conn, "asset.moved", message, run_id=run_id, asset_id=pair.former.id, detail=detail)
