"""Delivery to a mounted folder: a verified copy of every file under the batch's name, then the manifest beside them.

Each copy is re-read and compared before it counts. A file that is there already with the same content counts too;
one with other content stops the batch, and nothing is overwritten. A folder that is not mounted, or full, is waited
for.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from app.db import assets, batches, deliveries, journal
from app.db import roots as root_rows
from app.db.connection import Connection
from app.errors import FileError, NoSpace, RootUnavailable
from app.files.move import Move, Moved, move_files
from app.files.prune import write_new_file
from app.model import Asset, AssetStatus, Batch, BatchStatus, Failure, Place, Report, Root, RootKind
from app.pipeline.delivered import finish
from app.pipeline.failing import failure, reason_of
from app.pipeline.manifest import OWN_NAMES
from app.pipeline.manifest_store import read_own_file
from app.pipeline.step import StepContext
from app.pipeline.waiting import wait
from app.services import Services
from app.syncthing.notes import load
from app.syncthing.troubles import Trouble

#: The device of the deliveries table that stands for the folder.
DEVICE = "folder"
#: Files are copied in slices of this many, with a safe point after each.
SLICE = 64


def deliver(services: Services, batch: Batch, run_id: int | None, step: StepContext | None) -> Report:
    """Copy what is not delivered yet. Needs the mover's lock, so outside a run nothing is done."""
    if step is None:
        return Report("waiting", f"Batch {batch.name} is delivered by the next run.", batch_id=batch.id)
    try:
        target = services.root(RootKind.DELIVERY)
        batch = _begin(services, batch, target, step.run_id)
        failures = _copy_all(services, batch, target, step)
        if not failures:
            failures = _copy_own_files(_root_of(services, batch), target, batch)
    except RootUnavailable as error:
        if error.kind != RootKind.DELIVERY:
            raise
        return _wait(services, batch, Trouble("folder_unavailable", str(error)), step.run_id)
    except NoSpace as error:
        return _wait(services, batch, Trouble("folder_full", str(error)), step.run_id)
    if failures:
        return _fail(services, batch, failures, step.run_id)
    return finish(services, batch, step.run_id, f"Every file is copied to {os.fsdecode(target.path)} and compared.")


def _begin(services: Services, batch: Batch, target: Root, run_id: int) -> Batch:
    if batch.status is BatchStatus.SYNCING:
        return batch
    with services.db.transaction() as conn:
        message = f"Batch {batch.name}: {batch.file_count} files are copied to {os.fsdecode(target.path)}."
        journal.record(conn, "batch.sync_started", message, run_id=run_id, batch_id=batch.id)
        return batches.change(conn, batch, BatchStatus.SYNCING, device_id=DEVICE)


def _copy_all(services: Services, batch: Batch, target: Root, step: StepContext) -> list[Failure]:
    with services.db.reading() as conn:
        present = assets.list_in_batch(conn, batch.id, AssetStatus.BATCHED)
        known = deliveries.confirmed_ids(conn, batch.id, DEVICE)
        # Of every root ever set up: a batch stays where it was published when paths.batch_dir is changed.
        roots = {root.id: root for root in root_rows.list_all(conn)}
    todo = [asset for asset in present if asset.id not in known]
    failures: list[Failure] = []
    for start in range(0, len(todo), SLICE):
        done = len(present) - len(todo) + start
        step.safe_point(done, len(present))
        failures += _copy(services, batch, todo[start : start + SLICE], roots, target, step.run_id)
    return failures


def _copy(
    services: Services, batch: Batch, slice_: Sequence[Asset], roots: dict[int, Root], target: Root, run_id: int
) -> list[Failure]:
    def settle(conn: Connection, moved: Sequence[Moved]) -> None:
        arrived = [(m.move.asset.id, m.move.asset.digest) for m in moved if m.outcome != "failed"]
        deliveries.confirm(conn, batch.id, DEVICE, arrived)
        held = deliveries.size_of_confirmed(conn, batch.id, DEVICE)
        batches.set_columns(conn, batch.id, confirmed_count=held.file_count, confirmed_bytes=held.size_bytes)

    moves = [
        Move(
            asset=asset,
            source=Place(roots[asset.root_id], asset.path),
            target=Place(target, asset.path),
            purpose="deliver",
            status_after=None,
            keep_source=True,
            places_asset=False,
        )
        for asset in slice_
    ]
    moved = move_files(services.db, moves, run_id=run_id, batch_id=batch.id, settle=settle)
    for result in moved:
        if isinstance(result.error, NoSpace):
            raise result.error
    return [failure(m.move.asset, reason_of(m.error)) for m in moved if m.outcome == "failed"]


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
