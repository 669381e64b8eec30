"""The worker as a process: starting, stopping, one at a time, and never losing a run."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial

from dramatiq import Message

from app import jobs
from app.db import facts, runs
from app.errors import RunInProgress
from app.jobs.wake import EXECUTE_RUN, RUN_QUEUE, broker_for
from app.model import AssetStatus, BatchStatus, RunKind, RunStatus, Stage, StepStatus, Trigger
from app.services import Services
from tests.conftest import write_tree
from tests.worker.installation import Installation
from worker.service import START_AGAIN

Install = Callable[..., Installation]


def test_a_tree_goes_in_and_a_dated_archive_comes_out(install: Install) -> None:
    site = install(batch={"max_files": 5, "selection_mode": "files"})
    site.fill_ingest(12, duplicates=3)
    before = site.census()
    worker = site.start_worker()
    run = site.ended(jobs.start_workflow(site.services, Trigger.API).id)
    assert (run.status, run.error) == (RunStatus.DONE, None)
    assert site.counts() == {AssetStatus.ARCHIVED: 12, AssetStatus.DUPLICATE: 3}
    assert [b.status for b in site.batches()] == [BatchStatus.SORTED] * 3
    assert site.census() == before
    assert site.terminate(worker) == 0
    archived = [path for path in site.folder("archive").rglob("*.jpg") if ".media-pipeline" not in path.parts]
    assert len(archived) == 12
    assert all(len(path.relative_to(site.folder("archive")).parts) == 4 for path in archived)


def test_every_step_of_a_run_is_a_row_with_its_report(install: Install) -> None:
    site = install()
    site.fill_ingest(4)
    site.start_worker()
    run = site.ended(jobs.start_workflow(site.services, Trigger.API).id)
    steps = site.steps(run.id)
    assert [s.stage for s in steps] == [
        Stage.SCAN, Stage.DEDUP, Stage.INSPECT, Stage.BATCH, Stage.SYNC, Stage.SORT, Stage.CLEANUP,
        Stage.INSPECT, Stage.BATCH,
    ]  # fmt: skip
    assert {s.status for s in steps} <= {StepStatus.DONE, StepStatus.SKIPPED}
    assert all(s.ended_at and s.report["message"] for s in steps)
    assert [e.kind for e in site.events("run.")][::-1] == ["run.requested", "run.started", "run.finished"]


def test_a_second_worker_refuses_to_start_and_says_why(install: Install) -> None:
    site = install()
    site.start_worker()
    second = site.start_worker(wait=False)
    assert second.wait(20) == 2
    assert "A worker is running already" in site.output()


def test_a_run_in_the_foreground_is_refused_while_a_worker_is_running(install: Install) -> None:
    site = install()
    site.start_worker()
    assert site.start_worker("--run", "1", wait=False).wait(20) == 2


def test_one_run_is_executed_in_the_foreground_when_no_worker_is_running(install: Install) -> None:
    site = install()
    site.fill_ingest(3)
    run = jobs.start_workflow(site.services, Trigger.CLI)
    assert site.start_worker("--run", str(run.id), wait=False).wait(60) == 0
    assert site.run(run.id).status is RunStatus.DONE
    assert site.counts() == {AssetStatus.ARCHIVED: 3}


def test_a_run_that_cannot_go_on_in_the_foreground_ends_with_1_and_an_unknown_one_with_2(install: Install) -> None:
    site = install()
    site.folder("ingest").rename(site.base / "unmounted")
    run = jobs.start_workflow(site.services, Trigger.CLI)
    assert site.start_worker("--run", str(run.id), wait=False).wait(60) == 1
    assert site.start_worker("--run", "77", wait=False).wait(60) == 2
    assert "There is no run 77" in site.output()


def test_a_run_waits_for_a_share_that_is_not_mounted_and_goes_on_when_it_is_back(install: Install) -> None:
    site = install()
    site.fill_ingest(3)
    site.folder("ingest").rename(site.base / "unmounted")
    worker = site.start_worker()
    run = jobs.start_workflow(site.services, Trigger.API)
    site.until(lambda: site.run(run.id).status is RunStatus.WAITING, "the run waits")
    assert str(site.folder("ingest")) in site.steps(run.id)[-1].report["message"]
    assert worker.poll() is None
    (site.base / "unmounted").rename(site.folder("ingest"))
    assert site.ended(run.id).status is RunStatus.DONE
    assert site.counts() == {AssetStatus.ARCHIVED: 3}


def test_a_queued_run_whose_message_was_lost_is_taken_up(install: Install) -> None:
    site = install()
    site.start_worker()
    with site.services.db.transaction() as conn:
        run = runs.insert_queued(conn, RunKind.STAGE, Trigger.API, [Stage.CLEANUP])
    assert site.ended(run.id).status is RunStatus.DONE


def test_the_worker_counts_as_alive_until_it_stops_or_is_killed(install: Install) -> None:
    site = install()
    worker = site.start_worker()
    assert jobs.worker_alive(site.services)
    site.kill(worker)
    assert not jobs.worker_alive(site.services)
    worker = site.start_worker()
    assert site.terminate(worker) == 0
    assert not jobs.worker_alive(site.services)
    assert not site.heartbeat()


def test_messages_that_come_one_to_five_times_in_any_order_have_one_effect_each(install: Install) -> None:
    site = install()
    site.start_worker()
    chance = random.Random(2)
    requested: list[int] = []
    for _ in range(8):
        run = jobs.start_cleanup(site.services, Trigger.API)
        requested.append(run.id)
        copies = [run_id for run_id in requested for _ in range(chance.randint(1, 5))]
        chance.shuffle(copies)
        for run_id in copies:
            send_message(site, run_id)
        assert site.ended(run.id).status is RunStatus.DONE
    site.until(lambda: waiting_messages(site) == 0, "the queue is empty")
    for run_id in requested:
        assert len(site.steps(run_id)) == 1
        kinds = Counter(event.kind for event in site.events("run.", run_id=run_id))
        assert kinds == {"run.requested": 1, "run.started": 1, "run.finished": 1}


def test_sigterm_in_the_middle_of_a_run_leaves_it_queued_and_the_next_worker_ends_it(install: Install) -> None:
    site = install()
    site.fill_ingest(150, size=400_000)
    before = site.census()
    worker = site.start_worker()
    run = jobs.start_workflow(site.services, Trigger.API)
    site.until(lambda: any(s.progress_done for s in site.steps(run.id)), "the run has begun to work")
    assert site.terminate(worker) == 0
    left = site.run(run.id)
    if left.status is RunStatus.QUEUED:
        assert [e.kind for e in site.events("run.interrupted", run_id=run.id)] == ["run.interrupted"]
    assert site.census() == before
    site.start_worker()
    assert site.ended(run.id).status is RunStatus.DONE
    assert (site.counts(), site.census()) == ({AssetStatus.ARCHIVED: 150}, before)


def test_a_worker_that_comes_back_after_a_kill_says_what_was_cut_off_and_one_that_was_stopped_says_nothing(
    install: Install,
) -> None:
    site = install()
    site.fill_ingest(150, size=400_000)
    worker = site.start_worker()
    run = jobs.start_workflow(site.services, Trigger.API)
    site.until(partial(has_reached, site, run.id, Stage.BATCH), "files are on their way into the batch")
    worker.kill()
    worker.wait(30)
    left = site.run(run.id).status
    worker = site.start_worker()
    (told,) = site.events("worker.cut_off")
    assert left is RunStatus.RUNNING and told.detail["runs"] == [run.id] == [told.run_id]
    assert f"Run {run.id} was cut off in " in told.message and "last seen 20" in told.message
    assert "is taken up again" in told.message and site.ended(run.id).status is RunStatus.DONE
    assert site.terminate(worker) == 0
    site.start_worker()
    assert len(site.events("worker.cut_off")) == 1


def test_jobs_queued_delayed_and_running_all_end_done_once_after_sigterm_and_sigkill(install: Install) -> None:
    site = install(batch={"max_files": 40, "selection_mode": "files"})
    site.fill_ingest(120)
    before = site.census()
    run = jobs.start_workflow(site.services, Trigger.API)
    for delay in (None, None, 500, 1_500):
        send_message(site, run.id, delay)
    for number, moment in [(signal.SIGKILL, Stage.DEDUP), (signal.SIGTERM, Stage.BATCH), (signal.SIGKILL, Stage.SORT)]:
        worker = site.start_worker()
        site.until(partial(has_reached, site, run.id, moment), f"{moment} begins")
        worker.send_signal(number)
        worker.wait(30)
    site.start_worker()
    assert site.ended(run.id).status is RunStatus.DONE
    site.until(lambda: waiting_messages(site) == 0, "the queue is empty")
    assert (site.counts(), site.census()) == ({AssetStatus.ARCHIVED: 120}, before)
    kinds = Counter(event.kind for event in site.events(run_id=run.id))
    assert (kinds["run.started"], kinds["run.finished"], kinds["batch.sorted"]) == (1, 1, 3)
    assert site.leftovers() == []


def test_saving_the_configuration_while_a_run_works_changes_the_next_run_only(install: Install) -> None:
    site = install(batch={"max_files": 10, "selection_mode": "files"})
    site.fill_ingest(60)
    site.start_worker()
    run = jobs.start_workflow(site.services, Trigger.API)
    site.until(lambda: site.run(run.id).status is RunStatus.RUNNING, "the run begins")
    started_beside = 0
    while site.run(run.id).status is RunStatus.RUNNING:
        site.write_config(batch={"max_files": 7, "selection_mode": "files"}, dedup={"threads": 1 + started_beside % 2})
        with suppress(RunInProgress):
            jobs.start_cleanup(site.services, Trigger.CONTROL)
            started_beside += 1
            break
    assert site.ended(run.id).status is RunStatus.DONE
    assert {b.file_count for b in site.batches()} == {10}
    site.until(lambda: runs_in_flight(site) is None, "what was started afterwards ends")
    write_tree(site.folder("ingest"), {f"new_{n}.jpg": site.picture(1_000 + n) for n in range(14)})
    site.ended(jobs.start_workflow(site.services, Trigger.API).id)
    assert [b.file_count for b in site.batches()[-2:]] == [7, 7]


def test_a_worker_whose_database_was_moved_ends_so_that_it_is_started_again_there(install: Install) -> None:
    site = install()
    worker = site.start_worker()
    moved = site.base / "elsewhere" / "db.sqlite"
    moved.parent.mkdir()
    with closing(sqlite3.connect(site.services.db.path)) as source, closing(sqlite3.connect(moved)) as target:
        source.backup(target)
    site.write_config(system={"db_path": str(moved), "log_dir": str(site.base / "state" / "logs")})
    assert worker.wait(20) == START_AGAIN
    assert not site.is_locked()


def test_the_write_ahead_log_is_shortened(services: Services) -> None:
    for number in range(200):
        with services.db.transaction() as conn:
            facts.put(conn, f"fact {number}", "x" * 10_000)
    log_path = f"{services.db.path}-wal"
    before = os.path.getsize(log_path)
    services.db.checkpoint()
    assert (before > 1_000_000, os.path.getsize(log_path)) == (True, 0)


def test_a_run_at_work_is_paused_resumed_and_cancelled(install: Install) -> None:
    site = install(batch={"max_files": 50, "selection_mode": "files"})
    site.fill_ingest(300)
    before = site.census()
    site.start_worker()
    run = jobs.start_workflow(site.services, Trigger.API)
    site.until(lambda: site.run(run.id).status is RunStatus.RUNNING, "the run begins")
    jobs.pause(site.services, run.id)
    site.until(lambda: site.run(run.id).status is RunStatus.PAUSED, "the run pauses")
    jobs.resume(site.services, run.id)
    site.until(lambda: site.run(run.id).status is RunStatus.RUNNING, "the run goes on")
    jobs.cancel(site.services, run.id)
    assert site.ended(run.id).status is RunStatus.CANCELLED
    assert site.ended(jobs.start_workflow(site.services, Trigger.API).id).status is RunStatus.DONE
    assert (site.counts(), site.census()) == ({AssetStatus.ARCHIVED: 300}, before)


def runs_in_flight(site: Installation) -> int | None:
    with site.services.db.reading() as conn:
        run = runs.find_in_flight(conn)
    return run.id if run else None


def has_reached(site: Installation, run_id: int, stage: Stage) -> bool:
    ended = site.run(run_id).status is RunStatus.DONE
    return ended or any(step.stage is stage for step in site.steps(run_id))


def send_message(site: Installation, run_id: int, delay: int | None = None) -> None:
    message: Message[None] = Message(
        queue_name=RUN_QUEUE, actor_name=EXECUTE_RUN, args=(run_id,), kwargs={}, options={}
    )
    broker_for(site.services.state_dir).enqueue(message, delay=delay)


def waiting_messages(site: Installation) -> int:
    return broker_for(site.services.state_dir).count_waiting(RUN_QUEUE)
