"""The database deleted at random moments of a run: every file is known again, and the run goes on to its end."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app import jobs
from app.model import RunStatus, Trigger
from app.services import Services
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.rebuilding import archived, assert_all_known, census, lose_database, rebuild
from tests.pipeline.running import go, messages, the_batches
from tests.worker.installation import Installation

BATCHES = {"max_files": 14, "selection_mode": "files"}

#: Settings under which a run is cut off; each has another way of leaving files in two places.
VARIATIONS: Mapping[str, Mapping[str, Any]] = {
    "move": {"batch": BATCHES},
    "copy": {"batch": {**BATCHES, "transfer_mode": "copy"}, "sorter": {"transfer_mode": "copy"}},
    "copy out of ingest": {"batch": {**BATCHES, "transfer_mode": "copy"}},
    "to a folder": {"batch": BATCHES, "sync": {"target": "folder"}, "dedup": {"duplicate_policy": "quarantine"}},
    "across mounts": {"batch": BATCHES},
}


def library() -> dict[str | bytes, bytes]:
    """Groups, duplicates, files without content, an undated photo and a name that is no text."""
    tree: dict[str | bytes, bytes] = {}
    for n in range(36):
        taken = f"20{10 + n % 7}:0{1 + n % 9}:{1 + n % 28:02d} 10:00:00"
        tree[f"camera/{n % 5}/IMG_{n:04d}.JPG"] = make_jpeg(taken=taken, seed=n) + os.urandom(9_000)
    for n in range(0, 36, 6):
        tree[f"camera/{n % 5}/IMG_{n:04d}.CR2"] = b"raw %d " % n + os.urandom(5_000)
        tree[f"camera/{n % 5}/IMG_{n:04d}.xmp"] = b"<x:xmpmeta same='everywhere'/>"
    for n in range(0, 36, 5):
        tree[f"phone/copy_{n}.jpg"] = tree[f"camera/{n % 5}/IMG_{n:04d}.JPG"]
    tree |= {"empty.jpg": b"", "other/empty.jpg": b"", "undated.jpg": make_jpeg(seed=99), "notes.txt": b"left alone"}
    tree[b"odd-\xff.jpg"] = make_jpeg(taken="2012:02:03 04:05:06", seed=77)
    return tree


class Moments:
    """Runs that are cut off at random moments, under one of the settings after the other."""

    def __init__(self, base: Path, other_mount: Path, chance: random.Random) -> None:
        self.base, self.other_mount, self.chance = base, other_mount, chance
        self.length = 0
        self.hits: Counter[str] = Counter()

    def settings(self, name: str, base: Path) -> dict[str, Any]:
        changes = {key: dict(value) for key, value in VARIATIONS[name].items()}
        if name == "to a folder":
            changes["sync"]["folder_dir"] = str(base / "delivered")
        if name == "across mounts":
            changes["paths"] = {"sorted_dir": str(self.other_mount / base.name)}
        return changes

    def measure(self, name: str) -> None:
        """How many rows a whole run writes: the clock by which its moments are told."""
        base = self.base / "whole"
        base.mkdir()
        with Installation(base, **self.settings(name, base)) as site:
            write_tree(site.folder("ingest"), library())
            run = jobs.start_workflow(site.services, Trigger.API)
            worker = site.start_worker("--run", str(run.id), wait=False)
            assert worker.wait(120) == 0, site.output()
            self.length = rows_written(site.services)

    def one(self, number: int) -> None:
        """Cut one run off, lose its database, rebuild, and carry the work to its end."""
        name = list(VARIATIONS)[number % len(VARIATIONS)]
        if not self.length:
            self.measure(name)
        base = self.base / f"moment_{number}"
        base.mkdir()
        with Installation(base, **self.settings(name, base)) as site:
            tree = library()
            write_tree(site.folder("ingest"), tree)
            run = jobs.start_workflow(site.services, Trigger.API)
            worker = site.start_worker("--run", str(run.id), wait=False)
            self.cut_off(site, worker, self.chance.randrange(1, self.length))
            running = [step.stage.value for step in site.steps(run.id) if step.ended_at is None]
            self.hits[running[-1] if running else "between steps"] += 1
            config = site.services.config
        lose_database(config)
        before = census(config)
        services, _ = rebuild(config)
        try:
            assert census(config).names == before.names, "a rebuild moves nothing"
            assert_all_known(services)
            jobs.confirm_rebuild(services)
            finish_and_check(services, tree)
        finally:
            services.close()
        shutil.rmtree(base)


    def cut_off(self, site: Installation, worker: subprocess.Popen[bytes], moment: int) -> None:
        """Kill the worker some instants after it has written so many rows."""
        while rows_written(site.services) < moment and worker.poll() is None:
            time.sleep(0.001)
        time.sleep(self.chance.uniform(0, 0.02))
        site.kill(worker)


def rows_written(services: Services) -> int:
    """Moves begun, placed and ended, events, and files read: what grows while a run works."""
    with services.db.reading() as conn:
        return sum(
            int(conn.exec_driver_sql(query).scalar_one())
            for query in (
                "SELECT COUNT(*) FROM moves",
                "SELECT COUNT(*) FROM moves WHERE state NOT IN ('PLANNED', 'PLACED')",
                "SELECT COUNT(*) FROM events",
                "SELECT COUNT(*) FROM assets WHERE digest IS NOT NULL",
                "SELECT COUNT(*) FROM assets WHERE inspected_at IS NOT NULL",
            )
        )


def finish_and_check(services: Services, tree: Mapping[str | bytes, bytes]) -> None:
    """Run the workflow to its end: every content is archived once, and nothing is lost."""
    run = go(services, jobs.start_workflow(services, Trigger.API))
    assert run.status is RunStatus.DONE, run.error
    wanted = {hashlib.sha256(c).hexdigest() for name, c in tree.items() if name != "notes.txt"}
    found = archived(services.config)
    assert set(found) == wanted
    many = hashlib.sha256(b"").hexdigest(), hashlib.sha256(b"<x:xmpmeta same='everywhere'/>").hexdigest()
    assert {digest: n for digest, n in found.items() if n > 1 and digest not in many} == {}
    assert found[many[0]] == 2
    assert {b.status.value for b in the_batches(services)} <= {"SORTED", "CANCELLED"}
    assert messages(services, "asset.failed") == []
    assert_all_known(services)


@pytest.fixture
def other_mount() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(dir="/dev/shm"))
    yield made
    shutil.rmtree(made)


def test_a_few_random_moments(tmp_path: Path, other_mount: Path) -> None:
    day = datetime.now(UTC).date().toordinal()
    moments = Moments(tmp_path, other_mount, random.Random(day))
    for number in range(day, day + 3):
        moments.one(number)


@pytest.mark.torture
@pytest.mark.timeout(3600)
def test_fifty_random_moments(tmp_path: Path, other_mount: Path) -> None:
    moments = Moments(tmp_path, other_mount, random.Random())
    for number in range(50):
        moments.one(number)
    print(f"50 moments, cut off in: {dict(moments.hits)}", flush=True)
    assert {"batch", "sort"} <= set(moments.hits)
