"""Delivery through Syncthing: one look at a time, resumable after anything, SYNCED only when every file is proven at
every device that must have it.

A look asks whether the folder can deliver, has the batch scanned when that is due, and asks for the files that a peer
may have by now. Whatever goes wrong becomes the batch's `sync_detail` and a later look; nothing times out.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from app.db import announced, batches
from app.db.clock import now
from app.errors import IllegalTransition, SyncthingError
from app.model import Batch, BatchStatus, Report, RootKind
from app.model.instants import instant_in_words
from app.pipeline.announcing import begin_syncing, scan_when_due
from app.pipeline.concluding import conclude, note_sample
from app.pipeline.delivered import finish
from app.pipeline.delivery_look import Look, Peer, names_of
from app.pipeline.holding import when_announced
from app.pipeline.proving import examine
from app.pipeline.published_sums import correct_when_due
from app.pipeline.releasing import note_releases, too_many
from app.pipeline.required_devices import settle_required
from app.pipeline.step import StepContext
from app.pipeline.undelivered import settle_changed
from app.pipeline.waiting import wait_for_peers
from app.services import Services
from app.syncthing import look as syncthing
from app.syncthing import notes, troubles
from app.syncthing.client import SyncthingClient
from app.syncthing.look import Ground, Standing
from app.syncthing.needs import read_need
from app.syncthing.troubles import Trouble


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
    message = f"Batch {this.batch.name} is looked at from {instant_in_words(due)} on."
    with this.services.db.transaction() as conn:
        notes.save(conn, this.batch.id, this.notes)
        batches.set_columns(conn, this.batch.id, next_look_at=due, sync_detail=message)
    return Report("waiting", message, batch_id=this.batch.id)


def _look(this: Look, client: SyncthingClient) -> Report:
    trouble = _prepare(this, client)
    if trouble is not None:
        return _wait(this, trouble)
    if not this.batch.file_count and not _reread(this).file_count:
        return finish(this.services, this.batch, this.run_id, "No file of the batch is left.")
    trouble = correct_when_due(this) or _announce(this, client, this.ready_ground)
    if trouble is not None:
        return _wait(this, trouble)
    due = _first_look_at(this)
    if due > now():
        return _too_early(this, due)
    for peer in this.peers:
        _ask_peer(this, client, peer)
    trouble = examine(this, client)
    return _wait(this, trouble) if trouble is not None else conclude(this)


def _reread(this: Look) -> Batch:
    """The batch as it is now: a file of it may have been tried again since this look began."""
    with this.services.db.reading() as conn:
        this.batch = batches.get(conn, this.batch.id)
    return this.batch


def _prepare(this: Look, client: SyncthingClient) -> Trouble | None:
    """Find the folder and the peers, and put right what is not in the batch folder as it was put there."""
    batch_dir = os.path.realpath(this.services.root(RootKind.BATCH).path)
    ground = syncthing.ground_of(client, this.services.config, batch_dir, this.batch.name)
    if isinstance(ground, Trouble):
        return ground
    this.ground = ground
    trouble = settle_required(this, client, ground)
    if trouble is not None:
        return trouble
    this.peers = [Peer(standing, trouble=standing.trouble) for standing in _standings(this, client, ground)]
    if this.batch.peer_policy == "release" and len(this.peers) > 1:
        return too_many([peer.name for peer in this.peers])
    if this.batch.peer_policy == "release":
        # Before anything is put right here: what a peer deleted may be gone from this folder as well.
        for peer in this.peers:
            note_releases(this.services, this.batch, client, peer.standing)
    # What is gone or changed already can have no hold, and must not keep the others from theirs.
    trouble = _settle_changed(this)
    return trouble or when_announced(this.services, this.batch, ground.folder, this.run_id)


def _standings(this: Look, client: SyncthingClient, ground: Ground) -> list[Standing]:
    """How each required device stands; one that the folder is not shared with is in trouble of its own."""
    found = syncthing.standings_of(client, ground.folder, this.required, ground.prefix)
    chosen = [troubles.choose_device(ground.folder, ground.my_id, standing.device_id) for standing in found]
    return [
        syncthing.unreachable(standing, device) if isinstance(device, Trouble) else standing
        for standing, device in zip(found, chosen, strict=True)
    ]


def _settle_changed(this: Look) -> Trouble | None:
    """Files that are not in the folder as they were put there are put back or given up, before anything is proven."""
    number, trouble = settle_changed(this.services, this.batch, this.run_id)
    if number:
        _reread(this)
        with this.services.db.reading() as conn:
            notes.heed_asked(conn, this.batch.id, this.notes)
        this.notes.scanned_at = ""
    return trouble


def _announce(this: Look, client: SyncthingClient, ground: Ground) -> Trouble | None:
    trouble = scan_when_due(this, client, ground)
    if trouble is not None or not this.scanned_now:
        return trouble
    with this.services.db.transaction() as conn:
        announced.note_folder(conn, this.batch.id, ground.folder.id)
    if this.batch.status is BatchStatus.PENDING:
        begin_syncing(this, ground, names_of(this.peers))
    return trouble


def _ask_peer(this: Look, client: SyncthingClient, peer: Peer) -> None:
    """What the peer lacks. Of one that is away, only after a scan: that tells which files are not announced at all."""
    if not peer.standing.is_shared or not (peer.answers or this.scanned_now):
        return
    peer.completion = syncthing.completion_of(client, peer.standing)
    peer.trouble = peer.trouble or troubles.remote_trouble(peer.completion, peer.name)
    peer.need = read_need(client, peer.standing.folder.id, peer.device_id, peer.completion)


def _wait(this: Look, trouble: Trouble) -> Report:
    note_sample(this, trouble.code)
    return wait_for_peers(this, [trouble])
