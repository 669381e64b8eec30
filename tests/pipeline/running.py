"""Runs executed in this process, as the worker does it, over the real stages."""

from __future__ import annotations

import threading
from collections.abc import Callable

from app import jobs
from app.db import assets, batch_devices, batches, deliveries, journal, runs
from app.db.clock import later
from app.model import AssetStatus, Batch, BatchStatus, Run, Stage, StepStatus, Trigger
from app.pipeline import delivered
from app.pipeline.workflow import execute
from app.services import Services
from tests.conftest import make_jpeg, write_tree

Opener = Callable[..., Services]


def fill(services: Services, count: int, first: int = 0) -> None:
    pictures = {
        f"img_{n:04d}.jpg": make_jpeg(taken=f"2024:05:{1 + n % 28:02d} 10:00:00", seed=n)
        for n in range(first, first + count)
    }
    write_tree(services.config.paths.source_dir, pictures)


def go(services: Services, run: Run) -> Run:
    """What the worker does with a run, in this process."""
    execute(services, run.id, threading.Event())
    with services.db.reading() as conn:
        return runs.get(conn, run.id)


def workflow(services: Services) -> Run:
    return go(services, jobs.start_workflow(services, Trigger.API))


def the_batches(services: Services) -> list[Batch]:
    with services.db.reading() as conn:
        return batches.list_recent(conn, 100)[::-1]


def stages_of(services: Services, run: Run) -> list[tuple[Stage, StepStatus]]:
    with services.db.reading() as conn:
        return [(s.stage, s.status) for s in runs.list_steps(conn, run.id)]


def count(services: Services, status: AssetStatus) -> int:
    with services.db.reading() as conn:
        return assets.count(conn, status)


def messages(services: Services, kind: str) -> list[str]:
    with services.db.reading() as conn:
        return [e.message for e in journal.list_events(conn, kind_prefix=kind)][::-1]


def make_due(services: Services, batch_id: int) -> None:
    with services.db.transaction() as conn:
        batches.set_columns(conn, batch_id, next_look_at=later(-1))


def deliver(services: Services, batch_id: int) -> None:
    """The peer has every file: what a look writes when it has seen the proof."""
    with services.db.transaction() as conn:
        batch = batches.get(conn, batch_id)
        if batch.status is BatchStatus.PENDING:
            batch = batches.change(conn, batch, BatchStatus.SYNCING)
        if batch.target == "syncthing":
            there = assets.list_in_batch(conn, batch.id, AssetStatus.BATCHED)
            if not batch_devices.list_of(conn, batch.id):
                batch_devices.add(conn, batch.id, ["the-peer"])
            for device in batch_devices.list_of(conn, batch.id):
                deliveries.confirm(conn, batch.id, device.device_id, [(asset.id, None) for asset in there])
    delivered.finish(services, batch, None, "Every file is there.")
