"""SIGKILL of the worker at any moment: nothing is lost or made twice, and every run ends."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from app import jobs
from app.db import runs
from app.model import AssetStatus, BatchStatus, Run, RunStatus, Stage, StepStatus, Trigger
from tests.worker.installation import Installation
from worker.recover import MAX_ATTEMPTS

Install = Callable[..., Installation]

FILES = 500
BATCHES_OF_100 = {"max_files": 100, "selection_mode": "files"}
#: After so many kills a run is let through, and the next round begins with a fresh library.
KILLS_A_ROUND = 15


def seconds_of_a_whole_run(base: Path) -> float:
    """How long a worker takes here and now from its start to the end of a run over 500 files."""
    with Installation(base, batch=BATCHES_OF_100) as site:
        site.fill_ingest(FILES)
        run = jobs.start_workflow(site.services, Trigger.API)
        began = time.monotonic()
        worker = site.start_worker()
        assert site.ended(run.id, 240).status is RunStatus.DONE
        seconds = time.monotonic() - began
        assert site.terminate(worker) == 0
    return seconds


def kill_at_random_moments(
    site: Installation, run: Run, chance: random.Random, kills: int, whole_seconds: float
) -> Counter[str]:
    """Start the worker and kill it, up to `kills` times; counts those before the run's end, by the step hit."""
    hits: Counter[str] = Counter()
    for _ in range(kills):
        worker = site.start_worker(wait=False)
        try:
            worker.wait(chance.uniform(0.2, 0.9) * whole_seconds)
        except subprocess.TimeoutExpired:
            site.kill(worker)
        if site.run(run.id).status is RunStatus.DONE:
            break
        hits[stage_at_work(site, run)] += 1
    return hits


def stage_at_work(site: Installation, run: Run) -> str:
    """The stage that the run was in when its worker was killed."""
    at_work = [step.stage.value for step in site.steps(run.id) if step.status is StepStatus.RUNNING]
    return at_work[-1] if at_work else "between steps"


def a_round(base: Path, chance: random.Random, kills: int, whole_seconds: float) -> Counter[str]:
    """One library of 500 files, one run over it, several kills; returns where they hit."""
    with Installation(base, batch=BATCHES_OF_100) as site:
        site.fill_ingest(FILES)
        before = site.census()
        run = jobs.start_workflow(site.services, Trigger.API)
        hits = kill_at_random_moments(site, run, chance, kills, whole_seconds)
        worker = site.start_worker()
        assert site.ended(run.id, 240).status is RunStatus.DONE, site.run(run.id).error
        assert site.terminate(worker) == 0
        assert_whole(site, before)
    return hits


def assert_whole(site: Installation, before: Counter[str]) -> None:
    """Every content is there as often as before; every row says where; nothing half-done is left."""
    assert site.census() == before
    assert site.counts() == {AssetStatus.ARCHIVED: FILES}
    assert {b.status for b in site.batches()} == {BatchStatus.SORTED}
    assert sum(b.file_count for b in site.batches()) == FILES
    assert (site.leftovers(), site.open_moves()) == ([], 0)
    assert [e.message for e in site.events("move.quarantined")] == []


def kill_in_rounds(base: Path, kills: int) -> None:
    """Rounds with fresh libraries until so many kills have hit a run at work."""
    whole_seconds = seconds_of_a_whole_run(_made(base / "whole"))
    chance = random.Random(kills)
    hits: Counter[str] = Counter()
    rounds = 0
    while hits.total() < kills:
        rounds += 1
        round_kills = min(KILLS_A_ROUND, kills - hits.total())
        hits += a_round(_made(base / f"round_{rounds}"), chance, round_kills, whole_seconds)
        print(f"{hits.total()} kills in {rounds} runs over {FILES} files: {dict(hits)}", flush=True)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_a_few_kills_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    kill_in_rounds(tmp_path, 12)


@pytest.mark.torture
@pytest.mark.timeout(7200)
def test_two_hundred_kills_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    kill_in_rounds(tmp_path, 200)


def kill_when(site: Installation, moment: Callable[[], bool], what: str) -> Run:
    """Start the workflow and kill the worker at that moment; returns the run."""
    worker = site.start_worker()
    run = jobs.start_workflow(site.services, Trigger.API)
    site.until(moment, what)
    site.kill(worker)
    return run


def test_a_kill_while_a_batch_is_built_leaves_no_file_without_its_batch(install: Install) -> None:
    site = install()
    site.fill_ingest(FILES)
    before = site.census()
    staging = site.folder(".mp-staging")
    run = kill_when(site, lambda: any(staging.rglob("*.jpg")), "the first file is staged")
    assert [b.published_at for b in site.batches()] == [None]
    site.start_worker()
    assert site.ended(run.id).status is RunStatus.DONE
    assert_whole(site, before)
    assert [b.name for b in site.batches()] == ["batch_001"]


def test_a_kill_while_a_batch_is_sorted_leaves_no_file_behind_and_none_is_skipped(install: Install) -> None:
    site = install()
    site.fill_ingest(FILES)
    before = site.census()
    archive = site.folder("archive")
    moved = lambda: any(p for p in archive.glob("2*/**/*.jpg"))  # noqa: E731
    run = kill_when(site, moved, "the first file is archived")
    assert [b.status for b in site.batches()] == [BatchStatus.SORTING]
    site.start_worker()
    assert site.ended(run.id).status is RunStatus.DONE
    assert_whole(site, before)


def test_the_readers_of_a_killed_worker_die_with_it(install: Install) -> None:
    site = install()
    site.fill_ingest(40, size=8_000_000)
    worker = site.start_worker()
    jobs.start_dedup(site.services, Trigger.API)
    site.until(lambda: children_of(worker.pid), "files are read")
    site.kill(worker)
    site.until(lambda: not children_of(worker.pid), "its children are gone", 5)


def children_of(pid: int) -> list[str]:
    """Command lines of the readers that name this process as their parent."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            line = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0") if entry.isdigit() else []
        except OSError:
            continue
        if str(pid).encode() in line and any(part.startswith(b"app.files.") for part in line):
            found.append(b" ".join(line).decode())
    return found


def test_a_run_that_is_cut_off_again_and_again_in_one_step_is_given_up_with_words(install: Install) -> None:
    site = install()
    run = jobs.start_stage(site.services, Stage.CLEANUP, Trigger.API)
    with site.services.db.transaction() as conn:
        runs.change(conn, run, RunStatus.RUNNING, attempts=MAX_ATTEMPTS - 1)
    site.start_worker()
    ended = site.ended(run.id)
    assert ended.status is RunStatus.FAILED
    assert "cut off 10 times in a row" in (ended.error or "")
