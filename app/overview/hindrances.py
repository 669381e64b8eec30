"""What holds deliveries up, and what a waiting run waits for, in words. Rows alone: Syncthing is not asked."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from app.config.schema import Config
from app.db import batch_devices, batches, root_waits
from app.db.clock import now
from app.model import Batch, BatchStatus, Run, RunKind, RunStatus
from app.model.instants import instant_in_words
from app.model.peer_policy import removal_at
from app.syncthing import notes, telling

OPEN = (BatchStatus.PENDING, BatchStatus.SYNCING, BatchStatus.SYNCED)
REMEDY = "Once that is mended, deliveries go on by themselves; nothing is lost meanwhile."
LOOK = "The page Peer looks at each step and says what to do."
BY_ITSELF = "It goes on by itself."


def find_hindrances(conn: Connection, config: Config) -> list[dict[str, str]]:
    """What keeps deliveries from going on until a person acts: level, a sentence, what to do."""
    told = telling.load(conn) if config.sync_target == "syncthing" else telling.Told()
    found = [_told("error", f"Nothing can be delivered: {told.lost}")] if told.lost else []
    held_up = _held_up(conn)
    for (code, words), names in held_up.items():
        if not (told.lost and code.startswith("syncthing_")):
            level = "error" if code.startswith("syncthing_") else "warning"
            found.append(_told(level, f"The delivery of {' and '.join(names)} is held up: {words}",
                               through_syncthing=config.sync_target == "syncthing"))
    if not found and told.folder_id and told.folder_id == config.syncthing.folder_id:
        found += _about_folder(told)
    return found


def hindrance_of(conn: Connection, batch: Batch) -> dict[str, Any]:
    """What one batch waits for at the other side, None while nothing is in the way, and whether a person has to act."""
    remembered = notes.load(conn, batch.id)
    is_open, is_told = batch.status in OPEN, bool(remembered.trouble) or batch.target == "folder"
    words = (remembered.trouble_words or batch.sync_detail or None) if is_open and is_told else None
    return {"waits_for": words, "needs_person": words is not None and remembered.needs_person}


def _told(level: str, message: str, *, through_syncthing: bool = True) -> dict[str, str]:
    return {"level": level, "message": message, "remedy": f"{LOOK} {REMEDY}" if through_syncthing else REMEDY}


def _held_up(conn: Connection) -> dict[tuple[str, str], list[str]]:
    """By what is in the way, the batches that wait for that; those that only wait for a peer are left out."""
    found: dict[tuple[str, str], list[str]] = {}
    for batch in batches.list_by_status(conn, OPEN):
        remembered = notes.load(conn, batch.id)
        if remembered.trouble and remembered.needs_person:
            found.setdefault((remembered.trouble, remembered.trouble_words), []).append(batch.name)
    return found


def _about_folder(told: telling.Told) -> list[dict[str, str]]:
    if told.paused:
        words = f"The folder {told.folder_id} is paused in Syncthing; nothing is sent until it is resumed there."
        return [_told("warning", words)]
    return [_told("warning", told.fault)] if told.fault else []


def what_run_waits_for(conn: Connection, run: Run | None) -> str | None:
    """What a run that waits is waiting for, for a person; None for any other run."""
    if run is None or run.status is not RunStatus.WAITING:
        return None
    if run.kind is RunKind.VERIFY:
        return "Lets other runs go first, and goes on by itself."
    if run.kind is RunKind.PAIRING:
        return "Waiting for the test file; the page Peer says how far it is."
    folder = root_waits.find(conn, run.id)
    if folder is not None and not folder.is_over:
        return folder.words
    batch = _batch_of(conn, run)
    return BY_ITSELF if batch is None else _batch_waits_for(conn, batch)


def _batch_of(conn: Connection, run: Run) -> Batch | None:
    named = batches.find(conn, run.batch_id) if run.batch_id is not None else None
    if named is not None and named.status in OPEN:
        return named
    return next(iter(batches.list_by_status(conn, OPEN)), None)


def _batch_waits_for(conn: Connection, batch: Batch) -> str:
    peer = _peer_of(conn, batch)
    if hindrance_of(conn, batch)["needs_person"]:
        return f"{batch.name} is held up at the other side; the warnings say by what. Once mended, it goes on."
    if batch.status is not BatchStatus.SYNCED:
        where = "in the delivery folder" if batch.target == "folder" else f"at {peer}"
        return f"Waiting until every file of {batch.name} is proven {where}. {BY_ITSELF}"
    if batch.target == "syncthing" and batch.peer_policy == "release" and batch.released_at is None:
        return (
            f"Waiting for you at {peer}: upload or copy the files of {batch.name} there, then delete them there. "
            "Once all are deleted, the batch is archived by itself."
        )
    at = batch.next_look_at or removal_at(batch)
    if at is not None and at > now():
        return f"{batch.name} is delivered, and is archived at {instant_in_words(at)}. {BY_ITSELF}"
    return f"{batch.name} is delivered, and is archived next. {BY_ITSELF}"


def _peer_of(conn: Connection, batch: Batch) -> str:
    names = [device.label for device in batch_devices.list_of(conn, batch.id)]
    return names[0] if len(names) == 1 else "every peer" if names else "the peer"
