"""Rows that make every part of the dashboard show something."""

from __future__ import annotations

from dataclasses import replace

from app.db import assets, batches, facts, runs
from app.db.clock import now
from app.model import (
    WORKFLOW_STAGES,
    AssetStatus,
    BatchStatus,
    Report,
    RootKind,
    Run,
    RunKind,
    RunStatus,
    Signature,
    Stage,
    StepStatus,
    Trigger,
)
from app.services import Services

#: How many files of each status there are, and each one's size.
FILES = {
    AssetStatus.DUPLICATE: 212,
    AssetStatus.SET_ASIDE: 3,
    AssetStatus.UNIQUE: 1400,
    AssetStatus.BATCHED: 640,
    AssetStatus.ARCHIVED: 5200,
    AssetStatus.FAILED: 2,
}
SIZE_BYTES = 3_456_789


def fill(services: Services) -> None:
    """Assets of many statuses, five batches, a finished run, and a worker that has just given a sign of life."""
    root = services.root(RootKind.INGEST)
    with services.db.transaction() as conn:
        facts.put(conn, "worker_heartbeat_at", now())
        first = 0
        for status, count in FILES.items():
            names = range(first, first + count)
            assets.insert_discovered(
                conn, root.id, [(b"%06d.jpg" % n, Signature(1, n + 1, SIZE_BYTES, 1, 1), None) for n in names]
            )
            first += count
            found = assets.list_by_status(conn, AssetStatus.DISCOVERED, limit=count)
            for step in _way(status):
                assets.mark(conn, found, step)
                found = [replace(asset, status=step) for asset in found]
        for _ in range(3):
            _sorted_batch(services, conn)


def _way(status: AssetStatus) -> list[AssetStatus]:
    ways = {
        AssetStatus.BATCHED: [AssetStatus.UNIQUE, AssetStatus.BATCHED],
        AssetStatus.ARCHIVED: [AssetStatus.UNIQUE, AssetStatus.BATCHED, AssetStatus.DELIVERED, AssetStatus.ARCHIVED],
    }
    return ways.get(status, [status])


def _sorted_batch(services: Services, conn) -> None:  # type: ignore[no-untyped-def]
    batch = reserve(conn)
    batches.set_columns(conn, batch.id, file_count=640, size_bytes=640 * SIZE_BYTES)
    batch = batches.get(conn, batch.id)
    for status in (BatchStatus.SYNCING, BatchStatus.SYNCED, BatchStatus.SORTING, BatchStatus.SORTED):
        batch = batches.change(conn, batch, status)


def reserve(conn):  # type: ignore[no-untyped-def]
    """A new PENDING batch."""
    return batches.reserve(
        conn,
        naming_pattern="batch_{index:03d}",
        allow_parallel=True,
        target="syncthing",
        transfer_mode="move",
        peer_policy="keep",
        device_id=None,
    )


def add_syncing_batch(services: Services, confirmed: int = 250) -> int:
    """A batch whose delivery is going on; returns its id."""
    with services.db.transaction() as conn:
        batch = batches.change(conn, reserve(conn), BatchStatus.SYNCING)
        batches.set_columns(
            conn,
            batch.id,
            file_count=640,
            size_bytes=640 * SIZE_BYTES,
            confirmed_count=confirmed,
            confirmed_bytes=confirmed * SIZE_BYTES,
            sync_detail="phone is connected; 390 files to go",
        )
    return int(batch.id)


def start_run(services: Services) -> tuple[Run, int]:
    """A running run with one finished and one running step; returns it and the running step's id."""
    with services.db.transaction() as conn:
        run = runs.insert_queued(conn, RunKind.WORKFLOW, Trigger.API, WORKFLOW_STAGES)
        run = runs.change(conn, run, RunStatus.RUNNING)
        step = runs.start_step(conn, run.id, Stage.SCAN, None)
        runs.end_step(conn, step, StepStatus.DONE, Report(message="1,400 new files, 3 left in place.", done=1400))
        step = runs.start_step(conn, run.id, Stage.DEDUP, None)
        runs.progress(conn, step, 320, 1400, 320 * SIZE_BYTES)
    return run, step
