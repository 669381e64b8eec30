"""The journal: append an event, read events. Kinds are `noun.past_tense`, each documented in docs/journal.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select

from app.db.clock import now
from app.db.rows import build, columns_for
from app.db.tables import events
from app.model import Event

#: Every kind of event that the program writes. A kind that is not here is refused.
KINDS = frozenset(
    {
        "asset.set_aside",
        "asset.failed",
        "asset.stayed_apart",
        "asset.told_apart",
        "asset.stayed_in_place",
        "asset.found_damaged",
        "asset.vanished",
        "asset.changed",
        "asset.moved",
        "asset.retried",
        "asset.restored",
        "asset.sidecar_refused",
        "asset.date_decided",
        "asset.date_undone",
        "asset.edit_set_aside",
        "asset.found_altered",
        "asset.found_missing",
        "asset.found_unreadable",
        "asset.found_moved",
        "asset.found_intact",
        "file.found_foreign",
        "verify.finished",
        "finding.accepted",
        "finding.ignored",
        "dates.decided",
        "dates.undone",
        "dates.recorded",
        "sidecars.finished",
        "refile.planned",
        "refile.finished",
        "refile.undone",
        "batch.created",
        "batch.published",
        "batch.held",
        "batch.unprotected",
        "batch.sync_started",
        "batch.sync_progressed",
        "batch.devices_changed",
        "batch.sync_delayed",
        "batch.sums_corrected",
        "batch.synced",
        "batch.policy_changed",
        "batch.release_progressed",
        "batch.release_delayed",
        "batch.released",
        "batch.sort_started",
        "batch.sorted",
        "batch.mirrored",
        "batch.failed",
        "batch.retried",
        "batch.cancelled",
        "batch.undo_started",
        "batch.undone",
        "batch.taken_in_again",
        "batch.cleaned",
        "batch.oversize_accepted",
        "batch.room_exceeded",
        "scan.finished",
        "dedup.finished",
        "inspect.finished",
        "cleanup.finished",
        "orphan.found",
        "orphan.adopted",
        "run.requested",
        "run.started",
        "run.waited",
        "run.paused",
        "run.resumed",
        "run.hours_over",
        "run.cancelled",
        "run.finished",
        "run.failed",
        "run.interrupted",
        "worker.cut_off",
        "step.failed",
        "step.limited",
        "move.recovered",
        "move.quarantined",
        "move.source_kept",
        "root.created",
        "root.unavailable",
        "config.saved",
        "config.rejected",
        "database.migrated",
        "rebuild.started",
        "rebuild.finished",
        "rebuild.confirmed",
        "backup.made",
        "backup.failed",
        "backup.restored",
        "totals.recounted",
        "sync.device_chosen",
        "peer.connected",
        "peer.disconnected",
        "peer.paused",
        "peer.resumed",
        "peer.caught_up",
        "peer.missed",
        "delivery.missed",
        "folder.paused",
        "folder.resumed",
        "folder.failed",
        "folder.recovered",
        "syncthing.lost",
        "syncthing.found",
        "pairing.passed",
        "sync.folder_created",
        "sync.folder_changed",
        "sync.folder_shared",
        "sync.peer_added",
        "sync.request_dismissed",
    }
)


def record(
    conn: Connection,
    kind: str,
    message: str,
    *,
    level: str = "info",
    run_id: int | None = None,
    batch_id: int | None = None,
    asset_id: int | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Append one event in the caller's transaction. Raises ValueError for a kind that is not in KINDS."""
    if kind not in KINDS:
        raise ValueError(f"unknown event kind {kind}")
    values = {
        "at": now(),
        "kind": kind,
        "level": level,
        "message": message,
        "run_id": run_id,
        "batch_id": batch_id,
        "asset_id": asset_id,
        "detail": json.dumps(dict(detail or {})),
    }
    conn.execute(insert(events).values(**values))


def record_of_assets(conn: Connection, kind: str, told: Sequence[tuple[str, int | None, int]]) -> None:
    """Append one event for each (message, batch id, asset id), as `record` does; for many at once."""
    if kind not in KINDS:
        raise ValueError(f"unknown event kind {kind}")
    at = now()
    rows = [(at, kind, "info", message, batch_id, asset_id, "{}") for message, batch_id, asset_id in told]
    if rows:
        conn.exec_driver_sql(
            "INSERT INTO events (at, kind, level, message, batch_id, asset_id, detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
            rows,
        )


def list_events(
    conn: Connection,
    *,
    after_id: int = 0,
    before_id: int | None = None,
    kind_prefix: str = "",
    run_id: int | None = None,
    batch_id: int | None = None,
    asset_id: int | None = None,
    limit: int = 100,
) -> list[Event]:
    """Events newest first (or, with `after_id`, the oldest after it first), at most `limit`."""
    query = select(*columns_for(events, Event)).limit(limit)
    if kind_prefix:
        query = query.where(events.c.kind.startswith(kind_prefix, autoescape=True))
    if run_id is not None:
        query = query.where(events.c.run_id == run_id)
    if batch_id is not None:
        query = query.where(events.c.batch_id == batch_id)
    if asset_id is not None:
        query = query.where(events.c.asset_id == asset_id)
    if before_id is not None:
        query = query.where(events.c.id < before_id)
    if after_id:
        query = query.where(events.c.id > after_id).order_by(events.c.id)
    else:
        query = query.order_by(events.c.id.desc())
    return [build(Event, row, {"detail": json.loads}) for row in conn.execute(query)]
