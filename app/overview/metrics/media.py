"""Metrics of files, batches and deliveries."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from prometheus_client.metrics_core import Metric
from sqlalchemy import Connection

from app.db import batches, measures, sync_samples, totals
from app.db.activity import SEEN
from app.model import OPEN_BATCH, AssetStatus, BatchStatus
from app.overview.metrics.families import Sample, counter, gauge, seconds_of, single

#: A rate that was measured longer ago says nothing of now.
RATE_COUNTS_FOR = timedelta(minutes=10)
MILESTONES = {
    SEEN: ("seen", "first seen in an ingest folder"),
    AssetStatus.DELIVERED.value: ("delivered", "done with delivery: proven to have arrived, or nothing to deliver to"),
    AssetStatus.ARCHIVED.value: ("archived", "filed into the archive"),
}


def of_files(conn: Connection) -> Iterator[Metric]:
    """Files and bytes by status, and what became of files ever."""
    kept = totals.read(conn).items()
    yield gauge("files", "Files by status.", ["status"], [([s.value], count) for s, (count, _) in kept])
    yield gauge(
        "files_bytes", "Bytes of the files by status.", ["status"], [([s.value], size) for s, (_, size) in kept]
    )
    yield single(
        "oldest_waiting_file_timestamp_seconds",
        "When the file was first seen that waits longest for a batch.",
        seconds_of(measures.oldest_waiting_at(conn)),
    )
    for what, found in measures.activity_sums(conn).items():
        name, words = MILESTONES[what]
        yield counter(f"{name}_files", f"Files ever {words}.", (), [((), found.files)])
        yield counter(f"{name}_bytes", f"Bytes of the files ever {words}.", (), [((), found.bytes)])


def of_batches(conn: Connection) -> Iterator[Metric]:
    """Batches and their bytes by status, and the oldest of each status that waits for something."""
    found = measures.batches_by_status(conn)
    yield gauge("batches", "Batches by status.", ["status"], [([s.value], m.count) for s, m in found.items()])
    sizes = [([s.value], m.size_bytes) for s, m in found.items()]
    yield gauge("batches_bytes", "Bytes of the batches by status.", ["status"], sizes)
    yield gauge(
        "oldest_batch_created_timestamp_seconds",
        "When the oldest batch of each status was made that is not finished.",
        ["status"],
        [([s.value], seconds_of(found[s].oldest_at)) for s in OPEN_BATCH],
    )


def of_deliveries(conn: Connection) -> Iterator[Metric]:
    """How far the batches on their way are, and how fast it goes."""
    found = measures.delivery_progress(conn)
    yield single("delivery_files", "Files in batches on their way.", found.files)
    yield single("delivery_bytes", "Bytes in batches on their way.", found.size_bytes)
    yield single(
        "delivery_confirmed_files", "Files of these batches that are proven to have arrived.", found.confirmed_files
    )
    yield single(
        "delivery_confirmed_bytes", "Bytes of these batches that are proven to have arrived.", found.confirmed_bytes
    )
    yield gauge(
        "delivery_bytes_per_second",
        "How fast a device received at the last measurement; 0 when that is older than ten minutes.",
        ["batch", "device"],
        _rates(conn, datetime.now(UTC)),
    )


def _rates(conn: Connection, moment: datetime) -> Iterator[Sample]:
    for batch in batches.list_by_status(conn, [BatchStatus.SYNCING]):
        for device in sync_samples.devices_of(conn, batch.id):
            newest = sync_samples.newest(conn, batch.id, device, 1)[-1]
            is_recent = moment - datetime.fromisoformat(newest.at) <= RATE_COUNTS_FOR
            yield [batch.name, device], newest.rate or 0 if is_recent else 0
