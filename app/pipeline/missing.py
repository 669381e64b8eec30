"""What becomes of a file of a delivered batch that could not be archived: looked for elsewhere, tried again, failed."""

from __future__ import annotations

from app.db import assets, journal
from app.errors import FileError, SourceChanged, TargetExists, printable
from app.files.move import Moved
from app.files.roots import check_roots
from app.model import Asset, AssetStatus, Failure, Place
from app.pipeline.archiving import PENDING, Archiving
from app.pipeline.failing import LOST, failure, give_up, holds, is_missing, note_attempt, reason_of
from app.pipeline.whereabouts import find_kept_copy

#: A file meets a taken name this often before that counts as a failure.
MAX_COLLISIONS = 100

CHANGED = "Its file was changed in the batch folder, and no other copy of what was delivered was found."


def note_failed(work: Archiving, moved: Moved) -> Failure | None:
    """Decide what comes next for a file that was not archived, and write it down; None when that is no failure."""
    with work.services.db.reading() as conn:
        asset = assets.get(conn, moved.move.asset.id)
    if work.is_placed(moved.move.asset):
        _tell_apart(work, moved)
        return None
    if asset.status not in PENDING:
        return None
    if isinstance(moved.error, TargetExists) and work.collisions[asset.id] < MAX_COLLISIONS:
        work.collisions[asset.id] += 1
        work.claimed[moved.move.target.path] = 0
        return None
    reason = reason_of(moved.error)
    if isinstance(moved.error, SourceChanged):
        return _search(work, asset, moved)
    return _try_again(work, asset, reason)


def _tell_apart(work: Archiving, moved: Moved) -> None:
    """A file that was archived before stays where it is, with the date that led there, while its group goes on."""
    asset, target = moved.move.asset, moved.move.target
    check_roots(work.services.db, [work.archive])
    told = asset.id in work.stayed
    folder, reason = printable(target.path.rpartition(b"/")[0]), reason_of(moved.error)
    work.stayed[asset.id] = failure(asset, f"It could not be brought to the rest of its group in {folder}: {reason}")
    if told:
        return
    words = f"{printable(asset.path)} stays where it is. {work.stayed[asset.id].reason}"
    with work.services.db.transaction() as conn:
        journal.record(conn, "asset.stayed_apart", words, level="warning", run_id=work.step.run_id,
                       batch_id=work.batch.id, asset_id=asset.id,
                       detail={"path": printable(asset.path), "target": printable(target.path), "reason": reason})


def _try_again(work: Archiving, asset: Asset, reason: str) -> Failure:
    with work.services.db.transaction() as conn:
        note_attempt(conn, asset, reason, work.step.run_id)
    return failure(asset, reason)


def _search(work: Archiving, asset: Asset, moved: Moved) -> Failure | None:
    """The batch folder does not hold the content any more: a kept copy, or a file already archived, may.

    Raises RootUnavailable when a root is away: then nothing is missing, and nothing is given up.
    """
    check_roots(work.services.db, [moved.move.source.root, work.archive])
    try:
        if asset.id not in work.sources and _use_kept_copy(work, asset):
            return None
    except FileError as error:
        return _try_again(work, asset, str(error))
    if moved.move.status_after is AssetStatus.ARCHIVED and holds(moved.move.target, asset, work.services.disk):
        _adopt(work, asset, moved.move.target)
        return None
    reason = LOST if is_missing(moved.move.source, work.services.disk) else CHANGED
    with work.services.db.transaction() as conn:
        give_up(conn, asset, reason, work.step.run_id)
    return failure(asset, reason)


def _use_kept_copy(work: Archiving, asset: Asset) -> bool:
    """Take the content from where it was copied from: the file there stays as well."""
    kept = find_kept_copy(work.services, work.roots, asset)
    if kept is not None:
        work.sources[asset.id] = kept
    return kept is not None


def _adopt(work: Archiving, asset: Asset, place: Place) -> None:
    """The content lies where it should go, without a row that says so: the row is put right."""
    signature = work.services.disk.signature_at(place)
    assert signature is not None
    words = f"{printable(asset.path)} was found in the archive already, at {printable(place.path)}."
    with work.services.db.transaction() as conn:
        assets.place(conn, asset.id, place.root.id, place.path, signature, AssetStatus.ARCHIVED)
        journal.record(conn, "orphan.adopted", words, level="warning", run_id=work.step.run_id,
                       batch_id=work.batch.id, asset_id=asset.id, detail={"path": printable(place.path)})
