"""The whole job over a real pair: runs as the worker executes them, and looks as its tick takes them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from zlib import crc32

from app import jobs
from app.db import batches, journal, runs
from app.db.clock import later
from app.model import Batch, BatchStatus, Event, RunStatus, Trigger
from app.pipeline import tick
from app.pipeline.workflow import execute
from app.services import Services
from tests.conftest import make_jpeg, read_tree, write_tree
from tests.syncthing.pair import Pair


def pictures(prefix: str, count: int, first: int = 0) -> dict[str, bytes]:
    """Photos of different days, by name."""
    return {
        f"{prefix}_{n:02d}.jpg": make_jpeg(
            taken=f"2023:{1 + n // 28:02d}:{1 + n % 28:02d} 10:00:00", seed=crc32(prefix.encode()) % 9999 + n
        )
        for n in range(first, first + count)
    }


def ingest(services: Services, files: Mapping[str, bytes]) -> None:
    """New files, as a camera brings them."""
    write_tree(services.config.paths.source_dir, files)


def archived(services: Services) -> set[bytes]:
    """Every content that lies in the archive."""
    return set(read_tree(services.config.paths.sorted_dir).values())


def start(services: Services) -> int:
    """Ask for the whole workflow, and take the run as far as it goes at once; returns its id."""
    run = jobs.start_workflow(services, Trigger.API)
    execute(services, run.id, threading.Event())
    return run.id


def tick_once(services: Services) -> None:
    """What the worker does now and then: look at what is due, and carry on what need not wait any more."""
    tick.look_at_deliveries(services)
    for run_id in tick.wake_waiting(services):
        execute(services, run_id, threading.Event())


def drive(services: Services, condition: Callable[[], bool], what: str, seconds: float = 120) -> None:
    """Tick until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s in vain: {what}; {last_words(services)}"
        tick_once(services)
        time.sleep(0.1)


def look_now(services: Services) -> None:
    """One tick that looks at every open batch, due or not."""
    with services.db.transaction() as conn:
        for batch in batches.list_by_status(conn, [BatchStatus.SYNCING, BatchStatus.SYNCED]):
            if batch.next_look_at is not None and batch.peer_policy == "release":
                batches.set_columns(conn, batch.id, next_look_at=later(-1))
    tick_once(services)


def newest(services: Services) -> Batch:
    """The batch that was made last."""
    with services.db.reading() as conn:
        return batches.list_recent(conn, 1)[0]


def is_now(services: Services, status: BatchStatus) -> Callable[[], bool]:
    """Whether the newest batch has this status."""
    return lambda: newest(services).status is status


def run_is(services: Services, run_id: int, status: RunStatus) -> bool:
    """Whether a run stands so."""
    with services.db.reading() as conn:
        return runs.get(conn, run_id).status is status


def events_of(services: Services, kind: str, batch: Batch | None = None) -> list[Event]:
    """The events of this kind, the oldest first."""
    with services.db.reading() as conn:
        found = journal.list_events(conn, kind_prefix=kind, batch_id=batch.id if batch else None, limit=1000)
    return [event for event in reversed(found) if event.kind == kind]


def last_words(services: Services) -> str:
    """What the newest events say, for a test that failed."""
    with services.db.reading() as conn:
        return " | ".join(event.message for event in journal.list_events(conn, limit=8))


def peer_photos(pair: Pair, batch: Batch) -> dict[str, Path]:
    """The photos of a batch on the peer's disk, by path in the batch."""
    folder = pair.peer.folder / batch.name
    return {str(p.relative_to(folder)): p for p in sorted(folder.rglob("*.jpg"))}


def delete_at_peer(pair: Pair, paths: list[Path]) -> None:
    """What a person does who frees the room of a phone."""
    for path in paths:
        path.unlink()
    pair.peer.scan()
