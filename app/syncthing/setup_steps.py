"""The steps of the set-up, each with its state in words and what to do. Values in, values out.

The steps build on each other: a list ends with the first step behind which nothing can be seen yet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from app.config.schema import Config
from app.errors import SyncthingRefused
from app.model.device_id import fault_in
from app.model.instants import instant_in_words
from app.syncthing.answers import FolderView
from app.syncthing.place import MISPLACED_FIX, misplaced_words
from app.syncthing.setup_state import Peer, SetupState

#: `missing`: set-up does it. `wrong`: a person has to decide. `waiting`: for the peer; nothing is to be done here.
OK, MISSING, WRONG, WAITING = "ok", "missing", "wrong", "waiting"

#: What set-up does when it is asked to. All but the first change what a person may have wanted: only with their word.
SET_UP, SEND_ONLY, RESUME, DELIVER = "setup", "type", "paused", "target"
CHANGES = (SEND_ONLY, RESUME, DELIVER)


@dataclass(frozen=True)
class Step:
    """One step. `action` is SET_UP, or one of CHANGES, when set-up can do it, else empty."""

    name: str
    state: str
    cause: str
    fix: str = ""
    action: str = ""


def steps_of(state: SetupState, config: Config, required: Collection[str]) -> list[Step]:
    """Every step that can be seen; `required` are the IDs of the peers that must have every file."""
    return list(_steps(state, config, required))


def _steps(state: SetupState, config: Config, required: Collection[str]) -> Iterator[Step]:
    if state.fault is not None:
        yield _unreachable(state)
        return
    yield Step("syncthing", OK, f"Syncthing {state.version} answers.")
    yield Step("key", OK, f"Its API key was found: {state.accepted.source if state.accepted else 'settings'}.")
    yield _target(config)
    if state.folder is None:
        fix = 'Press "Set up Syncthing" on the page Peer, or run: media-pipeline syncthing setup'
        named = config.syncthing.folder_id
        cause = f"Syncthing has no folder {named} yet." if named else "No folder in Syncthing is for the batches yet."
        yield Step("folder", MISSING, cause, fix, SET_UP)
    else:
        yield from _folder_steps(state, state.folder)
    yield from _peer_steps(state, required)


def _unreachable(state: SetupState) -> Step:
    cause = state.fault.cause if isinstance(state.fault, SyncthingRefused) else ""
    if cause == "key":
        fix = "Copy the key from Actions > Settings > GUI in Syncthing to syncthing.api_key in the settings."
        return Step("key", WRONG, str(state.fault), fix)
    fix = "Start Syncthing, and check syncthing.api_url from the machine that Media Pipeline runs on."
    if cause == "host_check":
        fix = "Let its GUI listen on 0.0.0.0:8384 (scripts/configure_syncthing.py does that), then start it again."
    return Step("syncthing", WRONG, str(state.fault), fix)


def _target(config: Config) -> Step:
    if config.sync_target == "syncthing":
        return Step("target", OK, "Batches are delivered through Syncthing (sync.target).")
    if config.sync.target == "auto":
        cause = "Batches are not delivered through Syncthing yet: the settings name no folder and no device."
        return Step("target", MISSING, cause, "Set-up writes the ID of the folder there.", SET_UP)
    cause = f"Batches are not delivered through Syncthing: sync.target is {config.sync.target}."
    return Step("target", WRONG, cause, "Set sync.target to syncthing when they are to be.", DELIVER)


def _folder_steps(state: SetupState, folder: FolderView) -> Iterator[Step]:
    how = "; it was found by its path" if state.is_found_by_path else ""
    yield Step("folder", OK, f"The folder {folder.label or folder.id} ({folder.id}) is there{how}.")
    yield _place(state, folder)
    yield _type(folder)
    yield _running(state, folder)
    if state.missing_lines:
        cause = f"The ignore list lacks {len(state.missing_lines)} lines that keep our own files from the peer."
        yield Step("ignore list", MISSING, cause, "Set-up adds them; no line of yours is changed.", SET_UP)
    else:
        yield Step("ignore list", OK, "Media Pipeline's own files are not sent to the peer.")


def _place(state: SetupState, folder: FolderView) -> Step:
    if state.is_same_place:
        return Step("place", OK, f"Syncthing sees the batch folder at {folder.path}.")
    if state.is_same_place is None:
        cause = f"Whether {folder.path} in Syncthing is the batch folder was not looked at yet."
        return Step("place", MISSING, cause, "Set-up looks at it.", SET_UP)
    return Step("place", WRONG, misplaced_words(folder), MISPLACED_FIX)


def _type(folder: FolderView) -> Step:
    if folder.type == "sendonly":
        return Step("type", OK, "The folder only sends: nothing that happens at the peer can touch your files.")
    words = {
        "sendreceive": "The folder sends and receives: what the peer deletes or edits is deleted or edited here too.",
        "receiveonly": "The folder only receives; it sends nothing.",
        "receiveencrypted": "The folder only receives encrypted files; it sends nothing.",
    }
    return Step("type", WRONG, words.get(folder.type, f"The folder is {folder.type}."), "Make it Send Only.", SEND_ONLY)


def _running(state: SetupState, folder: FolderView) -> Step:
    if folder.paused:
        return Step("running", WRONG, "The folder is paused in Syncthing; it sends nothing.", "Resume it.", RESUME)
    if state.running_fault is not None:
        return Step("running", WRONG, state.running_fault.sentence, "Change that in Syncthing.")
    return Step("running", OK, "The folder runs without errors.")


def _peer_steps(state: SetupState, required: Collection[str]) -> Iterator[Step]:
    shared = [peer for peer in state.peers if peer.is_shared]
    absent = [device_id for device_id in required if device_id not in {peer.device_id for peer in shared}]
    misnamed = _misnamed(state, required)
    if misnamed is not None:
        yield misnamed
    elif absent:
        cause = f"The folder is not shared with {absent[0]}, which must have every file (syncthing.device_id)."
        yield Step("peer", MISSING, cause, "Set-up shares it.", SET_UP)
    elif not shared:
        yield _no_peer(state)
    elif not required and len(shared) > 1:
        cause = f"The folder is shared with {len(shared)} devices, and none of them is named as the one that must have "
        yield Step("peer", WRONG, f"{cause}every file.", "Write its ID in syncthing.device_id.")
    else:
        yield Step("peer", OK, f"The folder is shared with {', '.join(peer.name for peer in shared)}.")
        yield from (_connection(peer) for peer in shared if not required or peer.device_id in required)


def _misnamed(state: SetupState, required: Collection[str]) -> Step | None:
    """A device that is required and can be nobody's: set-up cannot share the folder with it."""
    fix = "Write the peer's ID there, or empty it; in the peer's Syncthing the ID is under Actions > Show ID."
    for device_id in required:
        fault = fault_in(device_id)
        if device_id == state.own_id:
            cause = "The device that must have every file (syncthing.device_id) is Syncthing here itself."
            return Step("peer", WRONG, cause, fix)
        if fault is not None:
            return Step("peer", WRONG, f"The device that must have every file (syncthing.device_id) {fault}.", fix)
    return None


def _no_peer(state: SetupState) -> Step:
    if state.pending.devices or state.pending.folders:
        return Step("peer", WAITING, "A request waits for your word.", "Accept it below.")
    fix = "In the peer's Syncthing, add the device ID that is shown here; its request then appears here."
    return Step("peer", WAITING, "No peer is connected with this yet.", fix)


def _connection(peer: Peer) -> Step:
    if peer.is_paused:
        return Step("connection", WRONG, f"{peer.name} is paused in Syncthing.", "Resume the device there.")
    if peer.is_connected:
        return Step("connection", OK, f"{peer.name} is connected.")
    fix = "Start Syncthing at the peer, and accept this device there when it asks."
    if not peer.last_seen:
        cause = f"{peer.name} was added and has not connected yet; that takes up to a minute."
        return Step("connection", WAITING, cause, f"If it lasts: {fix[0].lower()}{fix[1:]}")
    seen = f"last seen {instant_in_words(peer.last_seen)}"
    return Step("connection", WAITING, f"{peer.name} is not connected, {seen}.", fix)
