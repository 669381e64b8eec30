"""The folder in Syncthing through which batches are delivered: found, or made, and seen to be at the right place."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any

from app.errors import Conflict, printable
from app.files.place_marker import make_place_marker
from app.files.roots import check_roots
from app.jobs.peer_setup import PeerSetup
from app.model import RootKind
from app.overview.peer import batch_dir_of
from app.syncthing import ignores, place, provision
from app.syncthing.answers import FolderView
from app.syncthing.setup_steps import RESUME, SEND_ONLY


def ensure_folder(this: PeerSetup, new_id: str = "") -> FolderView:
    """The folder through which batches are delivered, made when there is none, and seen to be at the right place."""
    root, folders = this.services.root(RootKind.BATCH), this.client.folders()
    check_roots(this.services.db, [root])
    marker, batch_dir = make_place_marker(root), batch_dir_of(this.config)
    folder = _known(this, folders, batch_dir, marker)
    if folder is None:
        wanted = new_id or this.config.syncthing.folder_id or provision.free_id(folder.id for folder in folders)
        return _create(this, wanted, marker)
    if not place.is_same_place(this.client, this.config, folder, batch_dir, marker):
        raise Conflict(f"{place.misplaced_words(folder)} {place.MISPLACED_FIX}")
    lines = ignores.own_lines(place.prefix_of(this.config, folder, batch_dir))
    missing = [line for line in lines if line not in this.client.ignores(folder.id)]
    if missing:
        ignores.add_lines(this.client, folder.id, lines)
        sentence = f"The ignore list of {folder.id} now keeps the program's own files from the peer."
        this.tell("sync.folder_changed", sentence, folder_id=folder.id, lines=missing)
    return folder


def _known(
    this: PeerSetup, folders: list[FolderView], batch_dir: bytes, marker: str
) -> FolderView | None:
    wanted = this.config.syncthing.folder_id
    if wanted:
        return next((folder for folder in folders if folder.id == wanted), None)
    by_path = place.holding(folders, place.seen_path(this.config, batch_dir))
    return by_path or place.find_by_marker(this.client, folders, marker)


def _create(this: PeerSetup, folder_id: str, marker: str) -> FolderView:
    resolved = place.seen_path(this.config, batch_dir_of(this.config))
    # a link may lead to a place that is mounted for us alone
    as_written = place.seen_path(this.config, os.fsencode(this.config.paths.batch_dir))
    path = next((path for path in (resolved, as_written) if place.sees(this.client, path, marker)), None)
    if path is None:
        raise Conflict(
            f"Syncthing does not see the batch folder at {printable(resolved)}. Mount it there for Syncthing too, or "
            "write the path under which Syncthing sees it in syncthing.batch_dir. Syncthing must be allowed to read it."
        )
    folder = provision.create_folder(this.client, folder_id, os.fsdecode(path))
    sentence = f"The folder {folder_id} was made in Syncthing for {printable(path)}; it only sends."
    this.tell("sync.folder_created", sentence, folder_id=folder_id, path=printable(path))
    return folder


def change_folder(this: PeerSetup, folder: FolderView, changes: Collection[str]) -> FolderView:
    wanted: dict[str, Any] = {}
    if SEND_ONLY in changes and folder.type != "sendonly":
        wanted["type"] = "sendonly"
    if folder.paused and (RESUME in changes or _was_cut_off(this, folder)):
        wanted["paused"] = False
    if not wanted:
        return folder
    folder = provision.change_folder(this.client, folder.id, **wanted)
    words = {"type": "only sends now", "paused": "runs again"}
    sentence = f"The folder {folder.id} {' and '.join(words[name] for name in wanted)}."
    this.tell("sync.folder_changed", sentence, folder_id=folder.id, **wanted)
    return folder


def _was_cut_off(this: PeerSetup, folder: FolderView) -> bool:
    """Whether this is a folder of ours that a set-up began to make: paused, and shared with nobody yet."""
    return folder.label == provision.LABEL and set(folder.devices) <= {this.client.my_id()}
