"""Looking at Syncthing for a person: every check with its state, its cause and what to do, and the facts behind it.

The checks build on each other; the first fault that hides the rest ends the list.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from app.config.schema import Config
from app.errors import SyncthingError, SyncthingRefused
from app.syncthing import ignores, key, look, troubles
from app.syncthing.answers import FolderView
from app.syncthing.client import SyncthingClient
from app.syncthing.proof import prefix_in_folder
from app.syncthing.troubles import Trouble

OK, WARNING, FAULT = "ok", "warning", "fault"

#: Of /rest/system/status, what helps and tells nothing private.
STATUS_KEYS = ("myID", "uptime", "startTime", "alloc", "sys", "goroutines", "guiAddressUsed", "guiAddressOverridden",
               "connectionServiceStatus", "lastDialStatus", "pathSeparator", "tilde")  # fmt: skip


@dataclass(frozen=True)
class Check:
    """One thing looked at. `cause` says what was found, `fix` what to do; `fix` is empty when all is well."""

    name: str
    state: str
    cause: str
    fix: str = ""


@dataclass
class Examination:
    """The checks in their order, and Syncthing's own answers that they rest on."""

    checks: list[Check] = field(default_factory=list)
    batch_names: Collection[str] = ()
    reachable: bool = False
    facts: dict[str, Any] = field(default_factory=dict)


def examine(config: Config, batch_dir: bytes, batch_names: Collection[str] = ()) -> Examination:
    """Look at everything that a delivery needs. Never raises for what Syncthing does or does not answer."""
    found = Examination(batch_names=batch_names)
    try:
        with SyncthingClient.from_config(config) as client:
            for check in _checks(client, config, batch_dir, found):
                found.checks.append(check)
    except SyncthingError as error:
        found.reachable = found.reachable or (isinstance(error, SyncthingRefused) and error.status != 0)
        found.checks.append(_of_error(error))
    return found


def _of_error(error: SyncthingError) -> Check:
    cause = error.cause if isinstance(error, SyncthingRefused) else "reachable"
    name = {"key": "syncthing key", "host_check": "syncthing host check", "not_found": "syncthing folder"}.get(
        cause, "syncthing reachable"
    )
    return Check(name, FAULT, str(error), FIXES[name])


FIXES = {
    "syncthing key": "Copy the API key from Actions > Settings in Syncthing's GUI to syncthing.api_key.",
    "syncthing host check": "Let Syncthing's GUI listen on 0.0.0.0:8384 (scripts/configure_syncthing.py does that).",
    "syncthing folder": "Write the ID of the folder that shares paths.batch_dir in syncthing.folder_id.",
    "syncthing reachable": "Start Syncthing, and check syncthing.api_url from the machine that Media Pipeline runs on.",
}


def _checks(client: SyncthingClient, config: Config, batch_dir: bytes, found: Examination) -> Iterator[Check]:
    client.ping()
    found.reachable = True
    status = client.system_status()
    found.facts["syncthing_status"] = {key: status[key] for key in STATUS_KEYS if key in status}
    found.facts["version"] = client.version()
    accepted = key.shown([client.keys.current or key.Key("none")])
    found.facts["key"] = accepted
    yield Check("syncthing reachable", OK, f"Syncthing {found.facts['version']} answers at {client.url}.")
    yield Check("syncthing key", OK, f"The API key is accepted; it comes from: {accepted['source']}.")
    if not config.syncthing.folder_id:
        yield _of_trouble("syncthing folder", troubles.folder_needed())
        return
    folder = client.folder(config.syncthing.folder_id)
    found.facts["folder"] = asdict(folder)
    yield from _folder_checks(client, folder, batch_dir, found)
    if not folder.paused:
        yield from _device_checks(client, config, folder, str(status.get("myID") or ""), found)


def _folder_checks(
    client: SyncthingClient, folder: FolderView, batch_dir: bytes, found: Examination
) -> Iterator[Check]:
    status = None if folder.paused else client.folder_status(folder.id)
    found.facts["folder_status"] = status
    fault = troubles.folder_trouble(folder, status)
    if fault is not None:
        yield _of_trouble("syncthing folder", fault)
    else:
        yield Check("syncthing folder", OK, f"The folder {folder.id} is there, running, and without errors.")
    yield _type_check(folder)
    yield _path_check(folder, batch_dir)
    if not folder.paused:
        yield _ignores_check(client, folder, batch_dir, found.batch_names)
        yield _errors_check(client, folder)


