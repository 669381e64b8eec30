"""Runs the scripts of hooks.*, one after the other, for each batch that has come so far.

How far a script got is a fact that is written with its outcome: one that was cut off with the worker runs again.
"""

from __future__ import annotations

import threading
from typing import Any

from app.db import batches, facts, journal
from app.db.connection import Connection
from app.errors import BadRequest, FileError, NotFound
from app.log import get_logger
from app.model import Batch, Event, Place, RootKind
from app.notify.scripts import Ended, find_script, run_script
from app.services import Services

TICK_SECONDS = 1.0
#: Each setting under hooks, and the event after which its script runs.
STEPS = {"after_batch": "batch.published", "after_sync": "batch.synced", "after_sort": "batch.sorted"}
#: The folder of scripts, beside the database.
FOLDER = "hooks"


def run_due_scripts(services: Services, stopping: threading.Event) -> None:
    """Run what is due; what happened before a script was named is not."""
    for hook, kind in STEPS.items():
        while not stopping.is_set():
            event = _next_event(services, hook, kind)
            if event is None or not _carry_out(services, hook, event, stopping):
                break


def _fact(hook: str) -> str:
    return f"hook_ran:{hook}"


def _next_event(services: Services, hook: str, kind: str) -> Event | None:
    """The first event for which the script has not run; a script that is new begins with the next one."""
    is_set = bool(getattr(services.config.hooks, hook))
    with services.db.reading() as conn:
        since, newest = facts.find(conn, _fact(hook)) or "", journal.newest_id(conn)
        if is_set and since and int(since) <= newest:
            return next(iter(journal.list_of_kinds(conn, [kind], int(since), 1)), None)
    if is_set or since:
        with services.db.transaction() as conn:
            facts.put(conn, _fact(hook), str(newest) if is_set else "")
    return None


def _carry_out(services: Services, hook: str, event: Event, stopping: threading.Event) -> bool:
    """Run the script for one event, and write down what came of it; False when the worker stops meanwhile."""
    ended = _run(services, hook, event, stopping)
    if ended is None:
        return False
    with services.db.transaction() as conn:
        facts.put(conn, _fact(hook), str(event.id))
        _tell(conn, services, hook, event, ended)
    return True


def _run(services: Services, hook: str, event: Event, stopping: threading.Event) -> Ended | None:
    roots = [root for of_kind in services.roots.values() for root in of_kind]
    name = getattr(services.config.hooks, hook)
    try:
        path = find_script(services.state_dir / FOLDER, name, roots)
        batch = _batch(services, event)
        manifest = _manifest(services, batch)
    except (BadRequest, NotFound, FileError) as error:
        return Ended(None, 0.0, "", str(error).rstrip("."))
    get_logger().info("a script runs", hook=hook, script=name, batch_id=batch.id)
    more = {"HOOK": hook, "BATCH_ID": str(batch.id), "BATCH_NAME": batch.name}
    return run_script(path, manifest, more, services.config.hooks.timeout_seconds, stopping)


def _batch(services: Services, event: Event) -> Batch:
    with services.db.reading() as conn:
        return batches.get(conn, event.batch_id or 0)


def _manifest(services: Services, batch: Batch) -> bytes:
    """The archive's copy: it stays where it is whatever becomes of the batch's folder."""
    if batch.manifest_path is None:
        raise NotFound("manifest of batch", batch.name)
    return Place(services.root(RootKind.ARCHIVE), batch.manifest_path).absolute


def _tell(conn: Connection, services: Services, hook: str, event: Event, ended: Ended) -> None:
    name = getattr(services.config.hooks, hook)
    detail: dict[str, Any] = {"hook": hook, "script": name, "seconds": ended.seconds, "output": ended.output}
    kind, level, words = "hook.finished", "info", " has ended well"
    if ended.fault is not None:
        kind, level, words = "hook.failed", "warning", f" failed: {ended.fault}"
        detail["exit_code"] = ended.exit_code
    message = f"The script {name} ({hook}){words}."
    journal.record(conn, kind, message, level=level, run_id=event.run_id, batch_id=event.batch_id, detail=detail)
