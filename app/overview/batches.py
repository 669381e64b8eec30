"""What is shown of batches: the newest, those that are being delivered, how far sync and sort are."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, and_, func, select

from app.db import batches
from app.db.tables import assets, batch_devices, deliveries
from app.db.tables import batches as batches_table
from app.errors import printable
from app.model import OPEN_BATCH, AssetStatus, Batch, BatchStatus

#: While a batch is one of these, a look at the other side may bring it further.
LOOKED_AT = (BatchStatus.PENDING, BatchStatus.SYNCING, BatchStatus.SYNCED)
#: How many batches the dashboard shows at a glance.
RECENT = 5


def batch_summary(batch: Batch) -> dict[str, Any]:
    """A batch as JSON-ready values."""
    return {
        "id": batch.id,
        "name": batch.name,
        "status": batch.status.value,
        "file_count": batch.file_count,
        "size_bytes": batch.size_bytes,
        "target": batch.target,
        "peer_policy": batch.peer_policy,
        "device_id": batch.device_id,
        "created_at": batch.created_at,
        "published_at": batch.published_at,
        "synced_at": batch.synced_at,
        "released_at": batch.released_at,
        "sorted_at": batch.sorted_at,
        "cleaned_at": batch.cleaned_at,
        "undone_at": batch.undone_at,
        "error": batch.error,
        "manifest_path": printable(batch.manifest_path) if batch.manifest_path else None,
        "run_id": batch.run_id,
    }


def sync_progress(batch: Batch) -> dict[str, Any]:
    """How far a batch's delivery is, from what earlier looks at the peer left in its row."""
    return {
        "batch_id": batch.id,
        "batch": batch.name,
        "status": batch.status.value,
        "progress": _delivered_percent(batch),
        "confirmed_count": batch.confirmed_count,
        "file_count": batch.file_count,
        "confirmed_bytes": batch.confirmed_bytes,
        "size_bytes": batch.size_bytes,
        "synced_at": batch.synced_at,
        "next_look_at": next_look_at(batch),
        "detail": batch.error or batch.sync_detail,
    }


def next_look_at(batch: Batch) -> str | None:
    """When the peer, or the grace time, is looked at next; None when nothing of the batch is waited for any more."""
    return batch.next_look_at if batch.status in LOOKED_AT else None


def _delivered_percent(batch: Batch) -> float:
    if batch.synced_at is not None:
        return 100.0
    done, total = batch.confirmed_count, batch.file_count
    if batch.size_bytes and batch.confirmed_bytes:
        done, total = batch.confirmed_bytes, batch.size_bytes
    # Never 100 before every file is proven: rounding must not announce a delivery.
    return min(round(100 * done / total, 1), 99.9) if total else 0.0


def sort_progress(conn: Connection, batch: Batch) -> dict[str, Any]:
    """How many of a batch's files are in the archive."""
    counted = select(func.count()).where(assets.c.batch_id == batch.id)
    sorted_files = conn.execute(counted.where(assets.c.status == AssetStatus.ARCHIVED.value)).scalar_one()
    return {
        "batch_id": batch.id,
        "batch": batch.name,
        "status": batch.status.value,
        "total_files": conn.execute(counted).scalar_one(),
        "sorted_files": sorted_files,
        "sorted_at": batch.sorted_at,
        "error": batch.error,
    }


def deliveries_of(conn: Connection, batch_id: int) -> list[dict[str, Any]]:
    """What was proven where: per device how many of the batch's files, and from when to when."""
    d = deliveries.c
    columns = (d.device_id, func.max(device_name()), func.count(), func.min(d.confirmed_at), func.max(d.confirmed_at))
    query = select(*columns).select_from(with_device_names()).where(d.batch_id == batch_id)
    rows = conn.execute(query.group_by(d.device_id).order_by(d.device_id))
    names = ("device_id", "name", "confirmed_count", "first_confirmed_at", "last_confirmed_at")
    return [dict(zip(names, row, strict=True)) for row in rows]


def with_device_names() -> FromClause:
    """The deliveries table with the names under which the devices were known when the batch was delivered."""
    d, b = deliveries.c, batch_devices.c
    return deliveries.outerjoin(batch_devices, and_(b.batch_id == d.batch_id, b.device_id == d.device_id))


def device_name() -> ColumnElement[str]:
    """What a person calls the device of a row of `with_device_names`: its name, else its ID."""
    return func.coalesce(func.nullif(batch_devices.c.name, ""), deliveries.c.device_id)


def batch_counts(conn: Connection) -> dict[str, Any]:
    """How many batches there are by status, and how many were ever synced or sorted."""
    by_status = batches.count_by_status(conn)
    c = batches_table.c
    ever = conn.execute(select(func.count(c.synced_at), func.count(c.sorted_at))).one()
    return {
        "total": sum(by_status.values()),
        "by_status": {status.value: count for status, count in by_status.items()},
        "open": sum(by_status[status] for status in OPEN_BATCH),
        "synced": ever[0],
        "sorted": ever[1],
    }


def recent_batches(conn: Connection, limit: int = RECENT) -> list[dict[str, Any]]:
    """The newest batches first, each with its delivery's progress."""
    return [{**batch_summary(b), "progress": _delivered_percent(b)} for b in batches.list_recent(conn, limit)]


def failed_batches(conn: Connection) -> list[dict[str, Any]]:
    """Every batch that stopped and waits for a person, the newest first."""
    failed = batches.list_by_status(conn, [BatchStatus.ERROR])
    return [{"id": batch.id, "name": batch.name, "error": batch.error} for batch in reversed(failed)]
