"""What stands in the way of a delivery: the checks of Syncthing with the facts behind them.

Secrets never leave: of the Syncthing key, only where it comes from and how long it is.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import Connection, func, select

from app.config.parse import secret_values
from app.config.schema import Config
from app.db import batches
from app.db.tables import assets, deliveries
from app.diagnostics.releases import check_releases
from app.diagnostics.verdict import verdict
from app.files.place_marker import find_place_marker
from app.log import MASK
from app.model import AssetStatus, Batch, BatchStatus, RootKind
from app.services import Services
from app.syncthing import key, notes
from app.syncthing.checks import FAULT, OK, Check, Examination, OurFiles, examine

UNDELIVERED = (BatchStatus.PENDING, BatchStatus.SYNCING)
#: So many unconfirmed files are compared with the ignore patterns.
FILES_COMPARED = 2_000
BATCHES_KNOWN = 1_000
#: Syncthing's own answers, absent while it was not asked or did not answer.
FACTS = ("folder", "device", "devices", "folder_status", "folder_errors", "completion", "ignored_files",
         "syncthing_status", "system_status", "version", "gui")  # fmt: skip


def diagnose(services: Services, config_path: str = "") -> dict[str, Any]:
    """What Syncthing looks like from here, with every check, as JSON-ready values and without a secret."""
    config = services.config
    is_used = config.sync_target == "syncthing"
    examined = examine_syncthing(services) if is_used else Examination(checks=[_not_used(services)])
    with services.db.reading() as conn:
        last_error = notes.last_error(conn)
    found = {
        "target": config.sync_target,
        "reachable": examined.reachable,
        "config_path": config_path,
        "api_url": without_secrets(config.syncthing.api_url),
        "urls": _urls(config, examined),
        "key": key.shown(key.find_keys(config)),
        "batch_dir": config.paths.batch_dir,
        "folder_id": config.syncthing.folder_id,
        "device_id": config.syncthing.device_id,
        "device_ids": list(config.syncthing.required_ids),
        "last_error": last_error,
        **dict.fromkeys(FACTS),
        **examined.facts,
        "ok": all(check.state != FAULT for check in examined.checks),
        "summary": verdict(examined.checks),
        "checks": [asdict(check) for check in examined.checks],
    }
    return dict(masked(found, _secrets(config)))


def examine_syncthing(services: Services) -> Examination:
    """Look at everything in Syncthing that a delivery needs."""
    with services.db.reading() as conn:
        names = [batch.name for batch in batches.list_recent(conn, limit=BATCHES_KNOWN)]
        under_way = [batch for batch in batches.list_by_status(conn, UNDELIVERED) if batch.target == "syncthing"]
        ours = OurFiles(
            names,
            [b.name for b in under_way],
            _open_files(conn, under_way),
            _waiting(conn, under_way),
            find_place_marker(services.roots.get(RootKind.BATCH, ())) or "",
        )
    found = examine(services.config, os.path.realpath(os.fsencode(services.config.paths.batch_dir)), ours)
    found.checks += check_releases(services)
    return found


def _open_files(conn: Connection, under_way: list[Batch]) -> list[bytes]:
    """Files of deliveries under way that are not proven to be anywhere yet."""
    known = select(deliveries.c.asset_id).where(deliveries.c.asset_id == assets.c.id)
    query = select(assets.c.path).where(
        assets.c.batch_id.in_([batch.id for batch in under_way]),
        assets.c.status == AssetStatus.BATCHED.value,
        ~known.exists(),
    )
    return [bytes(path) for path in conn.execute(query.order_by(assets.c.id).limit(FILES_COMPARED)).scalars()]


def _waiting(conn: Connection, under_way: list[Batch]) -> float:
    """Seconds since a file was confirmed last, or announced if none was; 0 when nothing is waited for."""
    begun = [batch for batch in under_way if batch.syncing_at]
    if not begun:
        return 0.0
    query = select(func.max(deliveries.c.confirmed_at)).where(deliveries.c.batch_id.in_([b.id for b in begun]))
    last = max(filter(None, [conn.execute(query).scalar(), *(batch.syncing_at for batch in begun)]))
    return (datetime.now(UTC) - datetime.fromisoformat(last)).total_seconds()


def _urls(config: Config, examined: Examination) -> dict[str, Any]:
    listeners = (examined.facts.get("system_status") or {}).get("connectionServiceStatus") or {}
    gui = examined.facts.get("gui") or {}
    return {
        "syncthing_api": without_secrets(config.syncthing.api_url),
        "syncthing_gui": without_secrets(config.syncthing.gui_url or config.syncthing.api_url),
        "syncthing_gui_listens_on": gui.get("address"),
        "syncthing_listens_on": sorted(without_secrets(str(address)) for address in listeners),
        "peers": [device["address"] for device in examined.facts.get("devices") or []],
    }


def without_secrets(url: str) -> str:
    """The URL without a user name, password or query."""
    try:
        parts = urlsplit(url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return "(not a URL)"


def masked(value: Any, secrets: list[str]) -> Any:
    """The same value with every secret masked, in whatever text it stands."""
    if isinstance(value, dict):
        return {name: masked(inner, secrets) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked(inner, secrets) for inner in value]
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
    return value


def _secrets(config: Config) -> list[str]:
    keys = {found.text for found in key.find_keys(config) if found.text}
    return sorted({*secret_values(config), *keys}, key=len, reverse=True)


def _not_used(services: Services) -> Check:
    target = services.config.sync_target
    return Check("syncthing", OK, f"Syncthing is not used: sync.target is {target}.")
