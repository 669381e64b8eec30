"""Which devices must have a batch: as the settings say when it is announced, and stored with it from then on.

A setting that is changed later adds devices to a delivery under way. It takes one away only when it names others
instead, and the journal says so; an empty setting takes nothing away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.db import batch_devices, batches, config_revisions, deliveries, journal
from app.db.batch_devices import BatchDevice
from app.db.connection import Connection
from app.model import BatchStatus
from app.model.counting import counted
from app.pipeline.delivery_look import Look
from app.syncthing import troubles
from app.syncthing.answers import device_label
from app.syncthing.client import SyncthingClient
from app.syncthing.look import Ground
from app.syncthing.troubles import Trouble

#: The devices of Syncthing's configuration by ID.
Names = Mapping[str, Mapping[str, Any]]


def settle_required(this: Look, client: SyncthingClient, ground: Ground) -> Trouble | None:
    """Find out which devices must have the batch, and store them; a trouble when the files can go to none of them.

    Raises SyncthingError.
    """
    with this.services.db.reading() as conn:
        stored = batch_devices.list_of(conn, this.batch.id)
    wanted = this.services.config.syncthing.required_ids or _known(this, stored)
    chosen = [troubles.choose_device(ground.folder, ground.my_id, device_id) for device_id in wanted or [None]]
    reachable = [device for device in chosen if isinstance(device, str)]
    if not reachable:
        return next(device for device in chosen if isinstance(device, Trouble))
    this.required = wanted
    if set(wanted) != {device.device_id for device in stored} or not wanted:
        names = client.devices()
        with this.services.db.transaction() as conn:
            if not wanted:
                _tell_chosen(conn, this, ground, reachable[0], _label(names, reachable[0]))
            this.required = _store(conn, this, wanted or tuple(reachable), names)
            batches.set_columns(conn, this.batch.id, device_id=this.required[0])
    this.batch = replace(this.batch, device_id=this.required[0])
    return None


def _known(this: Look, stored: Sequence[BatchDevice]) -> tuple[str, ...]:
    """What was required before the setting was emptied, or when the batch was made."""
    return tuple(device.device_id for device in stored) or ((this.batch.device_id,) if this.batch.device_id else ())


def _label(names: Names, device_id: str) -> str:
    return device_label(names.get(device_id) or {}, device_id)


def _store(conn: Connection, this: Look, wanted: Sequence[str], names: Names) -> tuple[str, ...]:
    stored = batch_devices.list_of(conn, this.batch.id)
    known = [device.device_id for device in stored]
    added = [device_id for device_id in wanted if device_id not in known]
    removed = [device for device in stored if device.device_id not in wanted] if _is_newest(conn, this) else []
    was_announced = this.batch.status is not BatchStatus.PENDING and bool(stored)
    labels = {device_id: _label(names, device_id) for device_id in added}
    if was_announced and (added or removed):
        _tell_changed(conn, this, labels, removed)
    for device in removed:
        batch_devices.remove(conn, this.batch.id, device.device_id)
    batch_devices.add(conn, this.batch.id, added, labels)
    gone = {device.device_id for device in removed}
    kept = [device_id for device_id in known if device_id not in gone and device_id not in wanted]
    return (*wanted, *kept)


def _is_newest(conn: Connection, this: Look) -> bool:
    """Whether this process has the settings that are in force: older ones take nothing away."""
    newest = config_revisions.find_last(conn)
    return newest is None or newest.digest == this.services.revision


def _tell_chosen(conn: Connection, this: Look, ground: Ground, device_id: str, peer: str) -> None:
    journal.record(
        conn,
        "sync.device_chosen",
        f"syncthing.device_id is empty; {peer} is the only peer of the folder {ground.folder.id}, "
        f"so batch {this.batch.name} has to arrive there.",
        run_id=this.run_id,
        batch_id=this.batch.id,
        detail={"device_id": device_id},
    )


def _tell_changed(conn: Connection, this: Look, added: Mapping[str, str], removed: Sequence[BatchDevice]) -> None:
    words = [f"It also has to arrive at {' and '.join(added.values())}."] if added else []
    for device in removed:
        held = deliveries.size_of_confirmed(conn, this.batch.id, device.device_id)
        files = counted(this.batch.file_count, "file", "files")
        words.append(
            f"It no longer has to arrive at {device.label}, which is not named any more; "
            f"{held.file_count:,} of {files} confirmed there."
        )
    journal.record(
        conn,
        "batch.devices_changed",
        f"Batch {this.batch.name}: the devices in the settings have changed. {' '.join(words)}",
        level="warning" if removed else "info",
        run_id=this.run_id,
        batch_id=this.batch.id,
        detail={"added": list(added), "removed": [device.device_id for device in removed]},
    )
