"""Is everything as it should be? Checks for people, and the facts behind a delivery that does not work.

Looks only: no check writes to a media folder or changes a setting. Secrets never leave: of the Syncthing key, only
where it comes from and how long it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from app.db import batches, facts, moves
from app.db.clock import later
from app.errors import MediaPipelineError, RootUnavailable, StateError, printable
from app.files.lock import is_locked
from app.files.roots import check_roots, free_bytes
from app.model import Root
from app.services import Services
from app.syncthing import notes
from app.syncthing.checks import FAULT, OK, WARNING, Check, Examination, examine

__all__ = ["Check", "delivery_status", "diagnose", "run_checks", "sync_diagnostics"]

HEARTBEAT_FACT = "worker_heartbeat_at"
HEARTBEAT_STALE_SECONDS = 20
#: A root with less room than this deserves a warning; with a tenth of it nothing useful can be done.
LOW_ROOM_BYTES = 1_000_000_000
KEY_VARIABLE = "MEDIA_PIPELINE_SYNCTHING__API_KEY"


def run_checks(services: Services) -> list[Check]:
    """Every check in a fixed order. Never raises: what cannot be looked at is a fault of its own."""
    looks: list[tuple[str, Callable[[Services], Iterator[Check]]]] = [
        ("config", _config),
        ("database", _database),
        ("moves", _moves),
        ("roots", _roots),
        ("worker", _worker),
        ("queue file", _queue_file),
    ]
    found: list[Check] = []
    for name, look in looks:
        try:
            found += look(services)
        except (MediaPipelineError, OSError) as error:
            found.append(Check(name, FAULT, str(error), "Correct that, then check again."))
    if services.config.sync_target == "syncthing":
        found += _examine(services).checks
    return found


def diagnose(services: Services) -> dict[str, Any]:
    """The answer of GET /api/sync/diagnostics."""
    return sync_diagnostics(services)


def sync_diagnostics(services: Services) -> dict[str, Any]:
    """What Syncthing looks like from here, with every check, as JSON-ready values and without a secret."""
    config = services.config
    examined = _examine(services) if config.sync_target == "syncthing" else Examination(checks=[_not_used(services)])
    with services.db.reading() as conn:
        last_error = notes.last_error(conn)
    return {
        "target": config.sync_target,
        "reachable": examined.reachable,
        "api_url": without_secrets(config.syncthing.api_url),
        "key": {"source": _key_source(), "length": len(config.syncthing.api_key)},
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


def _examine(services: Services) -> Examination:
    with services.db.reading() as conn:
        names = [batch.name for batch in batches.list_recent(conn, limit=1_000)]
    return examine(services.config, os.path.realpath(os.fsencode(services.config.paths.batch_dir)), names)


def _not_used(services: Services) -> Check:
    target = services.config.sync_target
    return Check("syncthing", OK, f"Syncthing is not used: sync.target is {target}.")


def _key_source() -> str:
    if os.environ.get(KEY_VARIABLE):
        return f"environment ({KEY_VARIABLE})"
    if os.environ.get(f"{KEY_VARIABLE}_FILE"):
        return f"file named by {KEY_VARIABLE}_FILE"
    return "config file"


def _config(services: Services) -> Iterator[Check]:
    yield Check("config", OK, f"Revision {services.revision[:12]} is in use.")


def _database(services: Services) -> Iterator[Check]:
    with services.db.reading() as conn:
        answer = str(conn.exec_driver_sql("PRAGMA quick_check").scalar())
    if answer != "ok":
        raise StateError(f"The database {services.db.path} is damaged: {answer}.")
    yield Check("database", OK, f"{services.db.path} is sound.")


def _moves(services: Services) -> Iterator[Check]:
    with services.db.reading() as conn:
        unclear = moves.list_quarantined(conn)
    if not unclear:
        yield Check("moves", OK, "No move is in doubt.")
        return
    name = printable(unclear[0].src_path)
    yield Check(
        "moves",
        FAULT,
        f"{len(unclear)} moves are in quarantine, such as {name}: what lies on the disk does not fit the journal.",
        "Look at the events move.quarantined; no file of these moves is touched until a person has decided.",
    )


def _roots(services: Services) -> Iterator[Check]:
    for root in (root for of_kind in services.roots.values() for root in of_kind):
        yield _root(services, root)


def _root(services: Services, root: Root) -> Check:
    name, path = f"{root.kind} folder", printable(root.path)
    try:
        check_roots(services.db, [root])
        free = free_bytes(root)
    except RootUnavailable as error:
        return Check(name, FAULT, str(error), "Mount the disk or share again; nothing is moved meanwhile.")
    if free < LOW_ROOM_BYTES:
        state = FAULT if free < LOW_ROOM_BYTES // 10 else WARNING
        return Check(name, state, f"{path} has only {free / 1e9:.2f} GB left.", "Make room on that disk.")
    return Check(name, OK, f"{path} is mounted and ours, with {free / 1e9:.1f} GB free.")


def _worker(services: Services) -> Iterator[Check]:
    with services.db.reading() as conn:
        beat = facts.find(conn, HEARTBEAT_FACT)
    alive = bool(beat) and datetime.fromisoformat(str(beat)) > datetime.fromisoformat(later(-HEARTBEAT_STALE_SECONDS))
    if alive and is_locked(services.state_dir):
        yield Check("worker", OK, "The worker is running.")
        return
    seen = f"last seen {beat}" if beat else "never seen"
    yield Check(
        "worker", WARNING, f"No worker is running ({seen}).", "Start the service; commands start one for a run."
    )


def _queue_file(services: Services) -> Iterator[Check]:
    path = services.state_dir / "queue.sqlite"
    try:
        size = os.stat(path).st_size
    except FileNotFoundError:
        yield Check("queue file", OK, "The queue has not been used yet.")
        return
    state = OK if os.access(path, os.R_OK | os.W_OK) else FAULT
    fix = "" if state == OK else "Give the service's user the right to write it."
    yield Check("queue file", state, f"{path} holds {size} bytes.", fix)
