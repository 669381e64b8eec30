"""The sync stage: a published batch is delivered, and proven to be, file by file.

Where to is written in the batch when it is made: nowhere (`none`), to a mounted folder (`folder`), or to a peer of
Syncthing (`syncthing`). A delivery that is not finished leaves the batch PENDING or SYNCING, with what it waits for
in `sync_detail` and the time of the next look in `next_look_at`. A delivered batch that the peer has to release is
looked at in the same way. Nothing here sleeps.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

from app.db import batches
from app.db.clock import now
from app.errors import IllegalTransition, SyncthingError
from app.model import Batch, BatchStatus, Report, RootKind
from app.model.instants import instant_in_words
from app.pipeline import deliver_folder, deliver_syncthing, releasing, retaining
from app.pipeline.delivered import finish
from app.pipeline.step import StepContext
from app.services import Services
from app.syncthing import place
from app.syncthing.client import SyncthingClient
from app.syncthing.look import sub_folder

UNDELIVERED = (BatchStatus.PENDING, BatchStatus.SYNCING)
PAST = (BatchStatus.SORTING, BatchStatus.SORTED)

SafePoint = Callable[[int, int, int], None]


def run(services: Services, step: StepContext) -> Report:
    """Take the step's batch, or the oldest undelivered one, one look further."""
    batch = _choose(services, step.batch_id)
    if batch is None:
        return Report("idle", "There is no batch to deliver.")
    return _advance(services, batch, step.run_id, step)


def look(services: Services, batch: Batch) -> Report:
    """One look at a delivery, outside a run: needs no lock, because only rows change."""
    return _advance(services, batch, None, None)


def retain_at_peer(services: Services, batch: Batch) -> Report | None:
    """Before files leave the batch folder: see to it that the peer keeps its copies, when the policy says so.

    None when the files may leave. A report says what is waited for meanwhile; then nothing may leave. Of what the
    peer has released it keeps nothing.
    """
    is_released = batch.peer_policy == "release" and batch.released_at is not None
    if batch.target == "syncthing" and batch.peer_policy != "mirror" and not is_released:
        return retaining.retain(services, batch)
    return None


def announce_removal(services: Services, batch: Batch) -> None:
    """After files have left the batch folder, unless the peer keeps its copies: have Syncthing see that they are gone.

    It finds out by itself too, at its next scan; so whatever goes wrong here is left to that.
    """
    if batch.target != "syncthing" or batch.peer_policy == "keep":
        return
    batch_dir = os.path.realpath(services.root(RootKind.BATCH).path)
    with suppress(SyncthingError), SyncthingClient.from_config(services.config) as client:
        folder = place.find_only_folder(client, services.config, batch_dir)
        client.scan(folder.id, sub_folder(place.prefix_of(services.config, folder, batch_dir), batch.name))


def _choose(services: Services, batch_id: int | None) -> Batch | None:
    with services.db.reading() as conn:
        if batch_id is not None:
            return batches.get(conn, batch_id)
        waiting = batches.list_by_status(conn, UNDELIVERED)
    return waiting[0] if waiting else None


def _advance(services: Services, batch: Batch, run_id: int | None, step: StepContext | None) -> Report:
    if batch.awaits_release:
        return releasing.look(services, batch, run_id)
    if batch.status not in UNDELIVERED:
        return _past(batch)
    if batch.published_at is None:
        return Report("idle", f"Batch {batch.name} is still being built.", batch_id=batch.id)
    if batch.target == "none":
        return finish(services, batch, run_id, "Nothing to deliver to; sync.target is none.")
    if batch.target == "folder":
        return deliver_folder.deliver(services, batch, run_id, step)
    return deliver_syncthing.look(services, batch, run_id, step)


def _past(batch: Batch) -> Report:
    if batch.status is BatchStatus.SYNCED and batch.next_look_at is not None and batch.next_look_at > now():
        at = instant_in_words(batch.next_look_at)
        return Report("waiting", f"Batch {batch.name} is delivered and may be sorted at {at}.", batch_id=batch.id)
    if batch.status is BatchStatus.SYNCED:
        return Report("done", f"Batch {batch.name} is delivered.", batch_id=batch.id)
    if batch.status in PAST:
        return Report("idle", f"Batch {batch.name} is {batch.status} already.", batch_id=batch.id)
    raise IllegalTransition(f"Batch {batch.name}", batch.status, BatchStatus.SYNCING)
