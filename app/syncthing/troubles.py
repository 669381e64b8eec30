"""What keeps a delivery from going on, decided from Syncthing's answers and said in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.errors import SyncthingError, SyncthingRefused, SyncthingUnreachable
from app.model.counting import counted
from app.syncthing.answers import Completion, FolderView
from app.syncthing.proof import REASONS, Judgement

FOLDER_TYPES = ("sendonly", "sendreceive")
#: Syncthing keeps saying so until the next scan, even when the cause is gone.
UNTIL_SCANNED = ("marker_missing", "folder_error")


@dataclass(frozen=True)
class Trouble:
    """Something that keeps the delivery from going on. `code` names it for programs, `sentence` for people.

    `wait_seconds`: how long the other side asked to be left alone. `device_id`: the device that it is about, where the
    sentence changes with time.
    """

    code: str
    sentence: str
    warning: bool = True
    wait_seconds: float = 0
    device_id: str = ""


def of_error(error: SyncthingError) -> Trouble:
    """An error of the client as something to wait for."""
    cause = error.cause if isinstance(error, SyncthingRefused) else "unreachable"
    wait_seconds = error.retry_after_seconds if isinstance(error, SyncthingUnreachable) else 0
    return Trouble(f"syncthing_{cause}", str(error), wait_seconds=wait_seconds)


def folder_trouble(folder: FolderView, status: Mapping[str, Any] | None) -> Trouble | None:
    """What is wrong with the folder itself, or None."""
    if folder.paused:
        return Trouble("folder_paused", f"The folder {folder.id} is paused in Syncthing; resume it there.")
    if folder.type not in FOLDER_TYPES:
        return Trouble(
            "folder_type",
            f"The folder {folder.id} is {folder.type} in Syncthing and sends nothing; make it Send Only there.",
        )
    fault = str((status or {}).get("error") or (status or {}).get("invalid") or "")
    if "marker missing" in fault:
        return Trouble(
            "marker_missing",
            f"Syncthing misses the marker .stfolder in {folder.id}: its disk may not be mounted. Mount it, or make "
            "the marker again if the folder is really the right one.",
        )
    if fault or (status or {}).get("state") == "error":
        return Trouble("folder_error", f"Syncthing has stopped the folder {folder.id}: {fault[:200] or 'error'}.")
    return None


def choose_device(folder: FolderView, my_id: str, wanted: str | None) -> str | Trouble:
    """The device that must have every file: the wanted one, or the only peer of the folder."""
    peers = [device for device in folder.devices if device != my_id]
    if wanted:
        return wanted if wanted in peers else _wrong_device(folder, my_id, wanted, peers)
    if len(peers) == 1:
        return peers[0]
    if not peers:
        return Trouble("not_shared", f"The folder {folder.id} is shared with nobody in Syncthing; share it there.")
    return Trouble(
        "device_needed",
        f"The folder {folder.id} is shared with {len(peers)} devices; write the one that must have every file in "
        f"syncthing.device_id, or several in syncthing.device_ids: {', '.join(sorted(peers))}.",
    )


def choose_devices(folder: FolderView, my_id: str, wanted: Sequence[str]) -> list[str] | Trouble:
    """The devices that must have every file: the wanted ones, or the only peer. A trouble when one is no peer."""
    chosen = [choose_device(folder, my_id, device_id or None) for device_id in wanted or [""]]
    trouble = next((found for found in chosen if isinstance(found, Trouble)), None)
    return trouble if trouble is not None else [found for found in chosen if isinstance(found, str)]


def _wrong_device(folder: FolderView, my_id: str, wanted: str, peers: Sequence[str]) -> Trouble:
    if wanted == my_id:
        return Trouble("own_device", "syncthing.device_id is this Syncthing itself; write the ID of the peer there.")
    shared = ", ".join(sorted(peers)) or "nobody"
    return Trouble(
        "device_not_shared",
        f"The folder {folder.id} is not shared with the device {wanted} (syncthing.device_id); "
        f"it is shared with {shared}.",
    )


def remote_trouble(completion: Completion, peer: str) -> Trouble | None:
    """What Syncthing says of the folder at the other side (from 1.20 on), or None."""
    if completion.remote_state == "paused":
        return Trouble("paused_there", f"{peer} has paused the folder; resume it there.")
    if completion.remote_state == "notSharing":
        return Trouble("not_shared_back", f"{peer} has not accepted the folder yet; accept it there.")
    return None


def left_over_line(folder_id: str, line: str) -> Trouble:
    """An earlier batch of the same name left its ignore line behind."""
    return Trouble(
        "batch_ignored",
        f"The ignore list of {folder_id} has the line {line}, so Syncthing will not send this batch; an earlier batch "
        "of this name left it. Remove the line in Syncthing.",
    )


def misplaced_batch(batch_name: str, folder: FolderView) -> Trouble:
    """Syncthing has scanned, and knows no file of the batch."""
    return Trouble(
        "misplaced",
        f"Syncthing knows no file of batch {batch_name}: its folder {folder.id} ({folder.path}) is not the place of "
        "paths.batch_dir, or an ignore pattern hits the batch.",
    )


def other_place(folder: FolderView, batch_dir: str, fix: str) -> Trouble:
    """Syncthing does not see our batch folder where its folder says."""
    return Trouble(
        "misplaced",
        f"The folder {folder.id} in Syncthing is {folder.path}, and the batch folder {batch_dir} is not there. {fix}",
    )


def refused_files(faults: Sequence[Judgement], reasons: Mapping[bytes, str]) -> Trouble:
    """Some files will not arrive until a person does something."""
    first = min(faults, key=lambda j: j.expected.path)
    name = first.expected.path.decode("utf-8", "backslashreplace")
    reason = reasons.get(first.expected.path) or REASONS[first.verdict]
    more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
    return Trouble("files_refused", f"{name}{more} cannot be delivered: {reason}.")


def slow_answers(asked: int, wanted: int) -> Trouble:
    """A look had no time to ask for every file."""
    files = counted(wanted, "file", "files")
    words = f"Syncthing answers slowly: this look had time to ask for {asked:,} of {files}, and the next goes on there."
    return Trouble("syncthing_slow", words, warning=False)


def not_taken(peer: str, refused: Sequence[Judgement]) -> Trouble | None:
    """A peer that needs nothing more lacks files all the same, or None when it does not."""
    if not refused:
        return None
    first = min(refused, key=lambda j: j.expected.path)
    name = first.expected.path.decode("utf-8", "backslashreplace")
    more = f" and {len(refused) - 1} more" if len(refused) > 1 else ""
    return Trouble(
        "not_taken",
        f"{peer} needs nothing more, but does not hold {name}{more}: its ignore patterns hit that, or it was changed "
        "or deleted there. Look at the folder in Syncthing at the peer.",
        device_id=first.device_id,
    )


def changed_in_folder(names: Sequence[str]) -> Trouble:
    """All is confirmed, but our own files are not what they were: a peer's change may have come in."""
    files = counted(len(names), "file of the batch folder is", "files of the batch folder are")
    them = "it" if len(names) == 1 else "them"
    return Trouble(
        "files_changed",
        f"{files} not as put there ({', '.join(names[:3])}); put {them} back from Syncthing's versions or a backup, "
        "or cancel the batch.",
    )
