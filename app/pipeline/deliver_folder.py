"""Delivery to a mounted folder: a verified copy of every file under the batch's name, then the manifest beside them.

Each copy is re-read and compared before it counts. A file that is there already with the same content counts too;
one with other content stops the batch, and nothing is overwritten. A folder that is not mounted, or full, is waited
for. A file that the batch folder does not hold any more is taken from its kept copy, or fails and is left out.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.db import assets, batches, deliveries, journal, members
from app.db import roots as root_rows
from app.db.connection import Connection
from app.errors import FileError, NoSpace, RootUnavailable, SourceChanged
from app.files.move import Move, Moved, move_files
from app.files.prune import write_new_file
from app.files.roots import check_roots
from app.model import Asset, AssetStatus, Batch, BatchStatus, Failure, Place, Report, Root, RootKind, Signature
from app.pipeline.delivered import finish
from app.pipeline.failing import CHANGED_IN_FOLDER, LOST, failure, give_up, note_attempt, raise_when_full, reason_of
from app.pipeline.manifest import OWN_NAMES
from app.pipeline.manifest_store import read_own_file
from app.pipeline.step import StepContext
from app.pipeline.waiting import wait
from app.pipeline.whereabouts import Whereabouts, find_kept_copy, look_at
from app.services import Services
from app.syncthing.notes import load
from app.syncthing.troubles import Trouble

#: The device of the deliveries table that stands for the folder.
DEVICE = "folder"
#: Files are copied in slices of this many, with a safe point after each.
SLICE = 64
#: What is certain, and the reason that the file then fails with.
GIVEN_UP = {Whereabouts.MISSING: LOST, Whereabouts.CHANGED: CHANGED_IN_FOLDER}


Sources = Mapping[int, tuple[Place, Signature]]


@dataclass
class Delivery:
    """One batch on its way to the folder. `in_the_way` needs a person, `unreadable` files are tried again."""

    services: Services
    batch: Batch
    target: Root
    roots: Mapping[int, Root]
    run_id: int
    in_the_way: list[Failure] = field(default_factory=list)
    unreadable: list[Failure] = field(default_factory=list)


def deliver(services: Services, batch: Batch, run_id: int | None, step: StepContext | None) -> Report:
    """Copy what is not delivered yet. Needs the mover's lock, so outside a run nothing is done."""
    if step is None:
        return Report("waiting", f"Batch {batch.name} is delivered by the next run.", batch_id=batch.id)
    try:
        return _deliver(services, batch, step)
    except RootUnavailable as error:
        if error.kind != RootKind.DELIVERY:
            raise
        return _wait(services, batch, Trouble("folder_unavailable", str(error)), step.run_id)
    except NoSpace as error:
        return _wait(services, batch, Trouble("folder_full", str(error)), step.run_id)


def _deliver(services: Services, batch: Batch, step: StepContext) -> Report:
    target = services.root(RootKind.DELIVERY)
    batch = _begin(services, batch, target, step.run_id)
    with services.db.reading() as conn:
        # Of every root ever set up: a batch stays where it was published when paths.batch_dir is changed.
        roots = {root.id: root for root in root_rows.list_all(conn)}
    work = Delivery(services, batch, target, roots, step.run_id)
    _copy_all(work, step)
    with services.db.reading() as conn:
        batch = batches.get(conn, batch.id)
    if not work.in_the_way and not work.unreadable:
        work.in_the_way += _copy_own_files(_root_of(services, batch), target, batch)
    if work.in_the_way:
        return _fail(services, batch, work.in_the_way, step.run_id)
    if work.unreadable:
        return _wait(services, batch, _unreadable(work.unreadable), step.run_id)
    return finish(services, batch, step.run_id, f"Every file is copied to {os.fsdecode(target.path)} and compared.")


def _unreadable(failures: Sequence[Failure]) -> Trouble:
    more = f" ({len(failures)} files in all)" if len(failures) > 1 else ""
    return Trouble("files_unreadable", f"{failures[0].path} is tried again: {failures[0].reason}{more}")


def _begin(services: Services, batch: Batch, target: Root, run_id: int) -> Batch:
    if batch.status is BatchStatus.SYNCING:
        return batch
    with services.db.transaction() as conn:
        message = f"Batch {batch.name}: {batch.file_count} files are copied to {os.fsdecode(target.path)}."
        journal.record(conn, "batch.sync_started", message, run_id=run_id, batch_id=batch.id)
        return batches.change(conn, batch, BatchStatus.SYNCING, device_id=DEVICE)


def _copy_all(work: Delivery, step: StepContext) -> None:
    with work.services.db.reading() as conn:
        present = assets.list_in_batch(conn, work.batch.id, AssetStatus.BATCHED)
        known = deliveries.confirmed_ids(conn, work.batch.id, DEVICE)
    todo = [asset for asset in present if asset.id not in known]
    for start in range(0, len(todo), SLICE):
        done = len(present) - len(todo) + start
        step.safe_point(done, len(present))
        slice_ = todo[start : start + SLICE]
        elsewhere = _copy(work, slice_, {})
        _copy(work, [asset for asset in slice_ if asset.id in elsewhere], elsewhere)


