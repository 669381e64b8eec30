"""How a delivery stands at each device that must have it, and which files are missing there and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from app.db import batch_devices, deliveries, delivery_obstacles
from app.db.batch_devices import BatchDevice
from app.db.deliveries import Confirmed
from app.db.delivery_obstacles import Missing
from app.errors import BadRequest, NotFound, printable
from app.model import Batch, BatchStatus
from app.syncthing import notes
from app.syncthing.proof import REASONS, Verdict

#: So many missing files are listed with each device; all are counted, and can be paged through.
LISTED = 20
#: What a delivery to a mounted folder is recorded as.
FOLDER = "folder"
UNDELIVERED = (BatchStatus.PENDING, BatchStatus.SYNCING, BatchStatus.ERROR)
#: What a device's own state says of every file that it lacks: code -> the words for one file.
AWAY = {
    "peer_offline": "the peer is not connected",
    "device_paused": "the peer is paused in Syncthing",
    "paused_there": "the peer has paused the folder",
    "not_shared_back": "the peer has not accepted the folder yet",
    "device_not_shared": "the folder is not shared with this device",
    "own_device": "this device is this Syncthing itself",
    "indexing": "the peer has not told yet what it has",
}
SCANNING_CODE, SCANNING = "scanning", "Syncthing is still reading the batch"
#: What a look finds only after it has asked the devices: it says nothing against what they answered.
OF_FILES = ("files_refused", "files_unreadable", "files_changed", "not_taken")


@dataclass(frozen=True)
class Reason:
    """Why a file is missing at a device when nothing is known of the file itself."""

    code: str
    words: str


def devices_of(conn: Connection, batch: Batch) -> list[dict[str, Any]]:
    """Each device that must have the batch: how much of it is proven there, how the device stands, what is missing."""
    remembered = notes.load(conn, batch.id)
    known = _known(conn, batch)
    if not _is_held_up(remembered.trouble, known):
        return [_device(conn, batch, device, remembered.trouble) for device in known]
    # The look ended before any device was asked: what an earlier one found of it is no longer known to be so.
    words = remembered.trouble_words or batch.sync_detail
    stopped = [replace(device, connected=None, code=remembered.trouble, words=words) for device in known]
    return [_device(conn, batch, device, remembered.trouble) for device in stopped]


def _is_held_up(trouble: str, known: Sequence[BatchDevice]) -> bool:
    """Whether what is in the way is in the way of all of the delivery, and not a matter of one device's."""
    return trouble not in ("", SCANNING_CODE, *OF_FILES) and trouble not in {device.code for device in known}


def missing_at(conn: Connection, batch: Batch, device_id: str, after_id: int, limit: int) -> dict[str, Any]:
    """One page of the files that are not proven at a device, by asset id, and what to go on with, None at the end.

    Without a device id the only device is meant. Raises NotFound, and BadRequest when a device has to be named.
    """
    known = _known(conn, batch)
    if not (known or device_id):
        return {"batch_id": batch.id, "device_id": None, "name": None, "files": [], "next_after_id": None}
    device = _chosen(known, batch, device_id)
    rows = delivery_obstacles.page_missing(conn, batch.id, device.device_id, after_id, limit)
    reason = _reason(device, notes.load(conn, batch.id).trouble)
    return {
        "batch_id": batch.id,
        "device_id": device.device_id,
        "name": device.label,
        "files": [_file(row, reason) for row in rows],
        "next_after_id": rows[-1].asset_id if len(rows) == limit else None,
    }


def _chosen(known: Sequence[BatchDevice], batch: Batch, device_id: str) -> BatchDevice:
    found = [device for device in known if device_id in ("", device.device_id)]
    if len(found) > 1:
        names = ", ".join(f"{device.label} ({device.device_id})" for device in found)
        raise BadRequest(f"Batch {batch.name} has to arrive at {len(found)} devices; name one of them: {names}.")
    if not found:
        raise NotFound("device", device_id)
    return found[0]


