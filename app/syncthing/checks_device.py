"""Checks of the peers: each device that must have every file, as far as it can be seen from here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from app.log import redact
from app.model.counting import counted
from app.syncthing import look, troubles
from app.syncthing.answers import Completion, FolderView, entries, whole
from app.syncthing.client import SyncthingClient
from app.syncthing.examination import OK, WARNING, Check, Examination, OurFiles, of_trouble
from app.syncthing.look import Standing
from app.syncthing.troubles import Trouble

#: A peer that is connected, lacks files and got none for so long is stuck.
STUCK_SECONDS = 600
UNSEEN = "Its free space, its errors and its own ignore patterns cannot be seen from here."


def check_devices(
    client: SyncthingClient, folder: FolderView, my_id: str, wanted: Sequence[str], ours: OurFiles, found: Examination
) -> Iterator[Check]:
    """Every required device of the folder; without a named one, its only peer."""
    found.facts["devices"] = []
    for name in wanted or [""]:
        device = troubles.choose_device(folder, my_id, name or None)
        if isinstance(device, Trouble):
            yield of_trouble("syncthing device", device)
            continue
        yield from _device_checks(client, look.standing_of(client, folder, device, b""), bool(name), ours, found)


def _device_checks(
    client: SyncthingClient, standing: Standing, is_named: bool, ours: OurFiles, found: Examination
) -> Iterator[Check]:
    peer, entry = standing.peer, facts_of(client, standing)
    found.facts["devices"].append(entry)
    found.facts.setdefault("device", {key: entry[key] for key in ("id", "name", "connected")})
    chosen = "" if is_named else " (syncthing.device_id is empty; it is the only peer)"
    yield Check("syncthing device", OK, f"The folder is shared with {peer}{chosen}.")
    if standing.trouble is not None:
        yield of_trouble("syncthing peer", standing.trouble, WARNING)
    else:
        yield Check("syncthing peer", OK, f"{peer} is connected{_speaking(entry)}.")
    raw = client.ask("db/completion", whole, {"folder": standing.folder.id, "device": standing.device_id})
    completion = client.completion(standing.folder.id, standing.device_id)
    entry["completion"] = redact(raw)
    found.facts.setdefault("completion", _as_facts(completion))
    yield shared_back_check(completion, standing)
    yield needs_check(completion, standing, ours.waiting_seconds)
    if completion.need_deletes:
        yield deletes_check(completion, peer)


def facts_of(client: SyncthingClient, standing: Standing) -> dict[str, Any]:
    """What is known of a device: its name, whether it is connected or paused, its version, when it was last seen."""
    device = standing.device_id
    known = client.ask("system/connections", lambda answer: entries(answer["connections"]))
    entry = known.get(device, {})
    return {
        "id": device,
        "name": standing.peer,
        "connected": standing.connected,
        "paused": bool(entry.get("paused")),
        "version": str(entry.get("clientVersion") or ""),
        "address": str(entry.get("address") or ""),
        "last_seen": client.last_seen().get(device, ""),
    }


def _as_facts(completion: Completion) -> dict[str, Any]:
    return {
        "percent": completion.percent,
        "need_items": completion.need_items,
        "need_bytes": completion.need_bytes,
        "need_deletes": completion.need_deletes,
        "sequence": completion.sequence,
        "remote_state": completion.remote_state,
    }


def _speaking(entry: dict[str, Any]) -> str:
    return f" and runs Syncthing {entry['version']}" if entry["version"] else ""


def shared_back_check(completion: Completion, standing: Standing) -> Check:
    """Whether the peer has accepted the folder, and has not paused it, as far as this version of Syncthing tells."""
    name, peer = "syncthing shared back", standing.peer
    remote = troubles.remote_trouble(completion, peer)
    if remote is not None:
        return of_trouble(name, remote)
    if completion.remote_state == "valid":
        return Check(name, OK, f"{peer} has accepted the folder and shares it back.")
    if completion.sequence:
        return Check(name, OK, f"{peer} has accepted the folder: it has told what it holds there.")
    if not completion.remote_state:
        cause = f"Whether {peer} has accepted the folder cannot be told by this version of Syncthing (1.20 and newer)."
        return Check(name, OK, f"{cause} The first file that is confirmed there tells.")
    cause = f"Whether {peer} has accepted the folder cannot be told: it was not connected since Syncthing started, "
    return Check(name, OK, f"{cause}or has not told yet what it holds.")


def needs_check(completion: Completion, standing: Standing, waiting_seconds: float) -> Check:
    """Whether the peer gets on: one that is connected, lacks files and gets none is out of room, or refuses them."""
    name, peer = "syncthing peer's need", standing.peer
    if not completion.need_items:
        return Check(name, OK, f"{peer} asks for nothing. {UNSEEN}")
    lacks = f"{peer} lacks {counted(completion.need_items, 'file', 'files')} ({completion.need_bytes / 1e6:,.1f} MB)"
    if not standing.connected or waiting_seconds < STUCK_SECONDS:
        return Check(name, OK, f"{lacks}. {UNSEEN}")
    cause = f"{lacks}, is connected, and no file was confirmed there for {waiting_seconds / 60:,.0f} minutes. {UNSEEN}"
    fix = "Look at the folder in the peer's Syncthing: is its disk full, or does it say Out of Sync, with what reason?"
    return Check(name, WARNING, cause, fix)


def deletes_check(completion: Completion, peer: str) -> Check:
    """The percentage that stays at 95 because the peer keeps what was removed here."""
    files = counted(completion.need_deletes, "file that was", "files that were")
    return Check(
        "syncthing deletes",
        WARNING,
        f"{peer} still holds {files} removed here; the percentage in Syncthing stays "
        f"at {completion.percent:.0f} while it does. Deliveries are not affected.",
        "Nothing has to be done; with ignoreDelete at the peer this is what it means.",
    )
