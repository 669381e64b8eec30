"""How fast a delivery goes and when it may be done: only what was measured, and why nothing is said when it is not."""

from __future__ import annotations

import json
import time
from typing import Any

from sqlalchemy import Connection

from app.db import batch_devices, batches, facts, heartbeat, sync_samples, syncing
from app.db.sync_samples import Sample
from app.model import Batch, BatchStatus
from app.model.peer_policy import peer_words
from app.overview.batches import sync_progress
from app.overview.delivery_devices import devices_of
from app.overview.hindrances import hindrance_of
from app.syncthing import notes, rates
from app.syncthing.rates import Outlook

#: What a delivery may wait for while bytes arrive all the same.
NO_HINDRANCE = ("", "scanning")


def live_progress(conn: Connection, batch: Batch) -> dict[str, Any]:
    """How far a delivery is (see sync_progress), at each of its `devices`, what it waits for, what becomes of the
    peer's copies, with its `transfer`: the rate and the time that is left."""
    return {
        **sync_progress(batch),
        **hindrance_of(conn, batch),
        "at_the_peer": peer_words(batch.target, batch.peer_policy),
        "devices": devices_of(conn, batch),
        "transfer": transfer_of(conn, batch),
    }


def syncing_batches(conn: Connection) -> list[dict[str, Any]]:
    """Every batch whose delivery is going on, or waits to be begun for a reason that its detail tells."""
    found = batches.list_by_status(conn, [BatchStatus.PENDING, BatchStatus.SYNCING])
    return [live_progress(conn, batch) for batch in found if _is_under_way(batch)]


def deliveries_under_way(conn: Connection) -> list[dict[str, Any]]:
    """Those of syncing_batches, and the delivered batches that wait for the peer to release their files."""
    delivered = batches.list_by_status(conn, [BatchStatus.SYNCED])
    awaited = [live_progress(conn, batch) for batch in delivered if batch.awaits_release]
    return [*awaited, *syncing_batches(conn)]


def _is_under_way(batch: Batch) -> bool:
    was_looked_at = batch.target == "syncthing" and batch.next_look_at is not None
    return batch.status is BatchStatus.SYNCING or was_looked_at


def transfer_of(conn: Connection, batch: Batch) -> dict[str, Any]:
    """The rate and the remaining time of a delivery: those of the peer that takes longest, and of each peer.

    A time is None, with the reason in words, whenever it is not known; it never comes from a percentage.
    """
    devices = syncing.devices_of(conn, batch)
    recent = {device: sync_samples.newest(conn, batch.id, device) for device in devices}
    reason, unheard = _why_unknown(conn, batch), _unheard(conn, batch)
    outlooks = {device: _outlook(batch, recent[device], reason, device in unheard) for device in devices}
    return {
        **_as_json(_slowest(list(outlooks.values()), reason)),
        "peers": [
            {"device_id": device, **_as_json(outlooks[device]), **_last_seen(recent[device])} for device in devices
        ],
        "files_under_way": _files_under_way(conn, batch),
    }


def _why_unknown(conn: Connection, batch: Batch) -> str:
    """Why nothing can be said of this delivery as a whole; empty when something may be."""
    if batch.synced_at is not None:
        return "It is delivered."
    if batch.target != "syncthing":
        return "The time that is left is known of deliveries through Syncthing only."
    if batch.status is not BatchStatus.SYNCING:
        return "The delivery has not begun." if batch.status is BatchStatus.PENDING else "It is not being delivered."
    if not heartbeat.is_recent(heartbeat.find(conn)):
        return "The time that is left is not known: the worker is not running, so nothing is measured."
    if notes.load(conn, batch.id).trouble not in NO_HINDRANCE:
        return "The time that is left is not known while it waits."
    return ""


def _unheard(conn: Connection, batch: Batch) -> set[str]:
    """Peers that have not told yet what they have of the batch: lacking nothing means nothing then."""
    return {device.device_id for device in batch_devices.list_of(conn, batch.id) if device.code in (None, "indexing")}


def _outlook(batch: Batch, samples: list[Sample], reason: str, is_unheard: bool) -> Outlook:
    if reason:
        return Outlook(None, None, reason)
    if not samples:
        return Outlook(None, None, "The time that is left is not known yet: nothing has been measured.")
    last = samples[-1]
    if last.connected is False:
        return Outlook(None, None, "The time that is left is not known: the peer is not connected.")
    left = batch.size_bytes - last.confirmed_bytes
    if last.need_bytes is not None:
        # The peer's own word counts what it has fetched of a file; ours counts no other batch. Both are too much.
        left = min(left, last.need_bytes)
    if left <= 0 and is_unheard:
        return Outlook(None, None, "The time that is left is not known yet: the peer has not told what it lacks.")
    return rates.outlook(rates.points_of(samples), time.time(), left)


def _slowest(outlooks: list[Outlook], reason: str) -> Outlook:
    """The outlook of the whole: unknown as soon as one peer's is."""
    if not outlooks:
        return Outlook(None, None, reason or "The time that is left is not known yet: nothing has been measured.")
    unknown = [found for found in outlooks if found.remaining_seconds is None]
    rate = min((f.rate_bytes_per_second for f in outlooks if f.rate_bytes_per_second is not None), default=None)
    if unknown:
        return Outlook(rate, None, unknown[0].remaining_words)
    return max(outlooks, key=lambda found: found.remaining_seconds or 0)


def _as_json(found: Outlook) -> dict[str, Any]:
    rate = found.rate_bytes_per_second
    return {
        "rate_bytes_per_second": None if rate is None else round(rate),
        "remaining_seconds": found.remaining_seconds,
        "remaining_words": found.remaining_words,
    }


def _last_seen(samples: list[Sample]) -> dict[str, Any]:
    last = samples[-1] if samples else None
    return {
        "confirmed_files": last.confirmed_files if last else 0,
        "confirmed_bytes": last.confirmed_bytes if last else 0,
        "need_items": last.need_items if last else None,
        "need_bytes": last.need_bytes if last else None,
        "connected": last.connected if last else None,
        "sampled_at": last.at if last else None,
    }


def _files_under_way(conn: Connection, batch: Batch) -> list[dict[str, Any]]:
    """Which files of the batch peers are fetching at this moment, and how much of each they have."""
    text = facts.find(conn, sync_samples.UNDER_WAY_FACT)
    if not text or batch.status is not BatchStatus.SYNCING:
        return []
    return [
        {"device_id": device, **{key: value for key, value in entry.items() if key != "batch_id"}}
        for device, entries in json.loads(text).items()
        for entry in entries
        if entry["batch_id"] == batch.id
    ]
