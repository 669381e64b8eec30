"""Delivery to a mounted folder: a verified copy of every file under the batch's name, then the manifest beside them.

Each copy is re-read and compared before it counts. A file that is there already with the same content counts too;
one with other content stops the batch, and nothing is overwritten. A folder that is not mounted, or full, is waited
for. A file that the batch folder does not hold any more is taken from its kept copy, or fails and is left out.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from app.db import batches, deliveries, journal, members
from app.db import roots as root_rows
from app.db.clock import later
from app.errors import FileError, NoSpace, RootUnavailable
from app.files.roots import check_roots, free_bytes
from app.model import AssetStatus, Batch, BatchStatus, Failure, Place, Report, Root, RootKind
from app.model.counting import counted
from app.pipeline.copy_out import DEVICE, Delivery, copy_all
from app.pipeline.delivered import finish
from app.pipeline.manifest import OWN_NAMES
from app.pipeline.manifest_store import read_own_file
from app.pipeline.published_sums import correct, known_texts, published_root
from app.pipeline.room import in_words
from app.pipeline.step import StepContext
from app.pipeline.waiting import wait
from app.services import Services
from app.syncthing.notes import load
from app.syncthing.troubles import Trouble


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


def still_waits(services: Services, batch: Batch) -> bool:
    """Whether the folder is away now, or has no room for what is left: noted in the batch's row, and nowhere else."""
    try:
        target = services.root(RootKind.DELIVERY)
        check_roots(services.db, [target])
        _require_room_for_rest(services, batch, target)
    except (RootUnavailable, NoSpace) as error:
        next_look_at = later(services.config.syncthing.poll_interval_sec)
        with services.db.transaction() as conn:
            batches.set_columns(conn, batch.id, sync_detail=str(error), next_look_at=next_look_at)
        return True
    return False


def _require_room_for_rest(services: Services, batch: Batch, target: Root) -> None:
    with services.db.reading() as conn:
        _, size_bytes = members.count(conn, batch.id).get(AssetStatus.BATCHED, (0, 0))
        needed = size_bytes - deliveries.size_of_confirmed(conn, batch.id, DEVICE).size_bytes
    free = free_bytes(target) if needed else 0
    if needed > free:
        reason = f"what is left needs {in_words(needed)} and it has {in_words(free)} free"
        raise NoSpace("deliver a batch to", target.path, reason)


def _deliver(services: Services, batch: Batch, step: StepContext) -> Report:
    target = services.root(RootKind.DELIVERY)
    batch = _begin(services, batch, target, step.run_id)
    with services.db.reading() as conn:
        # Of every root ever set up: a batch stays where it was published when paths.batch_dir is changed.
        roots = {root.id: root for root in root_rows.list_all(conn)}
    work = Delivery(services, batch, target, roots, step.run_id)
    copy_all(work, step)
    with services.db.reading() as conn:
        batch = batches.get(conn, batch.id)
    if not work.in_the_way and not work.unreadable:
        with services.db.reading() as conn:
            remembered = load(conn, batch.id)
        correct(services, batch, remembered, step.run_id)
        work.in_the_way += _copy_own_files(services, published_root(services, batch), target, batch)
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
        files = counted(batch.file_count, "file is", "files are")
        message = f"Batch {batch.name}: {files} copied to {os.fsdecode(target.path)}."
        journal.record(conn, "batch.sync_started", message, run_id=run_id, batch_id=batch.id)
        return batches.change(conn, batch, BatchStatus.SYNCING, device_id=DEVICE)


def _copy_own_files(services: Services, source: Root, target: Root, batch: Batch) -> list[Failure]:
    failures: list[Failure] = []
    for name in OWN_NAMES:
        path = os.fsencode(batch.name) + b"/" + name
        content = read_own_file(Place(source, path))
        if content is None:
            continue
        try:
            _replace(services, Place(target, path), content, batch)
        except NoSpace:
            raise
        except FileError as error:
            failures.append(Failure(os.fsdecode(path), str(error)))
    return failures


def _replace(services: Services, place: Place, content: bytes, batch: Batch) -> None:
    """Write one of our two files, in the place of an earlier one of ours."""
    found = read_own_file(place)
    if found == content:
        return
    if found is not None and found in known_texts(services, batch):
        services.disk.remove_own_file(place)
    services.disk.write_new_file(place, content)


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
