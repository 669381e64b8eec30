"""The whole job with two real Syncthings: 300 files in three batches arrive, proven, archived, none missing."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import jobs
from app.db import assets, batches, deliveries, runs
from app.model import AssetStatus, BatchStatus, Run, RunStatus, Trigger
from app.pipeline.tick import look_at_deliveries, wake_waiting
from app.pipeline.workflow import execute
from app.services import Services
from tests.conftest import make_jpeg, read_tree, write_tree
from tests.syncthing.pair import FOLDER, Pair, make_pair
from tests.syncthing.staging import services_for

pytestmark = pytest.mark.syncthing

FILE_COUNT, BATCH_COUNT = 300, 3


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    made = make_pair(tmp_path / "pair")
    yield made
    made.stop()


@pytest.fixture
def services(pair: Pair) -> Iterator[Services]:
    opened = services_for(
        pair, batch={"selection_mode": "files", "max_files": FILE_COUNT // BATCH_COUNT}, scan={"settle_seconds": 0}
    )
    yield opened
    opened.close()


def census(tree: dict[str, bytes]) -> Counter[str]:
    """Which content is there how often, our own lists of a batch left out."""
    own = ("manifest.json", "SHA256SUMS")
    return Counter(hashlib.sha256(c).hexdigest() for path, c in tree.items() if not path.endswith((*own, "/")))


def finish(services: Services, run: Run, seconds: float = 240) -> Run:
    """What the worker does: execute, tick, wake, until the run has ended."""
    end = time.monotonic() + seconds
    while True:
        execute(services, run.id, threading.Event())
        look_at_deliveries(services)
        wake_waiting(services)
        with services.db.reading() as conn:
            run = runs.get(conn, run.id)
            states = [(b.name, b.status.value, b.sync_detail) for b in batches.list_recent(conn, 5)]
        if run.status in (RunStatus.DONE, RunStatus.FAILED):
            return run
        assert time.monotonic() < end, states
        time.sleep(0.2)


def test_three_hundred_files_arrive_proven_and_are_archived(pair: Pair, services: Services) -> None:
    pictures = {
        f"{n % 7}/IMG_{n:04d}.jpg": make_jpeg(taken=f"2023:{1 + n % 12:02d}:{1 + n % 28:02d} 10:00:00", seed=n)
        for n in range(FILE_COUNT)
    }
    write_tree(services.config.paths.source_dir, pictures)

    run = finish(services, jobs.start_workflow(services, Trigger.API))

    assert (run.status, run.error) == (RunStatus.DONE, None)
    with services.db.reading() as conn:
        made = batches.list_recent(conn, 10)
        assert [b.status for b in made] == [BatchStatus.SORTED] * BATCH_COUNT
        for batch in made:
            proven = deliveries.confirmed_ids(conn, batch.id, pair.peer.device_id)
            members = assets.list_in_batch(conn, batch.id)
            assert {a.id for a in members} == proven and len(proven) == FILE_COUNT // BATCH_COUNT
        assert assets.count(conn, AssetStatus.ARCHIVED) == FILE_COUNT
    wanted = census(pictures)
    assert census(read_tree(services.config.paths.sorted_dir)) == wanted
    pair.ours.scan()
    assert census(read_tree(pair.peer.folder)) == wanted
    assert census(read_tree(services.config.paths.source_dir)) == Counter()
    assert not any(path.endswith(".jpg") for path in read_tree(pair.ours.folder))
    known = pair.ours.rest("GET", "db/completion", params={"folder": FOLDER, "device": pair.peer.device_id})
    assert known["needItems"] == 0
