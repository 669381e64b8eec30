"""Runs executed in this process, as the worker does it, over the real stages."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from app import jobs
from app.db import assets, batch_devices, batches, deliveries, journal, root_waits, runs
from app.db.clock import later
from app.model import AssetStatus, Batch, BatchStatus, Run, RunStatus, Stage, StepStatus, Trigger
from app.pipeline import delivered
from app.pipeline.workflow import execute
from app.services import Services
from tests.conftest import make_jpeg, write_tree

Opener = Callable[..., Services]

OVERRIDE = (1 << 1) | (1 << 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


@contextmanager
def permissions_count() -> Iterator[None]:
    """Root, too, is refused what the mode of a file forbids."""
    libc = ctypes.CDLL(None, use_errno=True)
    header, before = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, before) == 0
    without = (ctypes.c_uint32 * 6)(*before)
    without[0] &= ~OVERRIDE
    assert libc.capset(header, without) == 0
    try:
        yield
    finally:
        assert libc.capset(header, before) == 0


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


def make_folder_due(services: Services) -> None:
    """Every folder that a run waits for is looked for at the next tick."""
    with services.db.transaction() as conn:
        for run in runs.list_by_status(conn, [RunStatus.WAITING]):
            wait = root_waits.find(conn, run.id)
            if wait is not None:
                root_waits.put(conn, run.id, replace(wait, next_look_at=""))


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
