"""The workflow with its real stages, in this process: its order, and what it does when something fails."""

from __future__ import annotations

from pathlib import Path

from app import jobs
from app.db import assets, batches
from app.model import AssetStatus, BatchStatus, RunStatus, Stage, StepStatus, Trigger
from app.services import Services
from tests.conftest import read_tree
from tests.pipeline.running import (
    Opener,
    count,
    fill,
    go,
    messages,
    permissions_count,
    stages_of,
    the_batches,
    workflow,
)


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
    Path(services.config.paths.sorted_dir).chmod(0o555)
    with permissions_count():
        run = workflow(services)
    assert run.status is RunStatus.FAILED
    assert services.config.paths.sorted_dir in (run.error or "")
    assert (Stage.BATCH, StepStatus.FAILED) in stages_of(services, run)
    assert messages(services, "step.failed") == [f"Batch failed: {run.error}"]
    assert messages(services, "run.failed") == [f"Run {run.id} failed: {run.error}"]
