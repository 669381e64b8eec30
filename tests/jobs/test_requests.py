"""Asking for work: what is inserted, what is refused, and in which words."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app import jobs
from app.db import assets, batches, facts, heartbeat, runs
from app.db.clock import later, now
from app.errors import IllegalTransition, NotFound, OpenBatchExists, RunInProgress
from app.files.lock import mover_lock
from app.jobs.wake import RUN_QUEUE, broker_for
from app.model import (
    WORKFLOW_STAGES,
    AssetStatus,
    BatchStatus,
    RunKind,
    RunStatus,
    Stage,
    Trigger,
)
from app.services import Services
from tests.conftest import read_tree, write_tree
from tests.jobs.situations import events, force, make_batch


def test_a_started_workflow_is_a_queued_run_with_every_stage_and_a_message_for_the_worker(services: Services) -> None:
    run = jobs.start_workflow(services, Trigger.API)
    assert (run.kind, run.status, run.stages) == (RunKind.WORKFLOW, RunStatus.QUEUED, WORKFLOW_STAGES)
    assert run.config_revision == services.revision
    assert events(services, "run.requested") == ["The whole workflow was asked for."]
    assert broker_for(services.state_dir).count_waiting(RUN_QUEUE) == 1


def test_a_second_start_is_refused_with_the_run_in_flight_named(services: Services) -> None:
    run = jobs.start_workflow(services, Trigger.API)
    with pytest.raises(RunInProgress, match=f"Run {run.id} is queued") as refused:
        jobs.start_dedup(services, Trigger.CLI)
    assert refused.value.run_id == run.id


def test_a_run_that_waits_for_a_delivery_does_not_refuse_other_work(services: Services) -> None:
    force(services, jobs.start_workflow(services, Trigger.API), RunStatus.WAITING)
    assert jobs.start_dedup(services, Trigger.API).stages == (Stage.SCAN, Stage.DEDUP)


def test_a_new_workflow_takes_over_from_one_that_waits(services: Services) -> None:
    waiting = force(services, jobs.start_workflow(services, Trigger.API), RunStatus.WAITING)
    jobs.start_workflow(services, Trigger.API)
    with services.db.reading() as conn:
        assert runs.get(conn, waiting.id).status is RunStatus.DONE


def test_a_run_that_the_queue_could_not_take_is_requested_all_the_same(services: Services) -> None:
    (services.state_dir / "queue.sqlite").mkdir()
    assert jobs.start_cleanup(services, Trigger.API).status is RunStatus.QUEUED


def test_creating_a_batch_names_it_at_once(services: Services) -> None:
    batch, run = jobs.create_batch(services, Trigger.API)
    assert (batch.name, batch.status, batch.run_id) == ("batch_001", BatchStatus.PENDING, run.id)
    assert (run.stages, run.batch_id) == ((Stage.INSPECT, Stage.BATCH), batch.id)


def test_creating_a_batch_is_refused_with_the_open_batch_named(services: Services) -> None:
    blocking = make_batch(services, BatchStatus.SYNCING)
    with pytest.raises(OpenBatchExists, match=r"batch_001 .* is still SYNCING") as refused:
        jobs.create_batch(services, Trigger.API)
    assert refused.value.batch_id == blocking
    with services.db.reading() as conn:
        assert runs.find_in_flight(conn) is None


def test_creating_a_batch_while_a_run_is_in_flight_leaves_no_batch_behind(services: Services) -> None:
    jobs.start_dedup(services, Trigger.API)
    with pytest.raises(RunInProgress):
        jobs.create_batch(services, Trigger.API)
    with services.db.reading() as conn:
        assert batches.find_open(conn) is None


def test_syncing_or_sorting_an_unknown_batch_is_not_found(services: Services) -> None:
    for start in (jobs.start_sync, jobs.start_sort):
        with pytest.raises(NotFound, match="no batch 99"):
            start(services, 99, Trigger.API)


def test_an_undelivered_batch_cannot_be_sorted(services: Services) -> None:
    batch_id = make_batch(services, BatchStatus.SYNCING)
    with pytest.raises(IllegalTransition, match=r"Batch batch_001 is SYNCING and cannot become SORTING"):
        jobs.start_sort(services, batch_id, Trigger.API)


def test_a_batch_that_failed_is_not_synced_before_it_is_retried(services: Services) -> None:
    batch_id = make_batch(services, BatchStatus.ERROR)
    with pytest.raises(IllegalTransition, match="is ERROR"):
        jobs.start_sync(services, batch_id, Trigger.API)


def test_a_delivery_in_progress_can_be_looked_at_again_at_any_time(services: Services) -> None:
    batch_id = make_batch(services, BatchStatus.SYNCING)
    assert jobs.start_sync(services, batch_id, Trigger.API).stages == (Stage.SYNC,)


def test_of_eight_threads_that_start_at_once_one_does(services: Services) -> None:
    outcomes: list[str] = []
    gate = threading.Barrier(8)

    def start() -> None:
        gate.wait()
        try:
            jobs.start_workflow(services, Trigger.API)
            outcomes.append("started")
        except RunInProgress:
            outcomes.append("refused")

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused"] * 7 + ["started"]


def test_of_eight_processes_that_start_at_once_one_does(
    tmp_path: Path, open_test_services: Callable[..., Services]
) -> None:
    open_test_services()
    context = multiprocessing.get_context("spawn")
    with context.Pool(8) as pool:
        outcomes = pool.map(start_in_process, [str(tmp_path)] * 8, chunksize=1)
    assert sorted(outcomes) == ["refused"] * 7 + ["started"]


def start_in_process(base: str) -> str:
    from app.config.schema import Config
    from app.config.store import Snapshot
    from app.services import open_services

    paths = {name: f"{base}/{folder}" for name, folder in [
        ("source_dir", "ingest"), ("batch_dir", "batches"), ("sorted_dir", "archive"), ("duplicates_dir", "duplicates")
    ]}  # fmt: skip
    config = Config.model_validate({"paths": paths, "system": {"db_path": os.path.join(base, "state", "db.sqlite")}})
    services = open_services(Snapshot(config, "test"))
    try:
        jobs.start_workflow(services, Trigger.API)
    except RunInProgress:
        return "refused"
    return "started"


def test_the_worker_is_alive_only_while_it_holds_the_lock_and_gives_signs_of_life(services: Services) -> None:
    assert not jobs.worker_alive(services)
    with services.db.transaction() as conn:
        facts.put(conn, heartbeat.HEARTBEAT_FACT, now())
    assert not jobs.worker_alive(services)
    with mover_lock(services.state_dir):
        assert jobs.worker_alive(services)
        with services.db.transaction() as conn:
            facts.put(conn, heartbeat.HEARTBEAT_FACT, later(-60))
        assert not jobs.worker_alive(services)


def test_asking_for_work_touches_no_media(services: Services) -> None:
    write_tree(services.config.paths.source_dir, {f"img_{n}.jpg": str(n) for n in range(50)})
    before = read_tree(services.state_dir.parent / "ingest")
    jobs.start_workflow(services, Trigger.API)
    assert read_tree(services.state_dir.parent / "ingest") == before
    with services.db.reading() as conn:
        assert assets.list_by_status(conn, AssetStatus.DISCOVERED) == []
