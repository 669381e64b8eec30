"""What the page Control shows: what it needs of the overview, and the batches to choose from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from app.db import batches, runs
from app.model import Batch, BatchStatus, RunKind
from app.overview import ConfigFacts, overview
from app.overview.batches import sync_progress
from app.overview.pace import pace_of
from app.services import Services

#: So many batches are offered for each act, the one that came first at the top.
CHOICES = 100
#: What can be asked of a batch that is chosen, and in which statuses it is offered for that.
OFFERED = {
    "sync": (BatchStatus.PENDING, BatchStatus.SYNCING),
    "sort": (BatchStatus.SYNCED, BatchStatus.SORTING),
    "retry": (BatchStatus.ERROR,),
}
#: What the page needs of the overview.
NEEDED = (
    "running", "run", "waits_for", "last_run", "file_counts", "recent_batches", "syncing_batches", "dedup", "warnings",
    "config", "worker", "awaits_confirmation", "findings",
    "by_itself",
)  # fmt: skip


def control_panel(services: Services, config: ConfigFacts) -> dict[str, Any]:
    """What the page shows, as JSON-ready values; reads rows only."""
    seen, moment = overview(services, config), datetime.now(UTC)
    with services.db.reading() as conn:
        choices = {act: _choices(conn, statuses) for act, statuses in OFFERED.items()}
        had_run = runs.find_last(conn, RunKind.WORKFLOW) is not None
    for step in seen["run"]["steps"] if seen["run"] else ():
        step["pace"] = pace_of(step, moment)
    shown = {name: seen[name] for name in NEEDED}
    return {**shown, "files": seen["balance"]["seen"]["files"], "choices": choices, "is_first_run": not had_run}


def _choices(conn: Connection, statuses: tuple[BatchStatus, ...]) -> list[dict[str, Any]]:
    return [_choice(batch) for batch in batches.list_by_status(conn, statuses)[:CHOICES]]


def _choice(batch: Batch) -> dict[str, Any]:
    return {
        "id": batch.id,
        "name": batch.name,
        "status": batch.status.value,
        "file_count": batch.file_count,
        "size_bytes": batch.size_bytes,
        "progress": sync_progress(batch)["progress"],
    }
