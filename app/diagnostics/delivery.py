"""What stands in the way of a delivery: the checks of Syncthing with the facts behind them, and one batch's progress.

Secrets never leave: of the Syncthing key, only where it comes from and how long it is.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from app.db import batches
from app.services import Services
from app.syncthing import key, notes
from app.syncthing.checks import FAULT, OK, Check, Examination, examine


def diagnose(services: Services) -> dict[str, Any]:
    """What Syncthing looks like from here, with every check, as JSON-ready values and without a secret."""
    config = services.config
    is_used = config.sync_target == "syncthing"
    examined = examine_syncthing(services) if is_used else Examination(checks=[_not_used(services)])
    with services.db.reading() as conn:
        last_error = notes.last_error(conn)
    return {
        "target": config.sync_target,
        "reachable": examined.reachable,
        "api_url": without_secrets(config.syncthing.api_url),
        "key": key.shown(key.find_keys(config)),
        "batch_dir": config.paths.batch_dir,
        "folder_id": config.syncthing.folder_id,
        "device_id": config.syncthing.device_id,
        "last_error": last_error,
        "folder": None,
        "device": None,
        "folder_status": None,
        "completion": None,
        "syncthing_status": None,
        **examined.facts,
        "ok": all(check.state != FAULT for check in examined.checks),
        "checks": [asdict(check) for check in examined.checks],
    }


def delivery_status(services: Services, batch_id: int) -> dict[str, Any]:
    """How far a delivery is, from what earlier looks left in the database; asks Syncthing nothing.

    Raises NotFound.
    """
    with services.db.reading() as conn:
        batch = batches.get(conn, batch_id)
        remembered = notes.load(conn, batch_id)
    share = batch.confirmed_count / batch.file_count if batch.file_count else 0.0
    return {
        "batch_id": batch.id,
        "batch": batch.name,
        "status": batch.status.value,
        "progress": 100.0 if batch.synced_at else round(100 * share, 1),
        "confirmed_count": batch.confirmed_count,
        "file_count": batch.file_count,
        "confirmed_bytes": batch.confirmed_bytes,
        "size_bytes": batch.size_bytes,
        "device_id": batch.device_id,
        "synced_at": batch.synced_at,
        "next_look_at": batch.next_look_at,
        "detail": batch.error or batch.sync_detail,
        "trouble": remembered.trouble or None,
        "missing": remembered.missing,
        "samples": remembered.samples,
    }


def without_secrets(url: str) -> str:
    """The URL without a user name, password or query."""
    try:
        parts = urlsplit(url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return "(not a URL)"


def examine_syncthing(services: Services) -> Examination:
    """Look at everything in Syncthing that a delivery needs."""
    with services.db.reading() as conn:
        names = [batch.name for batch in batches.list_recent(conn, limit=1_000)]
    return examine(services.config, os.path.realpath(os.fsencode(services.config.paths.batch_dir)), names)


def _not_used(services: Services) -> Check:
    target = services.config.sync_target
    return Check("syncthing", OK, f"Syncthing is not used: sync.target is {target}.")
