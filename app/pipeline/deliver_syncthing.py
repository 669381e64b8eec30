"""Delivery through Syncthing: one look at a time, resumable after anything, SYNCED only when every file is proven.

A look asks whether the folder can deliver, has the batch scanned when that is due, and asks for each file that is
not confirmed yet. Whatever goes wrong becomes the batch's `sync_detail` and a later look; nothing times out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.db import assets, batches, deliveries, journal, kept_copies, members
from app.db.clock import now
from app.errors import IllegalTransition, SyncthingError, printable
from app.model import AssetStatus, Batch, BatchStatus, Report, RootKind
from app.pipeline.delivered import finish, list_changed
from app.pipeline.releasing import note_releases
from app.pipeline.step import StepContext
from app.pipeline.undelivered import settle_changed
from app.pipeline.waiting import wait
from app.services import Services
from app.syncthing import ignores, notes, proof, troubles
from app.syncthing import look as syncthing
from app.syncthing.answers import Completion
from app.syncthing.client import SyncthingClient
from app.syncthing.look import Standing
from app.syncthing.notes import Notes
from app.syncthing.proof import Expected, Judgement, Verdict
from app.syncthing.troubles import Trouble

#: Whose files lie in the batch folder as they were put there.
IN_FOLDER = (AssetStatus.BATCHED, AssetStatus.DELIVERED)

#: Confirmations are stored in transactions of this many files.
CHUNK = 500


@dataclass
class Look:
    """One look at one batch, and what it has found so far."""

    services: Services
    batch: Batch
    notes: Notes
    run_id: int | None
    step: StepContext | None
    standing: Standing | None = None
    completion: Completion | None = None
    judgements: list[Judgement] = field(default_factory=list)
    confirmed_before: int = 0
    scanned_now: bool = False


def look(services: Services, batch: Batch, run_id: int | None, step: StepContext | None) -> Report:
    """Take the delivery of a published batch one look further.

    The worker's tick and a run may look at the same time; the slower one leaves it at what the faster one wrote.
    Raises IllegalTransition when the batch was cancelled meanwhile.
    """
    try:
        return _guarded_look(services, batch, run_id, step)
    except IllegalTransition:
        with services.db.reading() as conn:
            found = batches.get(conn, batch.id)
        if found.status not in (BatchStatus.PENDING, BatchStatus.SYNCING):
            raise
        return Report("waiting", found.sync_detail or "Another look is being taken.", batch_id=batch.id)


def _guarded_look(services: Services, batch: Batch, run_id: int | None, step: StepContext | None) -> Report:
    with services.db.reading() as conn:
        this = Look(services, batch, notes.load(conn, batch.id), run_id, step)
    due = _first_look_at(this)
    if due > now():
        return _too_early(this, due)
    try:
        with SyncthingClient.from_config(services.config) as client:
            return _look(this, client)
    except SyncthingError as error:
        return _wait(this, troubles.of_error(error))


def retain(services: Services, batch: Batch) -> Report | None:
    """Make Syncthing ignore the batch, so that the peer keeps its files; a report when it has to wait."""
    root = services.root(RootKind.BATCH)
    with services.db.reading() as conn:
        this = Look(services, batch, notes.load(conn, batch.id), None, None)
        present = members.list_of(conn, batch.id, IN_FOLDER, [root.id])
        files = [a.path for a in present]
        files += [path for _, root_id, path, _ in kept_copies.list_of_batch(conn, batch.id) if root_id == root.id]
    try:
        with SyncthingClient.from_config(services.config) as client:
            folder = client.folder(services.config.syncthing.folder_id)
            prefix = proof.prefix_in_folder(folder.path.encode(), os.path.realpath(root.path))
            ignores.retain_at_peer(client, folder.id, batch.name, files, prefix)
    except SyncthingError as error:
        return _wait(this, troubles.of_error(error))
    return None


def _first_look_at(this: Look) -> str:
    """When the batch may be looked at: a little after it was published, and again a little after its first scan."""
    config, batch = this.services.config, this.batch
    if batch.status is BatchStatus.PENDING:
        return _after(batch.published_at, config.syncthing.rescan_delay_sec)
    if this.notes.samples:
        return ""
    return _after(batch.syncing_at, config.workflow.delays.syncthing_settle_sec)


def _after(instant: str | None, seconds: float) -> str:
    if not instant:
        return ""
    return (datetime.fromisoformat(instant) + timedelta(seconds=seconds)).isoformat(timespec="microseconds")


def _too_early(this: Look, due: str) -> Report:
    message = f"Batch {this.batch.name} is looked at from {due} on."
    with this.services.db.transaction() as conn:
        notes.save(conn, this.batch.id, this.notes)
        batches.set_columns(conn, this.batch.id, next_look_at=due, sync_detail=message)
    return Report("waiting", message, batch_id=this.batch.id)


def _look(this: Look, client: SyncthingClient) -> Report:
    standing = _precheck(this, client)
    if isinstance(standing, Trouble):
        return _wait(this, standing)
    this.standing = standing
    if this.batch.peer_policy == "release":
        # Before anything is put right here: what the peer deleted may be gone from this folder as well.
        note_releases(this.services, this.batch, client, standing)
    trouble = _settle_changed(this)
    if trouble is not None:
        return _wait(this, trouble)
    if not this.batch.file_count:
        return finish(this.services, this.batch, this.run_id, "No file of the batch is left.")
    trouble = _scan_when_due(this, client, standing)
    if trouble is not None:
        return _wait(this, trouble)
    due = _first_look_at(this)
    if due > now():
        return _too_early(this, due)
    this.completion = syncthing.completion_of(client, standing)
    trouble = standing.trouble or troubles.remote_trouble(this.completion, standing.peer)
    if trouble is not None:
        return _wait(this, trouble)
    _examine(this, client, standing)
    return _conclude(this, client, standing)


def _precheck(this: Look, client: SyncthingClient) -> Standing | Trouble:
    settings = this.services.config.syncthing
    wanted = settings.device_id.strip() or this.batch.device_id
    batch_dir = os.path.realpath(this.services.root(RootKind.BATCH).path)
    found = syncthing.precheck(client, settings.folder_id, wanted, batch_dir, this.batch.name)
    if isinstance(found, Standing) and found.device_id != this.batch.device_id:
        _remember_device(this, found, chosen=not wanted)
    return found


def _remember_device(this: Look, standing: Standing, *, chosen: bool) -> None:
    with this.services.db.transaction() as conn:
        batches.set_columns(conn, this.batch.id, device_id=standing.device_id)
        this.batch = batches.get(conn, this.batch.id)
        if not chosen:
            return
        journal.record(
            conn,
            "sync.device_chosen",
            f"syncthing.device_id is empty; {standing.peer} is the only peer of the folder {standing.folder.id}, "
            f"so batch {this.batch.name} has to arrive there.",
            run_id=this.run_id,
            batch_id=this.batch.id,
            detail={"device_id": standing.device_id},
        )


def _settle_changed(this: Look) -> Trouble | None:
    """Files that are not in the folder as they were put there are put back or given up, before anything is proven."""
    number, trouble = settle_changed(this.services, this.batch, this.run_id)
    if number:
        this.notes.scanned_at = ""
        with this.services.db.reading() as conn:
            this.batch = batches.get(conn, this.batch.id)
    return trouble


def _scan_when_due(this: Look, client: SyncthingClient, standing: Standing) -> Trouble | None:
    if this.notes.scanned_at:
        return None
    folder_id = standing.folder.id
    own_line = ignores.line_for(standing.prefix, this.batch.name)
    if own_line in client.ignores(folder_id):
        return troubles.left_over_line(folder_id, own_line)
    ignores.add_lines(client, folder_id, ignores.own_lines(standing.prefix))
    trouble = syncthing.scan(client, standing, this.batch.name)
    if trouble is not None:
        return trouble
    this.notes.scanned_at, this.scanned_now = now(), True
    if this.batch.status is BatchStatus.PENDING:
        _begin_syncing(this, standing)
    return None


def _begin_syncing(this: Look, standing: Standing) -> None:
    this.notes.samples = []
    with this.services.db.transaction() as conn:
        this.batch = batches.change(conn, this.batch, BatchStatus.SYNCING)
        notes.save(conn, this.batch.id, this.notes)
        journal.record(
            conn,
            "batch.sync_started",
            f"Batch {this.batch.name}: {this.batch.file_count} files are announced to {standing.peer}.",
            run_id=this.run_id,
            batch_id=this.batch.id,
            detail={"device_id": standing.device_id, "folder_id": standing.folder.id},
        )


def _examine(this: Look, client: SyncthingClient, standing: Standing) -> None:
    with this.services.db.reading() as conn:
        waiting = assets.list_in_batch(conn, this.batch.id, AssetStatus.BATCHED)
        known = deliveries.confirmed_ids(conn, this.batch.id, standing.device_id)
    todo = [Expected(a.id, a.path, a.size_bytes) for a in waiting if a.id not in known]
    this.confirmed_before = len(waiting) - len(todo)
    for start in range(0, len(todo), CHUNK):
        part = list(syncthing.examine(client, standing, todo[start : start + CHUNK]))
        _store(this, standing, part)
        this.judgements += part
        if this.step is not None:
            this.step.safe_point(this.confirmed_before + _count(this.judgements), len(waiting))


def _store(this: Look, standing: Standing, judgements: Sequence[Judgement]) -> None:
    arrived = [(j.expected.asset_id, j.version) for j in judgements if j.verdict is Verdict.CONFIRMED]
    if arrived:
        with this.services.db.transaction() as conn:
            deliveries.confirm(conn, this.batch.id, standing.device_id, arrived)


def _count(judgements: Iterable[Judgement]) -> int:
    return sum(j.verdict is Verdict.CONFIRMED for j in judgements)


def _conclude(this: Look, client: SyncthingClient, standing: Standing) -> Report:
    faults = [j for j in this.judgements if j.verdict not in (Verdict.CONFIRMED, Verdict.WAITING)]
    if proof.needs_rescan({j.verdict for j in faults}):
        this.notes.scanned_at = ""
    if faults:
        told = this.scanned_now or not proof.needs_rescan({j.verdict for j in faults})
        return _wait(this, _files_trouble(this, client, standing, faults) if told else None)
    if _count(this.judgements) < len(this.judgements):
        return _wait(this, None)
    changed = list_changed(this.services, this.batch)
    if changed:
        return _wait(this, troubles.changed_in_folder([printable(a.path) for a in changed]))
    return _synced(this, standing)


def _files_trouble(this: Look, client: SyncthingClient, standing: Standing, faults: Sequence[Judgement]) -> Trouble:
    if not this.confirmed_before and proof.misplaced(this.judgements):
        return troubles.misplaced_batch(this.batch.name, standing.folder)
    return troubles.refused_files(faults, syncthing.unreadable(client, standing, this.batch.name))


def _synced(this: Look, standing: Standing) -> Report:
    config = this.services.config
    grace = config.sync.grace_seconds if this.batch.peer_policy == "mirror" else 0
    _note(this, None)
    with this.services.db.transaction() as conn:
        notes.save(conn, this.batch.id, this.notes)
    seconds = config.workflow.delays.post_sync_sec + grace
    message = f"Every file is confirmed at {standing.peer}."
    return finish(this.services, this.batch, this.run_id, message, wait_seconds=seconds)


def _wait(this: Look, trouble: Trouble | None) -> Report:
    _note(this, trouble)
    peer = this.standing.peer if this.standing else "the peer"
    device_id = this.batch.device_id or ""
    return wait(this.services, this.batch, this.notes, trouble, run_id=this.run_id, device_id=device_id, peer=peer)


def _note(this: Look, trouble: Trouble | None) -> None:
    completion = this.completion
    if completion is not None and (trouble is None or this.judgements):
        this.notes.missing = proof.missing_list(this.judgements)
    this.notes.sample(
        this.services.config.workflow.trace.syncthing_samples,
        confirmed_now=_count(this.judgements),
        missing=len(this.judgements) - _count(this.judgements),
        completion=completion.percent if completion else None,
        need_items=completion.need_items if completion else None,
        need_bytes=completion.need_bytes if completion else None,
        trouble=trouble.code if trouble else None,
    )