def _copy(work: Delivery, slice_: Sequence[Asset], sources: Sources) -> Sources:
    """Copy these files; returns where else the content is of those that the batch folder does not hold any more."""

    def settle(conn: Connection, moved: Sequence[Moved]) -> None:
        arrived = [(m.move.asset.id, m.move.asset.digest) for m in moved if m.outcome != "failed"]
        deliveries.confirm(conn, work.batch.id, DEVICE, arrived)
        tried = [m.move.asset.id for m in moved if m.outcome != "failed" and m.move.asset.attempts]
        assets.set_columns(conn, [(asset_id, {"attempts": 0, "reason": None}) for asset_id in tried])
        held = deliveries.size_of_confirmed(conn, work.batch.id, DEVICE)
        batches.set_columns(conn, work.batch.id, confirmed_count=held.file_count, confirmed_bytes=held.size_bytes)

    moves = [_move(work, asset, sources.get(asset.id)) for asset in slice_]
    moved = move_files(work.services.db, moves, run_id=work.run_id, batch_id=work.batch.id, settle=settle)
    raise_when_full(moved)
    found = {m.move.asset.id: _note_failed(work, m, sources) for m in moved if m.outcome == "failed"}
    return {asset_id: place for asset_id, place in found.items() if place is not None}


def _move(work: Delivery, asset: Asset, elsewhere: tuple[Place, Signature] | None) -> Move:
    place, s = elsewhere or (Place(work.roots[asset.root_id], asset.path), asset.signature)
    held = replace(asset, device=s.device, inode=s.inode, size_bytes=s.size_bytes, mtime_ns=s.mtime_ns,
                   ctime_ns=s.ctime_ns)
    return Move(
        asset=held,
        source=place,
        target=Place(work.target, asset.path),
        purpose="deliver",
        status_after=None,
        keep_source=True,
        places_asset=False,
    )


def _note_failed(work: Delivery, moved: Moved, sources: Sources) -> tuple[Place, Signature] | None:
    """What comes next for a file that was not copied: its kept copy, another try, or failed; written down at once.

    Raises RootUnavailable when a root is away: then nothing is missing, and nothing is given up.
    """
    asset, source, reason = moved.move.asset, moved.move.source, reason_of(moved.error)
    check_roots(work.services.db, [source.root, work.target])
    seen = look_at(source, asset)
    if seen is Whereabouts.HERE and not isinstance(moved.error, SourceChanged):
        work.in_the_way.append(failure(asset, reason))
        return None
    if asset.id not in sources and seen is not Whereabouts.HERE:
        try:
            kept = find_kept_copy(work.services, work.roots, asset)
        except FileError as error:
            kept, seen, reason = None, Whereabouts.UNREADABLE, str(error)
        if kept is not None:
            return kept
        if seen in GIVEN_UP:
            _leave_out(work, asset, GIVEN_UP[seen])
            return None
    _try_again(work, asset, reason)
    return None


def _try_again(work: Delivery, asset: Asset, reason: str) -> None:
    with work.services.db.transaction() as conn:
        if note_attempt(conn, asset, reason, work.run_id):
            members.recount(conn, work.batch.id)
        else:
            work.unreadable.append(failure(asset, reason))


def _leave_out(work: Delivery, asset: Asset, reason: str) -> None:
    with work.services.db.transaction() as conn:
        give_up(conn, asset, reason, work.run_id)
        members.recount(conn, work.batch.id)


def _root_of(services: Services, batch: Batch) -> Root:
    """Where the batch was published, which is not paths.batch_dir when that was changed since."""
    with services.db.reading() as conn:
        present = assets.list_in_batch(conn, batch.id, AssetStatus.BATCHED)
        return root_rows.get(conn, present[0].root_id) if present else services.root(RootKind.BATCH)


def _copy_own_files(source: Root, target: Root, batch: Batch) -> list[Failure]:
    failures: list[Failure] = []
    for name in OWN_NAMES:
        path = os.fsencode(batch.name) + b"/" + name
        content = read_own_file(Place(source, path))
        if content is None or content == read_own_file(Place(target, path)):
            continue
        try:
            write_new_file(Place(target, path), content)
        except NoSpace:
            raise
        except FileError as error:
            failures.append(Failure(os.fsdecode(path), str(error)))
    return failures


def _wait(services: Services, batch: Batch, trouble: Trouble, run_id: int) -> Report:
    with services.db.reading() as conn:
        remembered = load(conn, batch.id)
    return wait(services, batch, remembered, trouble, run_id=run_id, device_id=DEVICE, peer="the folder")


def _fail(services: Services, batch: Batch, failures: list[Failure], run_id: int) -> Report:
    """The batch becomes ERROR: what is in the way needs a person, who then retries the batch."""
    more = f" ({len(failures)} files in all)" if len(failures) > 1 else ""
    message = f"Batch {batch.name} is not delivered: {failures[0].reason}{more}"
    with services.db.transaction() as conn:
        batches.change(
            conn, batch, BatchStatus.ERROR, error=message, error_from=batch.status.value, sync_detail=message
        )
        journal.record(conn, "batch.failed", message, level="error", run_id=run_id, batch_id=batch.id)
    return Report("failed", message, batch_id=batch.id, failures=failures)