def _type_check(folder: FolderView) -> Check:
    if folder.type != "sendreceive":
        return Check(
            "syncthing folder type", OK if folder.type == "sendonly" else FAULT, f"The folder is {folder.type}."
        )
    return Check(
        "syncthing folder type",
        WARNING,
        "The folder is Send & Receive: what the peer deletes or edits before a batch is archived is deleted here too.",
        "Make the folder Send Only in Syncthing.",
    )


def _path_check(folder: FolderView, batch_dir: bytes) -> Check:
    name, theirs, ours = "syncthing path", folder.path, os.fsdecode(batch_dir)
    inside = prefix_in_folder(os.path.realpath(os.fsencode(theirs)), batch_dir)
    if inside or os.path.realpath(os.fsencode(theirs)) == batch_dir:
        return Check(name, OK, f"{ours} lies in Syncthing's folder {theirs}.")
    return Check(
        name,
        WARNING,
        f"Syncthing's folder is {theirs}, paths.batch_dir is {ours}.",
        "Right when two containers see one place under two paths; otherwise correct one of them. The first delivery "
        "tells: Syncthing must know its files.",
    )


def _ignores_check(
    client: SyncthingClient, folder: FolderView, batch_dir: bytes, batch_names: Collection[str]
) -> Check:
    name = "syncthing ignore patterns"
    prefix = prefix_in_folder(os.fsencode(folder.path), batch_dir)
    own = {*ignores.own_lines(prefix), *(ignores.line_for(prefix, batch) for batch in batch_names)}
    try:
        lines = [line.strip() for line in client.ignores(folder.id)]
    except SyncthingRefused as error:
        return Check(name, FAULT, str(error), "Correct the folder's ignore patterns in Syncthing.")
    foreign = [line for line in lines if line and line not in own and not line.startswith("//")]
    if not foreign:
        return Check(name, OK, "No ignore pattern of yours is in the way.")
    return Check(
        name,
        WARNING,
        f"The folder has {len(foreign)} ignore patterns; a file that one of them hits is never delivered.",
        "Look them through in Syncthing: Edit > Ignore Patterns.",
    )


def _errors_check(client: SyncthingClient, folder: FolderView) -> Check:
    errors = client.folder_errors(folder.id)
    if not errors:
        return Check("syncthing folder errors", OK, "Syncthing could read every file.")
    path, reason = next(iter(sorted(errors.items())))
    cause = f"Syncthing could not handle {len(errors)} files, such as {path}: {reason}."
    return Check("syncthing folder errors", WARNING, cause, "Correct the permissions or names of these files.")


def _device_checks(
    client: SyncthingClient, config: Config, folder: FolderView, my_id: str, found: Examination
) -> Iterator[Check]:
    device = troubles.choose_device(folder, my_id, config.syncthing.device_id.strip() or None)
    if isinstance(device, Trouble):
        yield _of_trouble("syncthing device", device)
        return
    standing = look.standing_of(client, folder, device, b"")
    found.facts["device"] = {"id": device, "name": standing.peer, "connected": standing.connected}
    chosen = "" if config.syncthing.device_id.strip() else " (syncthing.device_id is empty; it is the only peer)"
    yield Check("syncthing device", OK, f"The folder is shared with {standing.peer}{chosen}.")
    if standing.trouble is not None:
        yield Check("syncthing peer", WARNING, standing.trouble.sentence, "Start Syncthing at the peer and unpause it.")
    else:
        yield Check("syncthing peer", OK, f"{standing.peer} is connected.")
    completion = client.completion(folder.id, device)
    found.facts["completion"] = asdict(completion)
    remote = troubles.remote_trouble(completion, standing.peer)
    if remote is not None:
        yield _of_trouble("syncthing shared back", remote)
    if completion.need_deletes:
        yield Check(
            "syncthing deletes",
            WARNING,
            f"{standing.peer} still holds {completion.need_deletes} files that were removed here; the percentage in "
            "Syncthing stays below 100 while it does. Deliveries are not affected.",
            "Nothing has to be done; with ignoreDelete at the peer this is what it means.",
        )


def _of_trouble(name: str, trouble: Trouble) -> Check:
    return Check(name, FAULT, trouble.sentence, "Change that in Syncthing or in the settings that the sentence names.")
