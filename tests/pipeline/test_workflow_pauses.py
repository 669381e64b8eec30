"""A run that pauses, is cancelled or stops with the worker, in the middle of a step or after each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import jobs
from app.db import runs
from app.model import AssetStatus, Report, Run, RunStatus, Stage, StepStatus, Trigger
from app.pipeline.execution import DEBUG, Execution
from app.pipeline.step import StepContext, Stopped
from app.pipeline.tick import advance_debug_pause
from app.pipeline.workflow import STAGES
from app.services import Services
from tests.pipeline.running import (
    Opener,
    count,
    fill,
    go,
    messages,
    stages_of,
    the_batches,
    workflow,
)


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


def test_a_reserved_batch_goes_with_the_run_that_is_cancelled_before_it_is_built(services: Services) -> None:
    _, run = jobs.create_batch(services, Trigger.API)
    station = Station(services, lambda run_id: jobs.cancel(services, run_id))
    assert station.execute(run).status is RunStatus.CANCELLED
    assert the_batches(services) == []
    jobs.create_batch(services, Trigger.API)


def test_a_reserved_batch_goes_with_the_run_that_is_given_up_while_a_folder_is_away(
    services: Services, tmp_path: Path
) -> None:
    _, run = jobs.create_batch(services, Trigger.API)
    (tmp_path / "ingest").rename(tmp_path / "unplugged")
    assert go(services, run).status is RunStatus.WAITING
    jobs.cancel(services, run.id)
    assert the_batches(services) == []
    (tmp_path / "unplugged").rename(tmp_path / "ingest")
    fill(services, 1)
    workflow(services)
    assert count(services, AssetStatus.ARCHIVED) == 1


def test_a_run_that_was_killed_in_its_cleanup_cleans_up_when_it_goes_on(services: Services) -> None:
    fill(services, 2)
    run = jobs.start_workflow(services, Trigger.API)
    with services.db.transaction() as conn:
        running = runs.change(conn, runs.get(conn, run.id), RunStatus.RUNNING)

    def killed(_services: Services, _step: StepContext) -> Report:
        raise Stopped("stopping")

    execution = Execution(services, running, threading.Event(), {**STAGES, Stage.CLEANUP: killed})
    for stage in (Stage.SCAN, Stage.DEDUP, Stage.INSPECT, Stage.BATCH):
        execution.step(stage)
    batch = the_batches(services)[0]
    execution.step(Stage.SYNC, batch.id)
    execution.step(Stage.SORT, batch.id)
    with pytest.raises(Stopped):
        execution.step(Stage.CLEANUP, batch.id)
    execution.stop("stopping")
    folder = Path(services.config.paths.batch_dir) / batch.name
    assert folder.is_dir()
    assert go(services, run).status is RunStatus.DONE
    assert not folder.is_dir()