def _known(conn: Connection, batch: Batch) -> list[BatchDevice]:
    found = batch_devices.list_of(conn, batch.id)
    if found or not batch.device_id or batch.target == "none":
        return found
    name = "the folder" if batch.target == FOLDER else batch_devices.last_name(conn, batch.device_id)
    return [BatchDevice(batch.id, batch.device_id, name, "")]


def missing_anywhere(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Some of the files that are missing at any of these devices, each once, what needs a person first."""
    merged: dict[str, dict[str, Any]] = {}
    for device in found:
        for entry in device["missing"]:
            merged.setdefault(entry["path"], {**entry, "device_id": device["id"]})
    waits = (Verdict.WAITING, Verdict.DOWNLOADING, *AWAY, SCANNING_CODE)
    return sorted(merged.values(), key=lambda entry: (entry["code"] in waits, entry["path"]))[:LISTED]


def _device(conn: Connection, batch: Batch, device: BatchDevice, trouble: str) -> dict[str, Any]:
    held = deliveries.size_of_confirmed(conn, batch.id, device.device_id)
    lacking = batch.file_count - held.file_count if batch.status in UNDELIVERED else 0
    reason = _reason(device, trouble)
    rows = delivery_obstacles.list_missing(conn, batch.id, device.device_id, LISTED) if lacking else []
    code, words = _state(batch, device, lacking)
    return {
        "id": device.device_id,
        "name": device.label,
        "connected": device.connected,
        "last_seen_at": device.looked_at if device.connected else device.last_seen_at,
        "looked_at": device.looked_at,
        "code": code,
        "sentence": f"{held.file_count} of {batch.file_count} confirmed on {device.label}",
        "words": words,
        "confirmed_count": held.file_count,
        "file_count": batch.file_count,
        "confirmed_bytes": held.size_bytes,
        "size_bytes": batch.size_bytes,
        "progress": _percent(held, batch, lacking),
        "need_items": device.need_items,
        "need_bytes": device.need_bytes,
        "missing_count": lacking,
        "missing": [_file(row, reason) for row in rows],
    }


def _state(batch: Batch, device: BatchDevice, lacking: int) -> tuple[str, str]:
    if batch.status is BatchStatus.CANCELLED:
        return "cancelled", "The batch was cancelled or taken back; nothing is proven of it any more."
    if lacking and device.code is not None:
        return device.code, device.words or ""
    if lacking:
        return "pending", _before_a_look(batch, device)
    return "confirmed", f"Every file is confirmed on {device.label}."


def _before_a_look(batch: Batch, device: BatchDevice) -> str:
    if batch.status is not BatchStatus.SYNCING:
        return "The batch has not been announced yet."
    if batch.target == FOLDER:
        return "The files are being copied to the folder."
    return f"The batch is announced; what {device.label} has of it has not been looked at yet."


def _percent(held: Confirmed, batch: Batch, lacking: int) -> float:
    """By bytes, and never 100 before every file is proven: rounding must not announce a delivery."""
    if not lacking:
        return 100.0 if held.file_count else 0.0
    return min(round(100 * held.size_bytes / batch.size_bytes, 1), 99.9) if batch.size_bytes else 0.0


def _reason(device: BatchDevice | None, trouble: str) -> Reason:
    if trouble == SCANNING_CODE:
        return Reason(SCANNING_CODE, SCANNING)
    code = device.code if device is not None else None
    if code in AWAY:
        return Reason(code, AWAY[code])
    return Reason(Verdict.WAITING, REASONS[Verdict.WAITING])


def _file(row: Missing, otherwise: Reason) -> dict[str, Any]:
    code = row.code or otherwise.code
    words = row.words or (REASONS[Verdict(row.code)] if row.code else otherwise.words)
    return {
        "asset_id": row.asset_id,
        "path": printable(row.path),
        "size_bytes": row.size_bytes,
        "code": code,
        "reason": words,
    }
