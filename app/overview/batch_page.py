"""What the pages of batches show: lists, and one batch from its making to the archive."""

from __future__ import annotations

import shlex
from typing import Any

from sqlalchemy import Connection

from app.config.schema import Config
from app.db import batches, lists
from app.db.search import AssetSearch
from app.model import Batch, BatchStatus
from app.overview.batch_story import batch_story
from app.overview.batches import batch_counts, batch_summary, sync_progress
from app.overview.file_lists import list_files

#: So many files of a batch are shown at a time, and so many of its newest events.
FILES_SHOWN, EVENTS_SHOWN = 50, 15
#: What a person can ask for while a batch stands so; whether it can be done is decided when it is asked for.
ACTS: dict[BatchStatus, tuple[str, ...]] = {
    BatchStatus.PENDING: ("sync", "cancel", "undo"),
    BatchStatus.SYNCING: ("refresh", "sync", "cancel", "undo"),
    BatchStatus.SYNCED: ("sort", "undo"),
    BatchStatus.SORTING: ("sort", "undo"),
    BatchStatus.SORTED: ("undo",),
    BatchStatus.UNDOING: ("undo",),
    BatchStatus.ERROR: ("retry", "cancel", "undo"),
    BatchStatus.CANCELLED: (),
}


def list_batches(
    conn: Connection, status: BatchStatus | None, name: str, before_id: int | None, limit: int
) -> dict[str, Any]:
    """A page of batches, newest first; the `before_id` of the next page; and how many there are by status."""
    found, next_id = lists.page_of_batches(conn, status, name, before_id, limit)
    return {
        "batches": [{**batch_summary(batch), "progress": sync_progress(batch)["progress"]} for batch in found],
        "next_before_id": next_id,
        "counts": batch_counts(conn)["by_status"],
    }


def batch_page(conn: Connection, config: Config, batch_id: int, cursor: str | None) -> dict[str, Any]:
    """A batch with its story, a page of its files, and what can be asked for. Raises NotFound."""
    batch, told = batches.get(conn, batch_id), batch_story(conn, batch_id)
    return {
        **told,
        # It changes with every look; the page says when instead.
        "peer": {name: value for name, value in told["peer"].items() if name != "seconds_left"},
        "events": told["events"][:EVENTS_SHOWN],
        "has_more_events": len(told["events"]) > EVENTS_SHOWN,
        "acts": acts_of(batch),
        "has_manifest": batch.published_at is not None,
        "folder": config.paths.batch_dir,
        "check_line": check_line(batch),
        **list_files(conn, AssetSearch(batch_id=batch_id, limit=FILES_SHOWN), cursor),
    }


def acts_of(batch: Batch) -> tuple[str, ...]:
    """What a person can ask for of this batch."""
    if batch.status is BatchStatus.CANCELLED and batch.undone_at is not None:
        return ("take_in",)
    if batch.status is BatchStatus.ERROR and batch.error_from == BatchStatus.UNDOING:
        return ("retry",)
    return ACTS[batch.status]


def check_line(batch: Batch) -> str:
    """A command for a shell at the peer, in the folder that Syncthing keeps there: it reads every file of the batch."""
    return f"(cd -- {shlex.quote(batch.name)} && sha256sum --check --quiet SHA256SUMS && echo every file is right)"
