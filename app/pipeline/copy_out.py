"""Copying the files of a batch to the delivery folder, each from where its content is: its place, or a kept copy.

A file that certainly is nowhere fails and leaves the delivery; one that cannot be read now is tried again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.db import assets, batches, deliveries, members
from app.db.connection import Connection
from app.errors import FileError, SourceChanged
from app.files.move import Move, Moved
from app.files.roots import check_roots
from app.model import Asset, AssetStatus, Batch, Failure, Place, Root, Signature
from app.pipeline.failing import CHANGED_IN_FOLDER, LOST, failure, give_up, note_attempt, raise_when_full, reason_of
from app.pipeline.step import StepContext
from app.pipeline.whereabouts import Whereabouts, find_kept_copy, look_at
from app.services import Services

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


def copy_all(work: Delivery, step: StepContext) -> None:
    """Copy every file that is not confirmed yet, and note in `work` what keeps others from it.

    Raises RootUnavailable, NoSpace when the folder is full, and Stopped at a safe point.
    """
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
    disk, db = work.services.disk, work.services.db
    moved = disk.move_files(db, moves, run_id=work.run_id, batch_id=work.batch.id, settle=settle)
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
    seen = look_at(source, asset, work.services.disk)
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
