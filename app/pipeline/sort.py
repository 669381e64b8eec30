"""The sort stage: the files of a delivered batch go into the archive, whole groups at a time.

Only a batch that was delivered is sorted. A batch is SORTED when every one of its files has arrived or has been
reported: a file is never skipped in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from functools import partial

from app.db import assets, batches, capture_records, journal, members
from app.db import roots as root_rows
from app.db.clock import now
from app.db.connection import Connection
from app.errors import IllegalTransition, NoSpace, RootUnavailable
from app.files.move import Moved
from app.model import Asset, AssetStatus, Batch, BatchStatus, Failure, Report, RootKind
from app.model.counting import counted
from app.model.instants import instant_in_words
from app.pipeline.archiving import PENDING, PLACED, Archiving, plan_group
from app.pipeline.away import find_away
from app.pipeline.batch_plan import capture_order
from app.pipeline.failing import finish_interrupted_moves, raise_when_full
from app.pipeline.filing import REVIEW_FOLDER, REVIEW_REASON
from app.pipeline.late_members import Filed, file_all, list_archived_before, list_undated
from app.pipeline.mirrored import tell_mirrored
from app.pipeline.missing import note_failed
from app.pipeline.new_folders import note_new_folders
from app.pipeline.room import in_words, require_room
from app.pipeline.step import StepContext
from app.services import Services

SORTABLE = (BatchStatus.SYNCED, BatchStatus.SORTING)

#: Files planned and moved at a time.
SLICE = 256


def run(services: Services, step: StepContext, settled_policy: str | None = None) -> Report:
    """Archive the step's batch, or the oldest delivered one. Raises IllegalTransition for one not delivered.

    `settled_policy` is the one under which it was settled what becomes of the peer's copies: a batch that has come
    under another since waits.
    """
    finish_interrupted_moves(services.db)
    batch = _choose(services, step.batch_id)
    if batch is None:
        return Report("idle", "There is no delivered batch to sort.", batch_id=step.batch_id)
    waiting = what_it_waits_for(batch, now())
    if waiting:
        return Report("waiting", waiting, batch_id=batch.id)
    try:
        return _archive(services, step, batch, settled_policy or batch.peer_policy)
    except (NoSpace, RootUnavailable) as error:
        if isinstance(error, RootUnavailable) and find_away(services, error) is not None:
            raise
        return _failed(services, step, batch, str(error))


def what_it_waits_for(batch: Batch, at: str) -> str | None:
    """Why the files of a delivered batch may not leave its folder yet, in words; None when they may."""
    if batch.status is not BatchStatus.SYNCED:
        return None
    if batch.awaits_release:
        return f"Batch {batch.name} is delivered; the peer has not released its files yet. {batch.sync_detail or ''}"
    if batch.next_look_at is None or batch.next_look_at <= at:
        return None
    if batch.target == "syncthing" and batch.peer_policy == "mirror":
        return (f"Batch {batch.name} is delivered; its files go to the archive, and the peer's copies go, at "
                f"{instant_in_words(batch.next_look_at)}.")
    return f"Batch {batch.name} is delivered; its files may leave the folder at {instant_in_words(batch.next_look_at)}."


def _choose(services: Services, batch_id: int | None) -> Batch | None:
    with services.db.reading() as conn:
        if batch_id is None:
            return next(iter(batches.list_by_status(conn, SORTABLE)), None)
        batch = batches.get(conn, batch_id)
        if batch.status is BatchStatus.SORTED:
            return batch if any(status in PENDING for status in members.count(conn, batch_id)) else None
    if batch.status not in SORTABLE:
        raise IllegalTransition(f"Batch {batch.name}", batch.status, BatchStatus.SORTING)
    return batch


def _archive(services: Services, step: StepContext, batch: Batch, settled_policy: str) -> Report:
    with services.db.transaction() as conn:
        waiting = _waits_anew(batches.get(conn, batch.id), settled_policy)
        if waiting is not None:
            return Report("waiting", waiting, batch_id=batch.id)
        roots = {root.id: root for root in root_rows.list_all(conn)}
        sizes = members.sizes_by_root(conn, batch.id, PENDING)
        copies = services.config.sorter.transfer_mode == "copy"
        require_room("sort a batch into", sizes, roots, services.root(RootKind.ARCHIVE), copies=copies,
                     disk=services.disk)
        batch = _start(conn, batch, step.run_id)
    work = Archiving(services, step, batch, roots)
    failures: dict[int, Failure] = {}
    while groups := _groups(work):
        for part in _slices(groups):
            failures.update(_archive_part(work, part))
    return _finish(work, failures)


def _waits_anew(batch: Batch, settled_policy: str) -> str | None:
    """In the transaction that begins the sorting, after which no change of the policy reaches the batch."""
    if batch.status is BatchStatus.SYNCED and batch.peer_policy != settled_policy:
        return (f"Batch {batch.name} came under sync.peer_policy {batch.peer_policy} while its sorting began under "
                f"{settled_policy}; it is looked at again.")
    return what_it_waits_for(batch, now())


def _start(conn: Connection, batch: Batch, run_id: int | None) -> Batch:
    if batch.status is not BatchStatus.SYNCED:
        return batch
    batch = batches.change(conn, batch, BatchStatus.SORTING)
    journal.record(conn, "batch.sort_started", f"Sorting batch {batch.name} began.", run_id=run_id, batch_id=batch.id,
                   detail={"files": batch.file_count, "size_bytes": batch.size_bytes})
    return batch


# --- group by group


def _groups(work: Archiving) -> list[list[Asset]]:
    """The groups with a file to archive, in capture order, with those of their members that are archived already."""
    with work.services.db.reading() as conn:
        pending = members.list_of(conn, work.batch.id, PENDING)
        placed = members.list_of(conn, work.batch.id, PLACED, [work.archive.id]) if pending else []
    grouped: dict[int, list[Asset]] = {}
    for asset in pending:
        grouped.setdefault(_group_key(asset), []).append(asset)
    for asset in placed:
        if (group := grouped.get(_group_key(asset))) is not None:
            group.append(asset)
    ordered = [sorted(group, key=capture_order) for group in grouped.values()]
    return sorted(ordered, key=lambda group: capture_order(group[0]))


def _group_key(asset: Asset) -> int:
    return asset.group_id if asset.group_id is not None else -asset.id


def _slices(groups: Sequence[list[Asset]]) -> Iterator[list[list[Asset]]]:
    part: list[list[Asset]] = []
    files = 0
    for group in groups:
        part.append(group)
        files += len(group)
        if files >= SLICE:
            yield part
            part, files = [], 0
    if part:
        yield part


def _archive_part(work: Archiving, groups: Sequence[list[Asset]]) -> dict[int, Failure]:
    with work.services.db.reading() as conn:
        archived = list_archived_before(conn, work.archive, work.batch, groups)
        filed = file_all(conn, work.places, groups, archived)
    work.misfiled.update(asset_id for one in filed for asset_id in one.stay)
    with work.looks:
        plans = [plan_group(work, one.members, one.filing) for one in filed]
    moves = [move for plan in plans for move in plan.moves]
    originals = [(i, {"original_id": original}) for plan in plans for i, original in plan.originals.items()]
    dated = [one for one in filed if one.dates]
    if originals:
        with work.services.db.transaction() as conn:
            assets.set_columns(conn, originals)
    work.tell_progress(())
    note_new_folders(work.services, (move.target for move in moves), work.folders)
    moved = work.services.disk.move_files(work.services.db, moves, run_id=work.step.run_id, batch_id=work.batch.id,
                                          settle=partial(_settle, dated), after_group=work.tell_progress)
    raise_when_full(moved)
    noted = [note_failed(work, m) for m in moved if m.outcome == "failed"]
    return {failure.asset_id: failure for failure in noted if failure is not None and failure.asset_id is not None}


def _write_dates(conn: Connection, dated: Sequence[Filed], asset_ids: Set[int]) -> None:
    """The date of those of archived files that were drawn along by what came late to their group."""
    for one in dated:
        drawn = [(asset_id, columns) for asset_id, columns in one.dates if asset_id in asset_ids]
        assets.set_columns(conn, drawn)
        capture_records.set_confidence(conn, [asset_id for asset_id, _ in drawn], one.confidence)


def _settle(dated: Sequence[Filed], conn: Connection, moved: Sequence[Moved]) -> None:
    """With the new places: the dates that led there, no earlier failure, and what waits for a review says so."""
    _write_dates(conn, dated, {m.move.asset.id for m in moved})
    assets.set_columns(conn, [(m.move.asset.id, {"attempts": 0}) for m in moved if m.move.asset.attempts])
    _say_review(conn, [m.move.asset.id for m in moved if m.move.status_after is AssetStatus.SET_ASIDE])


def _say_review(conn: Connection, asset_ids: Sequence[int]) -> None:
    assets.set_columns(conn, [(asset_id, {"reason": REVIEW_REASON}) for asset_id in asset_ids])


# --- the end


def _finish(work: Archiving, failures: dict[int, Failure]) -> Report:
    batch, run_id = work.batch, work.step.run_id
    with work.services.db.transaction() as conn:
        apart = members.list_of(conn, batch.id, [AssetStatus.SET_ASIDE], [work.archive.id])
        # A move that recovery finished after a crash has no reason written yet.
        _say_review(conn, [a.id for a in apart if a.reason is None and a.path.startswith(REVIEW_FOLDER + b"/")])
        undated = list_undated(conn, work.places, work.archive, batch)
        _write_dates(conn, undated, {asset_id for one in undated for asset_id, _ in one.dates})
        counted = members.count(conn, batch.id)
        counts = {str(status): files for status, (files, _) in counted.items()}
        archived, size_bytes = counted.get(AssetStatus.ARCHIVED, (0, 0))
        lasting = {a.id for a in members.list_of(conn, batch.id, [AssetStatus.FAILED])}
        words = _in_words(batch, counts, size_bytes, len(work.stayed), len(work.misfiled))
        if batch.status is BatchStatus.SORTING:
            batches.change(conn, batch, BatchStatus.SORTED)
        level = "warning" if set(counts) - {"archived"} or work.stayed or work.misfiled else "info"
        journal.record(conn, "batch.sorted", words, level=level, run_id=run_id, batch_id=batch.id,
                       detail={**counts, "size_bytes": size_bytes})
        if work.services.config.sorter.transfer_mode == "move":
            tell_mirrored(conn, batch, archived + len(apart), run_id)
    listed = [failure for asset_id, failure in failures.items() if asset_id in lasting]
    listed += work.stayed.values()
    return Report("done", words, archived, sum(counts.values()) - archived, size_bytes, batch.id, listed,
                  {"batch_name": batch.name, "counts": counts})


def _in_words(batch: Batch, counts: dict[str, int], size_bytes: int, stayed: int, misfiled: int) -> str:
    others = [f"{n} {status.replace('_', ' ')}" for status, n in counts.items() if status != AssetStatus.ARCHIVED]
    more = f"; {', '.join(others)}" if others else ""
    more += f"; {counted(stayed, 'file', 'files')} archived before could not be brought to the others" if stayed else ""
    more += (f"; of {counted(misfiled, 'file', 'files')} archived before a better date is known now, `media-pipeline "
             f"refile` files {'it' if misfiled == 1 else 'them'} by it") if misfiled else ""
    files = counted(counts.get("archived", 0), "file", "files")
    return f"Batch {batch.name} is sorted: {files} archived, {in_words(size_bytes)}{more}."


def _failed(services: Services, step: StepContext, batch: Batch, reason: str) -> Report:
    """The archive or the batch folder cannot be used: ERROR, from where a retry goes on."""
    with services.db.transaction() as conn:
        found = batches.get(conn, batch.id)
        if found.status in SORTABLE:
            batches.change(conn, found, BatchStatus.ERROR, error=reason, error_from=found.status.value)
        journal.record(conn, "batch.failed", f"Batch {batch.name} could not be sorted: {reason}", level="error",
                       run_id=step.run_id, batch_id=batch.id, detail={"reason": reason, "from": found.status.value})
    return Report("failed", reason, batch_id=batch.id)
