"""The files of a batch that are not in its folder as they were put there, before they were delivered to a peer.

A peer may delete or change what it was sent, and in a folder that both sides write to, that comes back here. What is
certainly gone is put back from a copy that was kept; else it fails. What was changed fails, and the changed bytes stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.db import assets, batches, deliveries, journal, kept_copies, members
from app.db import roots as root_rows
from app.db.connection import Connection
from app.errors import FileError, IllegalTransition, MoverBusy, NoSpace, RootUnavailable, printable
from app.files.holds import is_hold
from app.files.move import Move, move_files
from app.files.roots import check_roots
from app.files.walk import signature_at
from app.model import Asset, Batch, BatchStatus, Place, Root, Signature
from app.pipeline.delivered import list_changed
from app.pipeline.failing import CHANGED_IN_FOLDER, LOST, MAX_ATTEMPTS, give_up, note_attempt, reason_of
from app.pipeline.peer_edits import set_aside
from app.pipeline.whereabouts import Whereabouts, find_kept_copy, look_at
from app.services import Services
from app.syncthing import notes
from app.syncthing.troubles import Trouble

UNDELIVERED = (BatchStatus.PENDING, BatchStatus.SYNCING)

UNREADABLE = "It cannot be read in the batch folder now."
TAKEN_AGAIN = "It was taken out of the batch folder again and again; a copy of it is where it came from."

Kept = tuple[Place, Signature]


@dataclass(frozen=True)
class Mending:
    """The batch whose folder is put right, by which run if by one, and every root ever set up."""

    services: Services
    batch: Batch
    run_id: int | None
    roots: Mapping[int, Root]


def settle_changed(services: Services, batch: Batch, run_id: int | None) -> tuple[int, Trouble | None]:
    """Put back or give up every such file; how many there were, and why the delivery has to wait, if it has to."""
    changed = list_changed(services, batch)
    if not changed:
        return 0, None
    with services.db.reading() as conn:
        work = Mending(services, batch, run_id, {root.id: root for root in root_rows.list_all(conn)})
    try:
        # An unmounted share also lacks every file: its marker is looked for before anything is believed.
        check_roots(services.db, [work.roots[root_id] for root_id in {asset.root_id for asset in changed}])
        waiting = [words for asset in changed if (words := settle_one(work, asset)) is not None]
    except (RootUnavailable, MoverBusy) as error:
        return len(changed), Trouble("folder_unavailable", str(error))
    return len(changed), Trouble("files_unreadable", waiting[0]) if waiting else None


def settle_foreign(
    services: Services, batch: Batch, run_id: int | None, suspects: Sequence[Asset]
) -> tuple[set[int], Trouble | None]:
    """Read files whose newest version another device made: the ids of those that still have their content.

    The others are put back or given up, and the trouble says why the delivery has to wait.
    """
    with services.db.reading() as conn:
        work = Mending(services, batch, run_id, {root.id: root for root in root_rows.list_all(conn)})
    try:
        check_roots(services.db, [work.roots[root_id] for root_id in {asset.root_id for asset in suspects}])
        same = {a.id for a in suspects if look_at(Place(work.roots[a.root_id], a.path), a) is Whereabouts.HERE}
        changed = [asset for asset in suspects if asset.id not in same]
        waiting = [words for asset in changed if (words := settle_one(work, asset)) is not None]
    except (RootUnavailable, MoverBusy) as error:
        return set(), Trouble("folder_unavailable", str(error))
    return same, Trouble("files_unreadable", waiting[0]) if waiting else None


def settle_one(work: Mending, asset: Asset) -> str | None:
    """Decide what becomes of one file, and write it down; a sentence when it is to be tried again.

    Raises IllegalTransition when the delivery is over meanwhile.
    """
    place = Place(work.roots[asset.root_id], asset.path)
    seen = look_at(place, asset)
    if seen is Whereabouts.HERE:
        return _accept(work, asset, place)
    try:
        kept = find_kept_copy(work.services, work.roots, asset)
    except FileError as error:
        return _try_again(work, asset, str(error))
    if seen is Whereabouts.UNREADABLE:
        return _try_again(work, asset, UNREADABLE)
    is_last_try = asset.attempts + 1 >= MAX_ATTEMPTS
    if seen is Whereabouts.CHANGED and kept is not None and is_hold(kept[0]) and not is_last_try:
        reason = set_aside(work.services, asset, place, work.run_id)
        return _put_back(work, asset, kept, place) if reason is None else _try_again(work, asset, reason)
    if seen is Whereabouts.MISSING and kept is not None and not is_last_try:
        return _put_back(work, asset, kept, place)
    lost = LOST if kept is None else TAKEN_AGAIN
    _give_up(work, asset, CHANGED_IN_FOLDER if seen is Whereabouts.CHANGED else lost, kept)
    return None


def _accept(work: Mending, asset: Asset, place: Place) -> str | None:
    """The content is what it was; only its times, or its inode, are not."""
    try:
        signature = signature_at(place.root, place.path)
    except OSError:
        signature = None
    if signature is None or signature.size_bytes != asset.size_bytes:
        return f"{printable(asset.path)} is being changed in the batch folder."
    with work.services.db.transaction() as conn:
        _require_delivery(conn, work)
        _prove_anew(conn, work, asset)
        assets.place(conn, asset.id, place.root.id, place.path, signature, None)
    return None


def _require_delivery(conn: Connection, work: Mending) -> None:
    """Raise IllegalTransition when the delivery is over: whoever takes the batch back has its files now."""
    found = batches.get(conn, work.batch.id)
    if found.status not in UNDELIVERED:
        raise IllegalTransition(f"Batch {found.name}", found.status, BatchStatus.SYNCED)


def _prove_anew(conn: Connection, work: Mending, asset: Asset) -> None:
    """What a peer was seen to hold is no longer what is here: only a version that is read from now on proves it."""
    deliveries.forget(conn, work.batch.id, asset.id)
    notes.ask_scan(conn, work.batch.id)


def _try_again(work: Mending, asset: Asset, reason: str) -> str | None:
    with work.services.db.transaction() as conn:
        _require_delivery(conn, work)
        if not note_attempt(conn, asset, reason, work.run_id):
            return f"{printable(asset.path)} is tried again: {reason}"
        _prove_anew(conn, work, asset)
        members.recount(conn, work.batch.id)
    return None


def _give_up(work: Mending, asset: Asset, reason: str, kept: Kept | None) -> None:
    """The asset fails where its content is: with its kept copy, from where it can be tried again, or nowhere. A hold
    stays what it is, as the only copy."""
    with work.services.db.transaction() as conn:
        _require_delivery(conn, work)
        give_up(conn, asset, reason, work.run_id)
        _prove_anew(conn, work, asset)
        members.recount(conn, work.batch.id)
        if kept is not None and not is_hold(kept[0]):
            place, signature = kept
            row = kept_copies.list_at(conn, place.root.id, [place.path])[place.path]
            kept_copies.remove(conn, [row[0]])
            assets.place(conn, asset.id, place.root.id, place.path, signature, None)


def _put_back(work: Mending, asset: Asset, kept: Kept, place: Place) -> str | None:
    source, s = kept

    def settle(conn: Connection, _: object) -> None:
        _require_delivery(conn, work)
        _prove_anew(conn, work, asset)
        assets.set_columns(conn, [(asset.id, {"attempts": asset.attempts + 1})])
        words = f"{printable(asset.path)} was missing in the batch folder and was put back from its kept copy."
        journal.record(conn, "asset.restored", words, level="warning", run_id=work.run_id, batch_id=work.batch.id,
                       asset_id=asset.id, detail={"path": printable(asset.path)})

    held = replace(asset, device=s.device, inode=s.inode, mtime_ns=s.mtime_ns, ctime_ns=s.ctime_ns)
    move = Move(held, source, place, "restore", None, keep_source=True)
    (moved,) = move_files(work.services.db, [move], run_id=work.run_id, batch_id=work.batch.id, settle=settle)
    if isinstance(moved.error, NoSpace):
        return str(moved.error)
    return _try_again(work, asset, reason_of(moved.error)) if moved.outcome == "failed" else None
