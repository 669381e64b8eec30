"""Asking for work: what is inserted, what is refused, and in which words."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import jobs
from app.db import assets, batches, facts, journal, runs, totals
from app.db.clock import later, now
from app.errors import IllegalTransition, NotFound, OpenBatchExists, RunInProgress
from app.files.lock import mover_lock
from app.jobs.wake import HEARTBEAT_FACT, RUN_QUEUE, broker_for
from app.model import (
    AssetStatus,
    BatchStatus,
    RootKind,
    Run,
    RunKind,
    RunStatus,
    Signature,
    Stage,
    Trigger,
)
from app.services import Services
from tests.conftest import read_tree, write_tree


def force(services: Services, run: Run, status: RunStatus, **columns: Any) -> Run:
    """Bring a run where a worker would have brought it."""
    with services.db.transaction() as conn:
        run = runs.get(conn, run.id)
        if run.status is RunStatus.QUEUED and status is not RunStatus.RUNNING:
            run = runs.change(conn, run, RunStatus.RUNNING)
        return runs.change(conn, run, status, **columns)


def make_batch(services: Services, *way: BatchStatus, files: int = 1, **columns: Any) -> int:
    with services.db.transaction() as conn:
        batch = batches.reserve(
            conn, naming_pattern="batch_{index:03d}", allow_parallel=True, target="none", transfer_mode="move",
            peer_policy="keep", device_id=None,
        )  # fmt: skip
        batches.set_columns(conn, batch.id, file_count=files, **columns)
        for status in way:
            batch = batches.change(conn, batches.get(conn, batch.id), status)
    return batch.id


def events(services: Services, kind: str) -> list[str]:
    with services.db.reading() as conn:
        return [event.message for event in journal.list_events(conn, kind_prefix=kind)]


def test_a_started_workflow_is_a_queued_run_with_every_stage_and_a_message_for_the_worker(services: Services) -> None:
    run = jobs.start_workflow(services, Trigger.API)
    assert (run.kind, run.status, run.stages) == (RunKind.WORKFLOW, RunStatus.QUEUED, tuple(Stage))
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


def test_a_queued_run_is_paused_resumed_and_cancelled_at_once(services: Services) -> None:
    run = jobs.start_workflow(services, Trigger.API)
    assert jobs.pause(services, run.id).status is RunStatus.PAUSED
    assert jobs.resume(services, run.id).status is RunStatus.QUEUED
    assert jobs.cancel(services, run.id).status is RunStatus.CANCELLED
    assert jobs.start_workflow(services, Trigger.API).id > run.id


def test_a_paused_run_keeps_others_out(services: Services) -> None:
    run = jobs.start_workflow(services, Trigger.API)
    jobs.pause(services, run.id)
    with pytest.raises(RunInProgress, match="is paused"):
        jobs.start_dedup(services, Trigger.API)


def test_a_running_run_is_only_asked_to_pause_or_to_end(services: Services) -> None:
    run = force(services, jobs.start_workflow(services, Trigger.API), RunStatus.RUNNING)
    assert jobs.pause(services, run.id).wish == "pause"
    assert jobs.resume(services, run.id).wish is None
    assert jobs.cancel(services, run.id).wish == "cancel"
    with pytest.raises(IllegalTransition, match="cancel"):
        jobs.pause(services, run.id)


def test_a_run_that_has_ended_can_be_neither_paused_nor_resumed_nor_cancelled(services: Services) -> None:
    run = force(services, jobs.start_workflow(services, Trigger.API), RunStatus.DONE)
    for act in (jobs.pause, jobs.resume, jobs.cancel, jobs.retry_run):
        with pytest.raises(IllegalTransition, match=f"Run {run.id} is done"):
            act(services, run.id)


def test_cancelling_a_run_drops_the_batch_that_was_only_reserved_for_it(services: Services) -> None:
    _batch, run = jobs.create_batch(services, Trigger.API)
    jobs.cancel(services, run.id)
    with services.db.reading() as conn:
        assert batches.list_recent(conn) == []


def test_a_failed_run_is_tried_again_and_takes_the_slot(services: Services) -> None:
    run = force(services, jobs.start_workflow(services, Trigger.API), RunStatus.FAILED, error="The disk was full.")
    again = jobs.retry_run(services, run.id)
    assert (again.status, again.error, again.ended_at) == (RunStatus.QUEUED, None, None)
    with pytest.raises(RunInProgress):
        jobs.start_workflow(services, Trigger.API)


@pytest.mark.parametrize(
    ("before", "published", "stages"),
    [
        ((), None, (Stage.BATCH, Stage.SYNC, Stage.SORT, Stage.CLEANUP)),
        ((), "2026-01-01T00:00:00+00:00", (Stage.SYNC, Stage.SORT, Stage.CLEANUP)),
        ((BatchStatus.SYNCING,), "2026-01-01T00:00:00+00:00", (Stage.SYNC, Stage.SORT, Stage.CLEANUP)),
        ((BatchStatus.SYNCED,), "2026-01-01T00:00:00+00:00", (Stage.SORT, Stage.CLEANUP)),
        ((BatchStatus.SYNCED, BatchStatus.SORTING), "2026-01-01T00:00:00+00:00", (Stage.SORT, Stage.CLEANUP)),
    ],
)
def test_a_failed_batch_goes_on_from_the_status_it_had(
    services: Services, before: tuple[BatchStatus, ...], published: str | None, stages: tuple[Stage, ...]
) -> None:
    batch_id = make_batch(services, *before, published_at=published)
    with services.db.transaction() as conn:
        batch = batches.get(conn, batch_id)
        batches.change(conn, batch, BatchStatus.ERROR, error="The disk was full.", error_from=batch.status.value)
    run = jobs.retry_batch(services, batch_id)
    assert (run.stages, run.batch_id) == (stages, batch_id)
    with services.db.reading() as conn:
        batch = batches.get(conn, batch_id)
    assert (batch.status, batch.error) == (before[-1] if before else BatchStatus.PENDING, None)
    assert events(services, "batch.retried") == [f"Batch batch_001 is tried again from {batch.status}."]


def test_a_batch_that_has_not_failed_cannot_be_retried(services: Services) -> None:
    batch_id = make_batch(services, BatchStatus.SYNCING)
    with pytest.raises(IllegalTransition, match="SYNCING and cannot become retried"):
        jobs.retry_batch(services, batch_id)


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
        facts.put(conn, HEARTBEAT_FACT, now())
    assert not jobs.worker_alive(services)
    with mover_lock(services.state_dir):
        assert jobs.worker_alive(services)
        with services.db.transaction() as conn:
            facts.put(conn, HEARTBEAT_FACT, later(-60))
        assert not jobs.worker_alive(services)


def add_failed_asset(services: Services, kind: RootKind, batch_id: int | None = None) -> int:
    root = services.root(kind)
    with services.db.transaction() as conn:
        path = f"{kind.value}-{batch_id}.jpg".encode()
        assets.insert_discovered(conn, root.id, [(path, Signature(1, 2, 3, 4, 5), None)])
        asset = assets.find_at(conn, root.id, path)
        assert asset is not None
        if batch_id is not None:
            assets.mark(conn, [asset], AssetStatus.UNIQUE)
            assets.mark(conn, [assets.get(conn, asset.id)], AssetStatus.BATCHED, batch_id=batch_id)
        assets.mark(conn, [assets.get(conn, asset.id)], AssetStatus.FAILED, reason="It was unreadable.", attempts=3)
    return asset.id


def test_a_failed_file_in_ingest_starts_afresh(services: Services) -> None:
    asset_id = add_failed_asset(services, RootKind.INGEST)
    asset = jobs.retry_asset(services, asset_id)
    assert (asset.status, asset.attempts, asset.reason) == (AssetStatus.DISCOVERED, 0, None)
    with pytest.raises(IllegalTransition, match="is discovered"):
        jobs.retry_asset(services, asset_id)


def test_a_failed_file_in_a_batch_goes_on_where_its_batch_is(services: Services) -> None:
    delivering = add_failed_asset(services, RootKind.BATCH, make_batch(services, BatchStatus.SYNCING))
    delivered = add_failed_asset(services, RootKind.BATCH, make_batch(services, BatchStatus.SYNCED))
    assert jobs.retry_asset(services, delivering).status is AssetStatus.BATCHED
    assert jobs.retry_asset(services, delivered).status is AssetStatus.DELIVERED


def test_asking_for_work_touches_no_media(services: Services) -> None:
    write_tree(services.config.paths.source_dir, {f"img_{n}.jpg": str(n) for n in range(50)})
    before = read_tree(services.state_dir.parent / "ingest")
    jobs.start_workflow(services, Trigger.API)
    assert read_tree(services.state_dir.parent / "ingest") == before
    with services.db.reading() as conn:
        assert assets.list_by_status(conn, AssetStatus.DISCOVERED) == []


def test_all_failed_files_are_tried_again_at_once(services: Services) -> None:
    kinds = (RootKind.INGEST, RootKind.DUPLICATES)
    ids = [add_failed_asset(services, kind) for kind in kinds]
    assert jobs.retry_failed_assets(services) == 2
    with services.db.reading() as conn:
        assert {assets.get(conn, asset_id).status for asset_id in ids} == {AssetStatus.DISCOVERED}
        assert totals.read(conn)[AssetStatus.FAILED] == (0, 0)
    assert jobs.retry_failed_assets(services) == 0
