"""The state of files, batches and deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from app.db import batches, measures
from app.model import GRAVE_FINDINGS, OPEN_BATCH, BatchStatus
from app.overview.control import OFFERED
from app.overview.home.values import instant, number

#: Keys by the line of the balance sheet: files, and bytes where somebody may want them.
LINES = {
    "waiting": ("files_waiting", "files_waiting_bytes"),
    "in_batch": ("files_in_batches", "files_in_batches_bytes"),
    "delivered": ("files_delivered", "files_delivered_bytes"),
    "archived": ("files_archived", "files_archived_bytes"),
    "duplicate": ("files_duplicate", "files_duplicate_bytes"),
    "set_aside": ("files_set_aside", "files_set_aside_bytes"),
    "failed": ("files_failed", "files_failed_bytes"),
}


def of_files(seen: dict[str, Any]) -> dict[str, str | int | bool]:
    """Files and bytes by where they stand; `seen` is the overview."""
    balance = seen["balance"]
    found: dict[str, str | int | bool] = {"files": balance["seen"]["files"], "files_bytes": balance["seen"]["bytes"]}
    for line in balance["lines"]:
        if line["key"] in LINES:
            files, size = LINES[line["key"]]
            found |= {files: line["files"], size: line["bytes"]}
    damaged = sum(seen["findings"][kind.value] for kind in GRAVE_FINDINGS)
    return {**found, "files_damaged": damaged, "confirmation_awaited": seen["awaits_confirmation"] is not None}


def of_batches(conn: Connection) -> dict[str, str | int | bool]:
    """Batches that are not finished, and those that the buttons deliver and archive."""
    found = measures.batches_by_status(conn)
    oldest = min((at for status in OPEN_BATCH if (at := found[status].oldest_at) is not None), default=None)
    return {
        "batches_open": sum(found[status].count for status in OPEN_BATCH),
        "batches_failed": found[BatchStatus.ERROR].count,
        "batches_archived": found[BatchStatus.SORTED].count,
        "oldest_batch_created_at": instant(oldest),
        "last_delivered_at": instant(batches.last_delivered_at(conn)),
        "sync_batch_id": next_batch_id(conn, "sync") or 0,
        "sort_batch_id": next_batch_id(conn, "sort") or 0,
    }


def next_batch_id(conn: Connection, act: str) -> int | None:
    """The oldest batch that can be asked to `sync` or to `sort`."""
    found = batches.list_by_status(conn, OFFERED[act])
    return min((batch.id for batch in found), default=None)


def of_deliveries(conn: Connection, seen: dict[str, Any]) -> dict[str, str | int | bool]:
    """How far the batches on their way are, how fast it goes, and what is left."""
    progress = measures.delivery_progress(conn)
    transfers = [sync["transfer"] for sync in seen["syncing_batches"]]
    return {
        "delivery_files": progress.files,
        "delivery_bytes": progress.size_bytes,
        "delivery_confirmed_files": progress.confirmed_files,
        "delivery_confirmed_bytes": progress.confirmed_bytes,
        "delivery_bytes_per_second": sum(transfer["rate_bytes_per_second"] or 0 for transfer in transfers),
        "delivery_remaining_seconds": number(_longest([transfer["remaining_seconds"] for transfer in transfers])),
    }


def _longest(remaining: Sequence[float | None]) -> float | None:
    """Unknown as soon as that of one delivery is; nothing is left of none."""
    known = [seconds for seconds in remaining if seconds is not None]
    return None if len(known) < len(remaining) else max(known, default=0)
