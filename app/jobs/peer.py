"""Setting Syncthing up: the folder, the devices, the requests that wait. What web and command line call.

Nothing of it touches a media file, so none of it is a run. Each act says what it did, in the journal too; what was
right already is left as it is, and then nothing is said.
"""

from __future__ import annotations

from collections.abc import Collection

from app.errors import BadRequest, Conflict, NotFound, printable
from app.jobs.peer_folder import change_folder, ensure_folder
from app.jobs.peer_setup import PeerSetup, peer_setup
from app.model import device_id as device_ids
from app.services import ServiceContainer
from app.syncthing import pending, provision
from app.syncthing.answers import FolderView, device_label, shown_name
from app.syncthing.client import SyncthingClient
from app.syncthing.setup_steps import CHANGES, DELIVER

FOLDER_ID, DEVICE_ID, TARGET = "syncthing.folder_id", "syncthing.device_id", "sync.target"


def set_up_syncthing(container: ServiceContainer, actor: str, changes: Collection[str] = ()) -> list[str]:
    """Make what is missing for a delivery, up to the peer; says what was done. Safe to call again.

    `changes` are the names of those things that a person may have wanted as they are, and now wants changed: SEND_ONLY,
    RESUME, DELIVER. Raises SyncthingError, Conflict, BadRequest, RootUnavailable.
    """
    unknown = sorted(set(changes) - set(CHANGES))
    if unknown:
        raise BadRequest(f"{unknown[0]} is nothing that set-up changes; it can be one of: {', '.join(CHANGES)}.")
    with peer_setup(container, actor) as this:
        _set_up(this, changes)
        return this.done


def accept_device(container: ServiceContainer, actor: str, text: str, name: str = "") -> list[str]:
    """Make a device known, share our folder with it, and let it be the one that must have every file if none is.

    Sets up what is missing before. Raises as set_up_syncthing does, and BadRequest for a mistyped ID.
    """
    device_id = device_ids.canonical(text)
    with peer_setup(container, actor) as this:
        folder = _set_up(this, ())
        _connect(this, folder.id, device_id, name.strip())
        return this.done


def accept_folder(container: ServiceContainer, actor: str, folder_id: str, device_id: str) -> list[str]:
    """A known device offers a folder: share ours with it, or make ours under this ID when there is none yet.

    Raises NotFound when nothing of the kind is offered, Conflict when our folder has another ID, and as
    set_up_syncthing does.
    """
    device_id = device_ids.canonical(device_id)
    with peer_setup(container, actor) as this:
        _require_offer(this.client, folder_id, device_id)
        _refuse_other_folder(this.config.syncthing.folder_id or folder_id, folder_id)
        folder = _set_up(this, (), folder_id)
        _refuse_other_folder(folder.id, folder_id)
        _connect(this, folder.id, device_id, "")
        return this.done


def dismiss_request(container: ServiceContainer, actor: str, device_id: str, folder_id: str | None = None) -> list[str]:
    """Forget that a device has knocked, or offers a folder. Raises NotFound, SyncthingError, BadRequest."""
    device_id = device_ids.canonical(device_id)
    with peer_setup(container, actor) as this:
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


def _set_up(this: PeerSetup, changes: Collection[str], new_id: str = "") -> FolderView:
    folder = change_folder(this, ensure_folder(this, new_id), changes)
    if not this.config.syncthing.folder_id and this.save({"syncthing": {"folder_id": folder.id}}, FOLDER_ID):
        this.done.append(f"Batches are delivered through the folder {folder.id} ({FOLDER_ID}).")
    is_elsewhere = DELIVER in changes and this.config.sync_target != "syncthing"
    if is_elsewhere and this.save({"sync": {"target": "syncthing"}}, TARGET):
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


def _connect(this: PeerSetup, folder_id: str, device_id: str, name: str) -> None:
    """Make the device known, share the folder with it, and write it into the settings when none is there."""
    known_as = shown_name(name) or _own_name(this.client, device_id)
    if provision.add_device(this.client, device_id, known_as):
        sentence = f"The device {known_as or device_id[:7]} was added in Syncthing."
        this.tell("sync.peer_added", sentence, device_id=device_id, name=known_as)
    shown = known_as or device_label(this.client.devices()[device_id], device_id)
    if provision.share_folder(this.client, folder_id, device_id):
        sentence = f"The folder {folder_id} is shared with {shown}."
        this.tell("sync.folder_shared", sentence, folder_id=folder_id, device_id=device_id)
    if not this.config.syncthing.required_ids and this.save({"syncthing": {"device_id": device_id}}, DEVICE_ID):
        this.done.append(f"{shown} is the peer that must have every file ({DEVICE_ID}).")


def _own_name(client: SyncthingClient, device_id: str) -> str:
    """The name that a knocking device gives itself."""
    knocking = pending.find_pending(client, {}).devices
    return next((device.name for device in knocking if device.device_id == device_id), "")


