"""The dashboard's numbers in the shape of the first product's GET /api/dashboard, from totals alone."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from app.db import totals
from app.db.clock import now
from app.db.tables import batches
from app.model import OPEN_BATCH, AssetStatus
from app.overview.batches import batch_counts, recent_batches


def dashboard(conn: Connection) -> dict[str, Any]:
    """Files and batches by status, how complete they are, and the bytes in batches and archive."""
    kept = totals.read(conn)
    files = sum(count for count, _ in kept.values())
    counts = batch_counts(conn)
    finished = sum(kept[status][0] for status in (AssetStatus.ARCHIVED, AssetStatus.DUPLICATE, AssetStatus.GONE))
    return {
        "generated_at": now(),
        "files": {
            "total": files,
            "by_status": {status.value: count for status, (count, _) in kept.items()},
            "total_size_bytes": sum(size for _, size in kept.values()),
            "completion_percent": _percent(finished, files),
        },
        "batches": {
            **counts,
            "completion_percent": _percent(counts["sorted"], counts["total"]),
        },
        "storage": {
            "batch_dir_bytes": _bytes_in_batches(conn),
            "sorted_dir_bytes": kept[AssetStatus.ARCHIVED][1],
        },
        "recent_batches": recent_batches(conn),
    }


def _bytes_in_batches(conn: Connection) -> int:
    query = select(func.coalesce(func.sum(batches.c.size_bytes), 0)).where(batches.c.status.in_(OPEN_BATCH))
    return int(conn.execute(query).scalar_one())


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0
