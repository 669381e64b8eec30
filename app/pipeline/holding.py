"""Holds protect the only copy of a file from a peer that may delete or change it here: in a Send & Receive folder.

Every batch of moved files has them, since any folder may become Send & Receive, and then the peer's deletes come here
that it made before. They are made before Syncthing can announce anything, and dropped once the files are archived, or
back where they came from. What they cannot be made for is told, and nothing is copied in silence instead.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from app.db import assets, batches, journal, kept_copies, members
from app.db import roots as root_rows
from app.db.connection import Connection
from app.errors import FileError, MediaPipelineError, MoverBusy, RootUnavailable
from app.files.holds import FOLDER, Hold, drop_holds, hold_folders, hold_place, is_hold, list_holds
from app.files.move import Move, move_files
from app.files.moving import HOLD
from app.files.prune import remove_empty_folders
from app.model import HELD, Asset, AssetStatus, Batch, Place, Root, RootKind
from app.model.counting import counted
from app.pipeline.failing import holds as holds_content
from app.services import Services
from app.syncthing import place
from app.syncthing.answers import FolderView
from app.syncthing.client import SyncthingClient
from app.syncthing.troubles import Trouble

#: Files of a batch that are still in its folder.
IN_FOLDER = (AssetStatus.BATCHED, AssetStatus.DELIVERED)
#: While an asset's file lies under one of these, its hold stays.
ON_THE_WAY = (RootKind.STAGING, RootKind.BATCH)
SEND_ONLY = "sendonly"


def before_publishing(services: Services, batch: Batch, run_id: int | None) -> None:
    """Make the holds of a batch, whatever its folder is now.

    Without holds, nothing is published into a folder that is not Send Only: raises FileError, and SyncthingError when
    nobody can say how the folder is shared.
    """
    if batch.target != "syncthing" or batch.transfer_mode != "move":
        return
    words = protect(services, batch, run_id)
    if words == HELD:
        return
    folder = folder_of(services)
    if folder.type != SEND_ONLY:
        raise FileError("publish", os.fsencode(batch.name), refusal(folder, words))


def when_announced(services: Services, batch: Batch, folder: FolderView, run_id: int | None) -> Trouble | None:
    """The same for a batch without holds that is in the folder already, when that was made Send & Receive since."""
    if batch.transfer_mode != "move" or folder.type == SEND_ONLY or batch.hold == HELD:
        return None
    try:
        words = protect(services, batch, run_id)
    except (RootUnavailable, MoverBusy) as error:
        return Trouble("folder_unavailable", str(error))
    if words != HELD:
        return Trouble("hold_needed", refusal(folder, words))
    return None


def refusal(folder: FolderView, words: str) -> str:
    """What is said of files without holds while the folder is not Send Only."""
    return (f"{words} What the peer deletes is deleted here too while the folder {folder.id} is Send & Receive; make "
            "it Send Only in Syncthing, or set batch.transfer_mode to copy for the batches to come")


def folder_of(services: Services) -> FolderView:
    """The folder in Syncthing. Raises SyncthingError."""
    batch_dir = os.path.realpath(services.root(RootKind.BATCH).path)
    with SyncthingClient.from_config(services.config) as client:
        return place.find_only_folder(client, services.config, batch_dir)


def protect(services: Services, batch: Batch, run_id: int | None) -> str:
    """Make every hold that is missing, and write down in the batch how well it is protected; returns that."""
    adopt_unknown(services)
    staging = services.root(RootKind.STAGING)
    with services.db.reading() as conn:
        roots = {root.id: root for root in root_rows.list_all(conn)}
        known = {asset_id for asset_id, root_id, path, _ in kept_copies.list_of_batch(conn, batch.id)
                 if is_hold(Place(roots[root_id], path))}
        unheld = [a for a in members.list_of(conn, batch.id, IN_FOLDER) if a.id not in known]
    wanted = [_move(asset, roots[asset.root_id], hold_place(staging, batch.name, asset)) for asset in unheld]
    moved = move_files(services.db, wanted, run_id=run_id, batch_id=batch.id)
    failed = [m.error for m in moved if m.error is not None]
    words = _unprotected(failed) if failed else HELD
    with services.db.transaction() as conn:
        is_at_work = batches.get(conn, batch.id).status is not batch.status
        if words != batch.hold and not (is_at_work and words != HELD):
            batches.set_columns(conn, batch.id, hold=words)
            _tell(conn, batch, words, run_id)
    return words


def _move(asset: Asset, root: Root, target: Place) -> Move:
    return Move(asset, Place(root, asset.path), target, HOLD, None, keep_source=True, places_asset=False)


def _unprotected(failed: list[MediaPipelineError]) -> str:
    first = failed[0]
    reason = first.reason if isinstance(first, FileError) else str(first)
    files = counted(len(failed), "file has", "files have")
    return f"{files} no hold that would protect the only copy from the peer: {reason}."


def _tell(conn: Connection, batch: Batch, words: str, run_id: int | None) -> None:
    if words == HELD:
        journal.record(conn, "batch.held", f"Every file of batch {batch.name} has a hold, which no peer can reach.",
                       run_id=run_id, batch_id=batch.id, detail={"files": batch.file_count})
    else:
        journal.record(conn, "batch.unprotected", f"Batch {batch.name}: {words}", level="warning", run_id=run_id,
                       batch_id=batch.id, detail={"reason": words})


# --- the end of a hold


def drop_finished(services: Services) -> int:
    """Drop every hold whose file is in the archive, back in ingest or wherever else it has ended; returns how many.

    Takes up those of a build that was cut off as well. Raises RootUnavailable and MoverBusy.
    """
    adopt_unknown(services)
    staging = services.root(RootKind.STAGING)
    with services.db.reading() as conn:
        roots = {root.id: root for root in root_rows.list_all(conn)}
        known = kept_copies.list_at(conn, staging.id, [path for _, path in kept_copies.list_places(conn, staging.id)])
        done = list(_finished(conn, staging, roots, {p: found[1] for p, found in known.items()}))
    dropped = drop_holds(services.db, done)
    with services.db.transaction() as conn:
        kept_copies.remove_at(conn, [(d.hold.place.root.id, d.hold.place.path) for d in dropped])
        changed = [(d.hold.asset.id, {"ctime_ns": d.signature.ctime_ns}) for d in dropped if d.signature is not None
                   and (d.signature.device, d.signature.inode) == (d.hold.asset.device, d.hold.asset.inode)]
        assets.set_columns(conn, changed)
    remove_empty_folders(staging, hold_folders(staging))
    return len(dropped)


def _finished(
    conn: Connection, staging: Root, roots: dict[int, Root], owners: dict[bytes, int]
) -> Iterable[Hold]:
    for path, asset_id in owners.items():
        asset = assets.get(conn, asset_id)
        is_over = asset.status is not AssetStatus.GONE and roots[asset.root_id].kind not in ON_THE_WAY
        if path.startswith(FOLDER + b"/") and is_over:
            yield Hold(asset, Place(staging, path), Place(roots[asset.root_id], asset.path))


def adopt_unknown(services: Services) -> None:
    """A hold that no row knows, as after a crash or from an older database, becomes the kept copy that it is.

    Done before anybody asks for kept copies: a file whose only copy is such a hold is not lost. Raises RootUnavailable.
    """
    staging = services.root(RootKind.STAGING)
    with services.db.reading() as conn:
        known = {path for _, path in kept_copies.list_places(conn, staging.id)}
    for path, asset_id in list_holds(staging):
        if path in known:
            continue
        with services.db.reading() as conn:
            asset = assets.find(conn, asset_id)
        found = Place(staging, path)
        if asset is None or not holds_content(found, asset):
            continue
        signature = services.disk.signature_at(found)
        if signature is not None:
            with services.db.transaction() as conn:
                kept_copies.add(conn, [(asset.id, staging.id, path, signature)])
