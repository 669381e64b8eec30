"""Under sync.peer_policy: release, a batch is archived once the peer has deleted every file that it was sent.

A release is the peer's own deletion of a version that came from here. It is stored at once, file by file, and proves
that the file had arrived. What the peer changes instead of deleting is told of and never counts.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from app.db import batch_devices, batches, deliveries, journal, releases
from app.db.clock import later, now
from app.db.connection import Connection
from app.errors import SyncthingError, printable
from app.model import Asset, Batch, Report, RootKind
from app.model.counting import counted
from app.pipeline.delays import RELEASE, note_delays
from app.pipeline.turns import Turn
from app.services import Services
from app.syncthing import look as syncthing
from app.syncthing import notes, proof, troubles
from app.syncthing.answers import FileView, shown_name
from app.syncthing.client import SyncthingClient
from app.syncthing.look import Standing
from app.syncthing.troubles import Trouble

#: Releases are stored in transactions of this many files.
CHUNK = 500


@dataclass
class Seen:
    """What one look has found: files released just now, changed at the peer, gone there without a deletion, and deleted
    by somebody else, whom `deleter` names."""

    released: int = 0
    changed: list[Asset] = field(default_factory=list)
    vanished: list[Asset] = field(default_factory=list)
    deleted: dict[str, list[Asset]] = field(default_factory=dict)
    deleter: str = ""


def too_many(names: Sequence[str]) -> Trouble:
    """Why a batch under release goes no further while several devices must have it."""
    return Trouble(
        "release_several",
        f"Files are released by one device, and {' and '.join(names)} must all have this batch. Set sync.peer_policy "
        "to keep or mirror to have it archived.",
    )


def look(services: Services, batch: Batch, run_id: int | None) -> Report:
    """One look at a delivered batch: stores what was released, and lets it be sorted when that is everything."""
    batch_dir = os.path.realpath(services.root(RootKind.BATCH).path)
    with services.db.reading() as conn:
        required = batch_devices.list_of(conn, batch.id)
    if len(required) > 1:
        return _wait(services, batch, run_id, too_many([device.label for device in required]))
    try:
        with SyncthingClient.from_config(services.config) as client:
            found = syncthing.precheck(client, services.config, batch.device_id, batch_dir, batch.name)
            if isinstance(found, Trouble):
                return _wait(services, batch, run_id, found)
            seen = note_releases(services, batch, client, found)
    except SyncthingError as error:
        return _wait(services, batch, run_id, troubles.of_error(error))
    return _conclude(services, batch, run_id, found, seen)


def note_releases(services: Services, batch: Batch, client: SyncthingClient, standing: Standing) -> Seen:
    """Ask for every file that is not released yet, and store what is. Raises SyncthingError."""
    with services.db.reading() as conn:
        awaited = releases.list_awaited(conn, batch)
        arrived = deliveries.confirmed_ids(conn, batch.id, standing.device_id)
    seen, our_id = Seen(), client.my_id()
    with Turn(services, "release", batch.id) as turn:
        awaited = turn.order(awaited)
        for start in range(0, len(awaited), CHUNK):
            part = turn.while_it_lasts(awaited[start : start + CHUNK])
            found = list(_ask(client, standing, part, our_id, (seen, arrived)))
            if found:
                with services.db.transaction() as conn:
                    releases.note(conn, batch.id, standing.device_id, found)
            seen.released += len(found)
    if seen.deleted:
        seen.deleter = _who(client, next(iter(seen.deleted)), our_id)
    return seen


def _who(client: SyncthingClient, deleted_by: str, our_id: str) -> str:
    """The device that a deletion comes from, of which only the beginning of the ID is known."""
    if deleted_by == our_id[:7]:
        return "on this side, in the batch folder"
    names = {device_id[:7]: shown_name(entry.get("name")) for device_id, entry in client.devices().items()}
    return f"by {names.get(deleted_by) or f'a device {deleted_by}'}"


def _ask(
    client: SyncthingClient, standing: Standing, asked: Iterable[Asset], our_id: str, noted: tuple[Seen, set[int]]
) -> Iterator[tuple[int, str]]:
    seen, arrived = noted
    for asset in asked:
        name = proof.sendable_name(standing.prefix + asset.path)
        view = client.file(standing.folder.id, name) if name is not None else None
        if view is None:
            continue
        if proof.released(view, standing.device_id, our_id):
            yield asset.id, ",".join(view.global_version)
        elif proof.changed_there(view, standing.device_id):
            seen.changed.append(asset)
        elif view.global_deleted:
            seen.deleted.setdefault(view.global_modified_by, []).append(asset)
        elif asset.id in arrived and standing.connected and _is_held_back(view, standing.device_id):
            seen.vanished.append(asset)


def _is_held_back(view: FileView, device_id: str) -> bool:
    """Whether the peer has lost our version without a word: what it deletes under Receive Only it does not send."""
    return not view.global_deleted and view.version == view.global_version and device_id not in view.holders


def _conclude(services: Services, batch: Batch, run_id: int | None, standing: Standing, seen: Seen) -> Report:
    with services.db.reading() as conn:
        left = len(releases.list_awaited(conn, batch))
    if not left:
        return _released(services, batch, run_id, standing.peer)
    return _wait(services, batch, run_id, _trouble(standing, seen), standing.peer)


def _trouble(standing: Standing, seen: Seen) -> Trouble | None:
    peer = standing.peer
    if seen.deleted:
        return _deleted_elsewhere(peer, seen)
    if seen.vanished:
        words = (f"{_first(seen.vanished)} gone at {peer}, which sends no deletion: for releases its folder must be "
                 "Send & Receive there, not Receive Only.")
        return Trouble("peer_sends_no_deletes", words)
    if seen.changed:
        words = (f"{_first(seen.changed)} changed at {peer} instead of deleted. That is no release; delete it there "
                 "when it is done with.")
        return Trouble("changed_at_peer", words)
    return standing.trouble


def _deleted_elsewhere(peer: str, seen: Seen) -> Trouble:
    """What somebody else deleted, or in a version that did not come from here, is no release by the peer."""
    first = _first(next(iter(seen.deleted.values())))
    words = (f"{first} deleted {seen.deleter}, which is no release of what was sent to {peer}. Put "
             "back what was deleted, or set sync.peer_policy to keep or mirror to have the batch archived.")
    return Trouble("deleted_elsewhere", words)


def _first(found: Sequence[Asset]) -> str:
    name = printable(found[0].path)
    return f"{name} and {len(found) - 1:,} more are" if len(found) > 1 else f"{name} is"


def _wait(
    services: Services, batch: Batch, run_id: int | None, trouble: Trouble | None, peer: str = "the peer"
) -> Report:
    """Write down how much is released, what stands in the way, and when to look again."""
    with services.db.transaction() as conn:
        remembered = notes.load(conn, batch.id)
        done = releases.count(conn, batch.id)
        words = f"{done.file_count:,} of {counted(batch.file_count, 'file', 'files')} released by {peer}."
        words = f"{words} {trouble.sentence}" if trouble is not None else words
        found = [trouble] if trouble is not None else []
        note_delays(conn, batch, remembered, found, kind=RELEASE, run_id=run_id)
        _tell_progress(conn, batch, run_id, remembered, done.file_count, words)
        notes.save(conn, batch.id, remembered)
        if batches.get(conn, batch.id).awaits_release:
            next_look_at = later(services.config.syncthing.poll_interval_sec)
            batches.set_columns(conn, batch.id, sync_detail=words, next_look_at=next_look_at)
    return Report("waiting", words, done=done.file_count, size_bytes=done.size_bytes, batch_id=batch.id)


def _tell_progress(
    conn: Connection, batch: Batch, run_id: int | None, remembered: notes.Notes, released: int, words: str
) -> None:
    """Another tenth is worth an event."""
    tenth = f"released: {released * 10 // max(batch.file_count, 1)}"
    if released and remembered.first_time(tenth):
        journal.record(conn, "batch.release_progressed", f"Batch {batch.name}: {words}", run_id=run_id,
                       batch_id=batch.id, detail={"released": released, "files": batch.file_count})


def _released(services: Services, batch: Batch, run_id: int | None, peer: str) -> Report:
    with services.db.transaction() as conn:
        done = releases.count(conn, batch.id)
        words = f"{peer} has released all {counted(done.file_count, 'file', 'files')}."
        remembered = notes.load(conn, batch.id)
        remembered.trouble = ""
        notes.save(conn, batch.id, remembered)
        if batches.get(conn, batch.id).awaits_release:
            batches.set_columns(conn, batch.id, released_at=now(), sync_detail=words, next_look_at=None)
            journal.record(conn, "batch.released", f"Batch {batch.name}: {words}", run_id=run_id, batch_id=batch.id,
                           detail={"files": done.file_count, "size_bytes": done.size_bytes})
    return Report("done", words, done=done.file_count, size_bytes=done.size_bytes, batch_id=batch.id)
