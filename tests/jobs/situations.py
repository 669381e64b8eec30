"""Rows as a worker and its stages would have left them."""

from __future__ import annotations

from typing import Any

from app.db import assets, batches, journal, runs
from app.model import (
    AssetStatus,
    BatchStatus,
    RootKind,
    Run,
    RunStatus,
    Signature,
)
from app.services import Services


def force(services: Services, run: Run, status: RunStatus, **columns: Any) -> Run:
    """Bring a run where a worker would have brought it."""
    with services.db.transaction() as conn:
        run = runs.get(conn, run.id)
        if run.status is RunStatus.QUEUED and status is not RunStatus.RUNNING:
            run = runs.change(conn, run, RunStatus.RUNNING)
        return runs.change(conn, run, status, **columns)


def make_batch(services: Services, *way: BatchStatus, files: int = 1, **columns: Any) -> int:
    with services.db.transaction() as conn:
        batch = batches.reserve(
            conn, naming_pattern="batch_{index:03d}", allow_parallel=True, target="none", transfer_mode="move",
            peer_policy="keep", device_id=None,
        )  # fmt: skip
        batches.set_columns(conn, batch.id, file_count=files, **columns)
        for status in way:
            batch = batches.change(conn, batches.get(conn, batch.id), status)
    return batch.id


def events(services: Services, kind: str) -> list[str]:
    with services.db.reading() as conn:
        return [event.message for event in journal.list_events(conn, kind_prefix=kind)]


def add_failed_asset(services: Services, kind: RootKind, batch_id: int | None = None) -> int:
    root = services.root(kind)
    with services.db.transaction() as conn:
        path = f"{kind.value}-{batch_id}.jpg".encode()
        assets.insert_discovered(conn, root.id, [(path, Signature(1, 2, 3, 4, 5), None)])
        asset = assets.find_at(conn, root.id, path)
        assert asset is not None
        if batch_id is not None:
            assets.mark(conn, [asset], AssetStatus.UNIQUE)
            assets.mark(conn, [assets.get(conn, asset.id)], AssetStatus.BATCHED, batch_id=batch_id)
        assets.mark(conn, [assets.get(conn, asset.id)], AssetStatus.FAILED, reason="It was unreadable.", attempts=3)
    return asset.id
