"""Building the folder of a batch whose assets are bound to it, and publishing it as a whole."""

from __future__ import annotations

from collections.abc import Sequence

from app.db import assets, batches, capture_records, journal, members
from app.db import roots as root_rows
from app.db.clock import now
from app.db.connection import Connection
from app.errors import FileError, SourceChanged, TargetExists, printable
from app.files.move import Move, Moved
from app.files.roots import check_roots
from app.model import Asset, AssetStatus, Batch, BatchStatus, Failure, Place, Report, RootKind
from app.model.counting import counted
from app.pipeline import batch_plan
from app.pipeline.batch_plan import Build, Protect, members_of
from app.pipeline.failing import failure, holds, is_missing, note_attempt, raise_when_full, reason_of
from app.pipeline.manifest import OWN_NAMES, Manifest
from app.pipeline.naming import plan_paths, suffixed_paths
from app.pipeline.room import in_words
from app.pipeline.step import StepContext
from app.services import Services

#: Files moved between two safe points.
SLICE = 256


def build(services: Services, step: StepContext, batch: Batch, protect: Protect | None = None) -> Report:
    """Take a bound batch from wherever it stands to published. Raises NoSpace, RootUnavailable, Stopped."""
    with services.db.transaction() as conn:
        roots = {root.id: root for root in root_rows.list_all(conn)}
        _release_unready(conn, batch, batch_plan.source_ids(services))
    work = Build(services, step, batch, roots, protect)
    planned, failures = _fill(work)
    held = members_of(work, AssetStatus.BATCHED)
    if not held:
        return _come_to_nothing(work, failures)
    batch_plan.correct(work, planned, held)
    _count(work, held)
    return _publish(work, failures)


def _release_unready(conn: Connection, batch: Batch, sources: Sequence[int]) -> None:
    """What a scan has found changed, or what lies in a folder that is no source any more, has left the batch."""
    unready = members.list_unready_ids(conn, batch.id, sources)
    assets.set_columns(conn, [(asset_id, {"batch_id": None}) for asset_id in unready])


# --- the files


def _fill(work: Build) -> tuple[Manifest, list[Failure]]:
    """The manifest as planned, and what could not be moved in. The rows read here are let go when it returns."""
    bound = members_of(work, *members.READY)
    planned = batch_plan.plan(work, bound)
    return planned, _move_in(work, bound, {file.asset_id: file.path for file in planned.files})


def _move_in(work: Build, bound: Sequence[Asset], paths: dict[int, bytes]) -> list[Failure]:
    """Move every bound file into the staged folder; each either ends there or has left the batch afterwards."""
    failures: dict[int, Failure] = {}
    in_place = [a for a in bound if a.status is AssetStatus.BATCHED]
    done, size_bytes = len(in_place), sum(a.size_bytes for a in in_place)
    pending = [a for a in bound if a.status is AssetStatus.UNIQUE]
    while pending:
        _name_late_comers(work, paths, pending)
        for start in range(0, len(pending), SLICE):
            work.step.safe_point(done, work.batch.file_count, size_bytes)
            part = pending[start : start + SLICE]
            failed = _move_slice(work, part, paths)
            failures = {**{i: f for i, f in failures.items() if i not in {a.id for a in part}}, **failed}
            done, size_bytes = done + len(part) - len(failed), size_bytes + sum(a.size_bytes for a in part)
        pending = members_of(work, AssetStatus.UNIQUE)
    return list(failures.values())


def _name_late_comers(work: Build, paths: dict[int, bytes], pending: Sequence[Asset]) -> None:
    wanted = [{a.id: a.path} for a in pending if a.id not in paths]
    taken = [*OWN_NAMES, *paths.values()] if wanted else ()
    paths.update(plan_paths(wanted, taken, compose=work.batch.target == "syncthing"))


def _move_slice(work: Build, pending: Sequence[Asset], paths: dict[int, bytes]) -> dict[int, Failure]:
    batch = work.batch
    moves = [
        Move(
            asset=asset,
            source=Place(work.roots[asset.root_id], asset.path),
            target=Place(work.staging, work.folder + b"/" + paths[asset.id]),
            purpose="batch",
            status_after=AssetStatus.BATCHED,
            keep_source=batch.transfer_mode == "copy",
        )
        for asset in pending
    ]
    moved = work.services.disk.move_files(work.services.db, moves, run_id=work.step.run_id, batch_id=batch.id)
    raise_when_full(moved)
    failed = [m for m in moved if m.outcome == "failed"]
    # An unmounted share also lacks every file: nothing is believed to be missing before its marker was seen again.
    check_roots(work.services.db, list({m.move.source.root.id: m.move.source.root for m in failed}.values()))
    with work.services.db.transaction() as conn:
        return {m.move.asset.id: _note(conn, work, m, paths) for m in failed}


def _note(conn: Connection, work: Build, moved: Moved, paths: dict[int, bytes]) -> Failure:
    """What becomes of a file that could not be moved in: gone, to be read again, another name, another try, failed."""
    asset, reason = assets.get(conn, moved.move.asset.id), reason_of(moved.error)
    disk, move = work.services.disk, moved.move
    if asset.status is not AssetStatus.UNIQUE:
        assets.set_columns(conn, [(asset.id, {"batch_id": None})])
    elif is_missing(move.source, disk) and holds(move.target, asset, disk):
        _adopt(conn, work, asset, move.target)
    elif is_missing(move.source, disk):
        _leave(conn, work, asset, AssetStatus.GONE, "asset.vanished", "it is no longer there")
    elif isinstance(moved.error, SourceChanged):
        _leave(conn, work, asset, AssetStatus.DISCOVERED, "asset.changed", "it changed after it was read")
    elif note_attempt(conn, asset, reason, work.step.run_id):
        assets.set_columns(conn, [(asset.id, {"batch_id": None})])
    elif isinstance(moved.error, TargetExists):
        number = asset.attempts + 1
        paths[asset.id] = suffixed_paths({asset.id: paths[asset.id]}, number)[asset.id]
    return failure(asset, reason)


