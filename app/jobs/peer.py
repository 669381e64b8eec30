"""Setting Syncthing up: the folder, the devices, the requests that wait. What web and command line call.

Nothing of it touches a media file, so none of it is a run. Each act says what it did, in the journal too; what was
right already is left as it is, and then nothing is said.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from app.config.schema import Config
from app.db import confirmation, journal
from app.errors import BadRequest, Conflict, NotFound, printable
from app.files.place_marker import make_place_marker
from app.files.roots import check_roots
from app.model import RootKind
from app.overview.peer import batch_dir_of
from app.services import ServiceContainer, Services
from app.syncthing import device_id as device_ids
from app.syncthing import ignores, pending, place, provision
from app.syncthing.answers import FolderView
from app.syncthing.client import SyncthingClient
from app.syncthing.setup_steps import CHANGES, DELIVER, RESUME, SEND_ONLY

FOLDER_ID, DEVICE_ID, TARGET = "syncthing.folder_id", "syncthing.device_id", "sync.target"

_one_at_a_time = threading.Lock()


@dataclass
class PeerSetup:
    """One act of the set-up, by whom, and the sentences about what it did."""

    container: ServiceContainer
    actor: str
    client: SyncthingClient
    done: list[str] = field(default_factory=list)

    @property
    def services(self) -> Services:
        """The services of the settings as they are now; an act may have saved some."""
        return self.container.services

    @property
    def config(self) -> Config:
        """The settings as they are now."""
        return self.services.config

    def tell(self, kind: str, sentence: str, **detail: Any) -> None:
        """Say what was done, and write it into the journal."""
        self.done.append(sentence)
        with self.services.db.transaction() as conn:
            journal.record(conn, kind, sentence, detail={**detail, "actor": self.actor})


def set_up_syncthing(container: ServiceContainer, actor: str, changes: Collection[str] = ()) -> list[str]:
    """Make what is missing for a delivery, up to the peer; says what was done. Safe to call again.

    `changes` are the names of those things that a person may have wanted as they are, and now wants changed: SEND_ONLY,
    RESUME, DELIVER. Raises SyncthingError, Conflict, BadRequest, RootUnavailable.
    """
    unknown = sorted(set(changes) - set(CHANGES))
    if unknown:
        raise BadRequest(f"{unknown[0]} is nothing that set-up changes; it can be one of: {', '.join(CHANGES)}.")
    with _act(container, actor) as this:
        _set_up(this, changes)
        return this.done


def accept_device(container: ServiceContainer, actor: str, text: str, name: str = "") -> list[str]:
    """Make a device known, share our folder with it, and let it be the one that must have every file if none is.

    Sets up what is missing before. Raises as set_up_syncthing does, and BadRequest for a mistyped ID.
    """
    device_id = device_ids.canonical(text)
    with _act(container, actor) as this:
        folder = _set_up(this, ())
        _connect(this, folder.id, device_id, name.strip())
        return this.done


def accept_folder(container: ServiceContainer, actor: str, folder_id: str, device_id: str) -> list[str]:
    """A known device offers a folder: share ours with it, or make ours under this ID when there is none yet.

    Raises NotFound when nothing of the kind is offered, Conflict when our folder has another ID, and as
    set_up_syncthing does.
    """
    device_id = device_ids.canonical(device_id)
    with _act(container, actor) as this:
        _require_offer(this.client, folder_id, device_id)
        _refuse_other_folder(this.config.syncthing.folder_id or folder_id, folder_id)
        folder = _set_up(this, (), folder_id)
        _refuse_other_folder(folder.id, folder_id)
        _connect(this, folder.id, device_id, "")
        return this.done


def dismiss_request(container: ServiceContainer, actor: str, device_id: str, folder_id: str | None = None) -> list[str]:
    """Forget that a device has knocked, or offers a folder. Raises NotFound, SyncthingError, BadRequest."""
    device_id = device_ids.canonical(device_id)
    with _act(container, actor) as this:
        if folder_id is not None:
            _require_offer(this.client, folder_id, device_id)
            pending.dismiss_folder(this.client, folder_id, device_id)
            what = f"The folder {printable(folder_id.encode())} that {device_id[:7]} offers was"
        else:
            if device_id not in {device.device_id for device in pending.find_pending(this.client, {}).devices}:
                raise NotFound("request of the device", device_id)
            pending.dismiss_device(this.client, device_id)
            what = f"The request of the device {device_id[:7]} was"
        sentence = f"{what} dismissed; it comes back when the device asks again."
        this.tell("sync.request_dismissed", sentence, device_id=device_id, folder_id=folder_id)
        return this.done


@contextmanager
def _act(container: ServiceContainer, actor: str) -> Iterator[PeerSetup]:
    """One act at a time in this process: two that add a device to the folder would each write its whole list."""
    with container.services.db.reading() as conn:
        awaited = confirmation.sentence(conn)
    if awaited is not None:
        raise Conflict(awaited)
    with _one_at_a_time, SyncthingClient.from_config(container.services.config) as client:
        yield PeerSetup(container, actor, client)


def _set_up(this: PeerSetup, changes: Collection[str], new_id: str = "") -> FolderView:
    folder = _change(this, _ensure_folder(this, new_id), changes)
    if not this.config.syncthing.folder_id and _save(this, {"syncthing": {"folder_id": folder.id}}, FOLDER_ID):
        this.done.append(f"Batches are delivered through the folder {folder.id} ({FOLDER_ID}).")
    is_elsewhere = DELIVER in changes and this.config.sync_target != "syncthing"
    if is_elsewhere and _save(this, {"sync": {"target": "syncthing"}}, TARGET):
        this.done.append(f"New batches are delivered through Syncthing ({TARGET}).")
    for device_id in this.config.syncthing.required_ids:
        _connect(this, folder.id, device_ids.canonical(device_id), "")
    return folder


def _refuse_other_folder(ours: str, offered: str) -> None:
    if ours != offered:
        raise Conflict(
            f"Batches are delivered through the folder {ours}; share it with the peer and accept it there. The offered "
            f"{printable(offered.encode())} can be dismissed."
        )


def _require_offer(client: SyncthingClient, folder_id: str, device_id: str) -> None:
    offers = pending.find_pending(client, {}).folders
    if not any((offer.folder_id, offer.device_id) == (folder_id, device_id) for offer in offers):
        raise NotFound("offer of the folder", printable(folder_id.encode()))


def _ensure_folder(this: PeerSetup, new_id: str = "") -> FolderView:
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


def _change(this: PeerSetup, folder: FolderView, changes: Collection[str]) -> FolderView:
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


def _connect(this: PeerSetup, folder_id: str, device_id: str, name: str) -> None:
    """Make the device known, share the folder with it, and write it into the settings when none is there."""
    known_as = pending.shown_name(name) or _own_name(this.client, device_id)
    if provision.add_device(this.client, device_id, known_as):
        sentence = f"The device {known_as or device_id[:7]} was added in Syncthing."
        this.tell("sync.peer_added", sentence, device_id=device_id, name=known_as)
    shown = known_as or pending.shown_name(this.client.devices()[device_id].get("name")) or device_id[:7]
    if provision.share_folder(this.client, folder_id, device_id):
        sentence = f"The folder {folder_id} is shared with {shown}."
        this.tell("sync.folder_shared", sentence, folder_id=folder_id, device_id=device_id)
    if not this.config.syncthing.required_ids and _save(this, {"syncthing": {"device_id": device_id}}, DEVICE_ID):
        this.done.append(f"{shown} is the peer that must have every file ({DEVICE_ID}).")


def _own_name(client: SyncthingClient, device_id: str) -> str:
    """The name that a knocking device gives itself."""
    knocking = pending.find_pending(client, {}).devices
    return next((device.name for device in knocking if device.device_id == device_id), "")


def _save(this: PeerSetup, changes: Mapping[str, Any], path: str) -> bool:
    """Save a setting, unless the environment holds it; whether it was saved. Raises ConfigError."""
    store = this.container.store
    if path in store.current().environment_keys:
        return False
    store.save_partial(changes, actor=this.actor)
    return True
