"""The workflow with its real stages, in this process: order, waiting, pausing, failing, and going on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import jobs
from app.db import assets, batches, journal, runs
from app.db.clock import later
from app.model import AssetStatus, Batch, BatchStatus, Report, Run, RunStatus, Stage, StepStatus, Trigger
from app.pipeline import delivered
from app.pipeline.execution import DEBUG, Execution
from app.pipeline.step import StepContext, Stopped
from app.pipeline.tick import advance_debug_pause, look_at_deliveries, wake_waiting
from app.pipeline.workflow import STAGES, execute
from app.services import Services
from tests.conftest import make_jpeg, read_tree, write_tree

Opener = Callable[..., Services]

#: An address where nothing listens.
NOWHERE = "http://127.0.0.1:9"
PEER = "AAAAAAA-BBBBBBB-CCCCCCC-DDDDDDD-EEEEEEE-FFFFFFF-GGGGGGG-HHHHHHH"
SYNCTHING = {
    "sync": {"target": "syncthing"},
    "syncthing": {"api_url": NOWHERE, "api_key": "key", "folder_id": "photos", "device_id": PEER,
                  "rescan_delay_sec": 0, "poll_interval_sec": 1},
}  # fmt: skip


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
    delivered.finish(services, batch, None, "Every file is there.")


def test_a_workflow_goes_on_until_there_is_nothing_left_to_batch(open_test_services: Opener) -> None:
    services = open_test_services(batch={"max_files": 4, "selection_mode": "files"})
    fill(services, 10)
    run = workflow(services)
    assert run.status is RunStatus.DONE
    assert [(b.status, b.file_count) for b in the_batches(services)] == [
        (BatchStatus.SORTED, 4), (BatchStatus.SORTED, 4), (BatchStatus.SORTED, 2)
    ]  # fmt: skip
    assert count(services, AssetStatus.ARCHIVED) == 10
    ran = [stage for stage, _status in stages_of(services, run)]
    assert (ran.count(Stage.SCAN), ran.count(Stage.DEDUP), ran.count(Stage.SORT)) == (1, 1, 3)


def test_a_workflow_delivers_to_a_folder_and_archives(open_test_services: Opener, tmp_path: Path) -> None:
    disk = tmp_path / "usb-disk"
    services = open_test_services(sync={"target": "folder", "folder_dir": str(disk)})
    fill(services, 5)
    tree = read_tree(services.config.paths.source_dir)
    assert workflow(services).status is RunStatus.DONE
    delivered_files = {p.name: p.read_bytes() for p in disk.rglob("*.jpg")}
    archived = {p.name: p.read_bytes() for p in Path(services.config.paths.sorted_dir).rglob("*.jpg")}
    assert (delivered_files, archived) == (tree, tree)
    assert read_tree(services.config.paths.source_dir) == {}


def test_a_workflow_over_an_empty_ingest_folder_is_done_and_leaves_no_batch(services: Services) -> None:
    run = workflow(services)
    assert (run.status, run.error, the_batches(services)) == (RunStatus.DONE, None, [])


def test_a_created_batch_without_files_leaves_no_row(services: Services) -> None:
    _batch, run = jobs.create_batch(services, Trigger.API)
    run = go(services, run)
    assert (run.status, run.batch_id, the_batches(services)) == (RunStatus.DONE, None, [])


def test_stages_asked_for_one_at_a_time_do_the_whole_job(services: Services) -> None:
    fill(services, 3)
    assert go(services, jobs.start_dedup(services, Trigger.API)).status is RunStatus.DONE
    batch, run = jobs.create_batch(services, Trigger.API)
    assert go(services, run).status is RunStatus.DONE
    assert go(services, jobs.start_sync(services, batch.id, Trigger.API)).status is RunStatus.DONE
    assert go(services, jobs.start_sort(services, batch.id, Trigger.API)).status is RunStatus.DONE
    assert go(services, jobs.start_cleanup(services, Trigger.API)).status is RunStatus.DONE
    assert count(services, AssetStatus.ARCHIVED) == 3


def test_a_run_that_is_executed_twice_has_one_effect(services: Services) -> None:
    fill(services, 3)
    run = workflow(services)
    steps = stages_of(services, run)
    go(services, run)
    assert stages_of(services, run) == steps


def test_an_outage_of_syncthing_at_the_start_leaves_the_batch_ready_to_be_tried_again(
    open_test_services: Opener,
) -> None:
    services = open_test_services(**SYNCTHING)
    fill(services, 3)
    run = workflow(services)
    batch = the_batches(services)[0]
    assert (run.status, run.batch_id, batch.status) == (RunStatus.WAITING, batch.id, BatchStatus.PENDING)
    assert "does not answer" in (batch.sync_detail or "")
    again = go(services, jobs.start_sync(services, batch.id, Trigger.API))
    assert again.status is RunStatus.WAITING
    assert the_batches(services)[0].status is BatchStatus.PENDING


def test_a_delivery_may_take_any_number_of_looks_and_then_goes_on_to_sorting(open_test_services: Opener) -> None:
    services = open_test_services(**SYNCTHING)
    fill(services, 3)
    run = workflow(services)
    batch_id = the_batches(services)[0].id
    for _ in range(120):
        make_due(services, batch_id)
        look_at_deliveries(services)
        assert wake_waiting(services) == []
    assert the_batches(services)[0].status in (BatchStatus.PENDING, BatchStatus.SYNCING)
    deliver(services, batch_id)
    assert wake_waiting(services) == [run.id]
    run = go(services, run)
    assert stages_of(services, run)[-1][0] is Stage.SORT
    assert [stage for stage, _ in stages_of(services, run)].count(Stage.SCAN) == 1


def test_a_batch_that_cannot_be_kept_at_the_peer_is_not_sorted_and_waits(open_test_services: Opener) -> None:
    services = open_test_services(**SYNCTHING)
    fill(services, 3)
    run = workflow(services)
    batch = the_batches(services)[0]
    deliver(services, batch.id)
    assert wake_waiting(services) == [run.id]
    run = go(services, run)
    assert (run.status, stages_of(services, run)[-1]) == (RunStatus.WAITING, (Stage.SORT, StepStatus.WAITING))
    assert (count(services, AssetStatus.DELIVERED), the_batches(services)[0].status) == (3, BatchStatus.SYNCED)
    assert wake_waiting(services) == []
    make_due(services, batch.id)
    assert wake_waiting(services) == [run.id]
    assert go(services, jobs.cancel(services, run.id)).status is RunStatus.CANCELLED
    stage_run = go(services, jobs.start_stage(services, Stage.SORT, Trigger.API))
    assert (stage_run.status, stage_run.batch_id) == (RunStatus.WAITING, batch.id)


def test_a_waiting_run_ends_when_its_batch_is_taken_away(open_test_services: Opener) -> None:
    services = open_test_services(**SYNCTHING)
    fill(services, 3)
    run = go(services, jobs.start_workflow(services, Trigger.API))
    with services.db.transaction() as conn:
        batches.change(conn, the_batches(services)[0], BatchStatus.CANCELLED)
    assert wake_waiting(services) == [run.id]
    assert go(services, run).status is RunStatus.DONE


def test_a_waiting_run_is_not_woken_while_another_is_in_flight(open_test_services: Opener) -> None:
    services = open_test_services(**SYNCTHING)
    fill(services, 3)
    run = workflow(services)
    deliver(services, the_batches(services)[0].id)
    other = jobs.start_dedup(services, Trigger.API)
    assert wake_waiting(services) == []
    jobs.cancel(services, other.id)
    assert wake_waiting(services) == [run.id]


def test_with_parallel_batches_the_next_is_built_while_one_is_delivered(open_test_services: Opener) -> None:
    services = open_test_services(
        **SYNCTHING, batch={"max_files": 2, "selection_mode": "files", "allow_parallel": True}
    )
    fill(services, 5)
    assert workflow(services).status is RunStatus.WAITING
    assert [b.status for b in the_batches(services)] == [BatchStatus.PENDING] * 3


def test_without_auto_sort_a_delivered_batch_waits_for_a_person(open_test_services: Opener) -> None:
    services = open_test_services(syncthing={"auto_sort_after_sync": False})
    fill(services, 3)
    run = workflow(services)
    batch = the_batches(services)[0]
    assert (run.status, batch.status) == (RunStatus.DONE, BatchStatus.SYNCED)
    assert messages(services, "run.finished") == [
        "Everything else is done; batch batch_001 (id 1) is SYNCED and waits for a person."
    ]
    fill(services, 2, first=10)
    workflow(services)
    assert messages(services, "run.finished")[-1].startswith("Batch batch_001 (id 1) is still SYNCED; finish, retry")
    assert go(services, jobs.start_sort(services, batch.id, Trigger.API)).status is RunStatus.DONE
    assert count(services, AssetStatus.ARCHIVED) == 3


def test_a_failed_batch_blocks_the_next_one_without_failing_the_run(services: Services) -> None:
    fill(services, 3)
    _batch, run = jobs.create_batch(services, Trigger.API)
    go(services, jobs.cancel(services, run.id))
    go(services, jobs.start_dedup(services, Trigger.API))
    batch, run = jobs.create_batch(services, Trigger.API)
    go(services, run)
    with services.db.transaction() as conn:
        found = batches.get(conn, batch.id)
        batches.change(conn, found, BatchStatus.ERROR, error="The disk was full.", error_from=found.status.value)
    fill(services, 2, first=50)
    run = workflow(services)
    assert run.status is RunStatus.DONE
    assert stages_of(services, run)[-1] == (Stage.BATCH, StepStatus.WARNING)
    assert f"Batch {batch.name} (id {batch.id}) is still ERROR" in messages(services, "run.finished")[-1]
    assert go(services, jobs.retry_batch(services, batch.id)).status is RunStatus.DONE
    assert count(services, AssetStatus.ARCHIVED) == 3


def test_a_file_that_failed_when_its_batch_was_sorted_is_archived_by_the_next_run_after_a_retry(
    services: Services,
) -> None:
    fill(services, 3)
    go(services, jobs.start_dedup(services, Trigger.API))
    batch, run = jobs.create_batch(services, Trigger.API)
    go(services, run)
    go(services, jobs.start_sync(services, batch.id, Trigger.API))
    with services.db.transaction() as conn:
        failed = assets.list_in_batch(conn, batch.id)[0]
        assets.mark(conn, [failed], AssetStatus.FAILED, reason="It could not be read.")
    assert go(services, jobs.start_sort(services, batch.id, Trigger.API)).status is RunStatus.DONE
    assert (the_batches(services)[0].status, count(services, AssetStatus.ARCHIVED)) == (BatchStatus.SORTED, 2)
    jobs.retry_asset(services, failed.id)
    assert workflow(services).status is RunStatus.DONE
    assert count(services, AssetStatus.ARCHIVED) == 3


def test_one_failing_stage_fails_its_step_and_the_run_with_the_sentence(services: Services) -> None:
    fill(services, 1)
    with open(services.config.paths.source_dir + "/.media-pipeline-root", "w", encoding="utf-8") as marker:
        marker.write("another library")
    run = workflow(services)
    assert run.status is RunStatus.FAILED
    assert "ingest folder" in (run.error or "")
    assert stages_of(services, run) == [(Stage.SCAN, StepStatus.FAILED)]
    assert messages(services, "step.failed") == [f"Scan failed: {run.error}"]
    assert messages(services, "run.failed") == [f"Run {run.id} failed: {run.error}"]


def test_debug_mode_pauses_after_every_step_until_someone_resumes(open_test_services: Opener) -> None:
    services = open_test_services(workflow={"debug": {"enabled": True}})
    fill(services, 2)
    run = jobs.start_workflow(services, Trigger.API)
    stages = []
    while (run := go(services, run)).status is RunStatus.PAUSED:
        assert run.wish == DEBUG
        stages.append(stages_of(services, run)[-1][0])
        assert advance_debug_pause(services) == []
        jobs.resume(services, run.id)
    assert run.status is RunStatus.DONE
    assert stages[:4] == [Stage.SCAN, Stage.DEDUP, Stage.INSPECT, Stage.BATCH]
    assert count(services, AssetStatus.ARCHIVED) == 2


def test_debug_mode_goes_on_by_itself_when_asked_to(open_test_services: Opener) -> None:
    services = open_test_services(workflow={"debug": {"enabled": True, "auto_advance": True}})
    fill(services, 2)
    assert workflow(services).status is RunStatus.DONE


def test_a_debug_pause_ends_after_its_longest_time(open_test_services: Opener) -> None:
    services = open_test_services(workflow={"debug": {"enabled": True, "step_timeout_sec": 1}})
    run = workflow(services)
    assert run.status is RunStatus.PAUSED
    deadline = threading.Event()
    while not (advanced := advance_debug_pause(services)):
        deadline.wait(0.05)
    assert advanced == [run.id]


class Station:
    """A run in the middle of a step: `at_safe_point` is called, by the step, at its first safe point."""

    def __init__(self, services: Services, at_safe_point: Callable[[int], Any]) -> None:
        self.services = services
        self.stopping = threading.Event()
        self._act = at_safe_point

    def scan(self, services: Services, step: StepContext) -> Report:
        self._act(step.run_id)
        step.safe_point(1, 2)
        return Report("done", "Nobody wanted it to stop.")

    def execute(self, run: Run) -> Run:
        with self.services.db.transaction() as conn:
            run = runs.change(conn, runs.get(conn, run.id), RunStatus.RUNNING)
        execution = Execution(self.services, run, self.stopping, {**STAGES, Stage.SCAN: self.scan})
        with pytest.raises(Stopped) as stopped:
            execution.step(Stage.SCAN)
        execution.stop(stopped.value.wish)
        with self.services.db.reading() as conn:
            return runs.get(conn, run.id)


def test_a_run_is_paused_at_the_next_safe_point_and_resumed(services: Services) -> None:
    run = jobs.start_stage(services, Stage.SCAN, Trigger.API)
    station = Station(services, lambda run_id: jobs.pause(services, run_id))
    paused = station.execute(run)
    assert (paused.status, paused.wish) == (RunStatus.PAUSED, None)
    assert stages_of(services, run) == [(Stage.SCAN, StepStatus.CANCELLED)]
    jobs.resume(services, run.id)
    assert go(services, run).status is RunStatus.DONE
    assert stages_of(services, run)[-1] == (Stage.SCAN, StepStatus.DONE)


def test_a_run_is_cancelled_at_the_next_safe_point(services: Services) -> None:
    run = jobs.start_stage(services, Stage.SCAN, Trigger.API)
    assert Station(services, lambda run_id: jobs.cancel(services, run_id)).execute(run).status is RunStatus.CANCELLED
    assert messages(services, "run.cancelled") == [f"Run {run.id} was cancelled."]
    assert jobs.start_workflow(services, Trigger.API).status is RunStatus.QUEUED


def test_a_stopping_worker_leaves_the_run_queued(services: Services) -> None:
    run = jobs.start_stage(services, Stage.SCAN, Trigger.API)
    station = Station(services, lambda _run_id: station.stopping.set())
    assert station.execute(run).status is RunStatus.QUEUED
    assert go(services, run).status is RunStatus.DONE