def _adopt(conn: Connection, work: Build, asset: Asset, place: Place) -> None:
    """The content lies where it should go already, as with a database put back from a backup: the row is put right."""
    signature = work.services.disk.signature_at(place)
    assert signature is not None
    assets.place(conn, asset.id, place.root.id, place.path, signature, AssetStatus.BATCHED)
    words = f"{printable(asset.path)} was found in the folder of batch {work.batch.name} already."
    journal.record(conn, "orphan.adopted", words, level="warning", run_id=work.step.run_id, batch_id=work.batch.id,
                   asset_id=asset.id, detail={"path": printable(place.path)})


def _leave(conn: Connection, work: Build, asset: Asset, status: AssetStatus, kind: str, reason: str) -> None:
    forgotten = {"digest": None, "head_digest": None, "sha256": None, "inspected_at": None}
    columns = forgotten if status is AssetStatus.DISCOVERED else {}
    if columns:
        capture_records.drop(conn, [asset.id])
    assets.mark(conn, [asset], status, reason=reason, batch_id=None, **columns)
    journal.record(
        conn,
        kind,
        f"{printable(asset.path)} left batch {work.batch.name}: {reason}.",
        level="warning",
        run_id=work.step.run_id,
        batch_id=work.batch.id,
        asset_id=asset.id,
        detail={"path": printable(asset.path), "reason": reason},
    )


# --- the folder


def _publish(work: Build, failures: list[Failure]) -> Report:
    source = Place(work.staging, work.folder)
    target = Place(work.services.root(RootKind.BATCH), work.folder)
    try:
        if work.protect is not None:
            work.protect(work.services, work.batch, work.step.run_id)
        work.services.disk.move_directory(
            work.services.db, source, target, run_id=work.step.run_id, batch_id=work.batch.id, purpose="publish",
            settle=lambda conn: _note_published(conn, work),
        )  # fmt: skip
    except FileError as error:
        return _not_published(work, str(error), failures)
    return _report(work, failures)


def _count(work: Build, held: Sequence[Asset]) -> None:
    """What the batch really holds, written before the rename: recovery may be what finishes that."""
    with work.services.db.transaction() as conn:
        size_bytes = sum(a.size_bytes for a in held)
        batches.set_columns(conn, work.batch.id, file_count=len(held), size_bytes=size_bytes)


def _note_published(conn: Connection, work: Build) -> None:
    """The row says what the disk says: the folder is where the peer sees it."""
    batch_root = work.services.root(RootKind.BATCH)
    members.rebase(conn, work.batch.id, work.staging.id, batch_root.id)
    batches.set_columns(conn, work.batch.id, published_at=now())
    batch = batches.get(conn, work.batch.id)
    files = counted(batch.file_count, "file", "files")
    words = f"Batch {batch.name} was published: {files}, {in_words(batch.size_bytes)}."
    left_out = work.batch.file_count - batch.file_count
    detail = {"files": batch.file_count, "size_bytes": batch.size_bytes, "left_out": left_out}
    journal.record(conn, "batch.published", words, run_id=work.step.run_id, batch_id=work.batch.id, detail=detail)


def _report(work: Build, failures: list[Failure]) -> Report:
    with work.services.db.reading() as conn:
        batch = batches.get(conn, work.batch.id)
    words = f"Batch {batch.name} is ready: {counted(batch.file_count, 'file', 'files')}, {in_words(batch.size_bytes)}."
    return Report("done", words, batch.file_count, len(failures), batch.size_bytes, batch.id, failures,
                  {"batch_name": batch.name})


def _not_published(work: Build, reason: str, failures: list[Failure]) -> Report:
    with work.services.db.transaction() as conn:
        batch = batches.get(conn, work.batch.id)
        batches.change(conn, batch, BatchStatus.ERROR, error=reason, error_from=batch.status.value)
        detail = {"reason": reason, "from": batch.status.value}
        journal.record(conn, "batch.failed", f"Batch {batch.name} could not be published: {reason}", level="error",
                       run_id=work.step.run_id, batch_id=batch.id, detail=detail)
    return Report("failed", reason, batch_id=work.batch.id, failures=failures)


def _come_to_nothing(work: Build, failures: list[Failure]) -> Report:
    """Every file left before it was moved: the batch ends here, and cleanup removes its empty folder."""
    reason = "None of its files could be moved in."
    with work.services.db.transaction() as conn:
        batch = batches.get(conn, work.batch.id)
        batches.change(conn, batch, BatchStatus.CANCELLED, error=reason, file_count=0, size_bytes=0)
        journal.record(conn, "batch.cancelled", f"Batch {batch.name} was cancelled: {reason}", level="warning",
                       run_id=work.step.run_id, batch_id=batch.id, detail={"reason": reason})
    return Report("done", reason, batch_id=work.batch.id, failures=failures)
