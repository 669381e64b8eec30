"""A run that waits for a delivery: how long it may take, what wakes it, and what it may do meanwhile."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from app import jobs
from app.db import batches
from app.db.clock import now
from app.files.roots import add_missing_roots
from app.model import AssetStatus, BatchStatus, RunStatus, Stage, StepStatus, Trigger
from app.pipeline.tick import look_at_deliveries, wake_waiting
from app.services import Services
from tests.conftest import make_config, make_jpeg, write_tree
from tests.pipeline.running import (
    Opener,
    count,
    deliver,
    fill,
    go,
    make_due,
    stages_of,
    the_batches,
    workflow,
)

#: An address where nothing listens.
NOWHERE = "http://127.0.0.1:9"
PEER = "AAAAAAA-BBBBBBB-CCCCCCC-DDDDDDD-EEEEEEE-FFFFFFF-GGGGGGG-HHHHHHH"
SYNCTHING = {
    "sync": {"target": "syncthing"},
    "syncthing": {
        "api_url": NOWHERE,
        "api_key": "key",
        "folder_id": "photos",
        "device_id": PEER,
        "rescan_delay_sec": 0,
        "poll_interval_sec": 1,
    },
}


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


def test_a_delivery_to_an_unplugged_disk_waits_and_goes_on_when_the_disk_is_back(
    open_test_services: Opener, tmp_path: Path
) -> None:
    disk, away = tmp_path / "usb-disk", tmp_path / "unplugged"
    services = open_test_services(sync={"target": "folder", "folder_dir": str(disk)})
    fill(services, 3)
    disk.rename(away)
    run = workflow(services)
    batch = the_batches(services)[0]
    assert run.status is RunStatus.WAITING
    assert "usb-disk" in (batch.sync_detail or "")
    away.rename(disk)
    make_due(services, batch.id)
    assert wake_waiting(services) == [run.id]
    assert go(services, run).status is RunStatus.DONE
    assert count(services, AssetStatus.ARCHIVED) == 3
    assert len(list(disk.rglob("*.jpg"))) == 3


def test_a_delivered_batch_that_waits_for_a_person_does_not_wake_the_run_again_and_again(
    open_test_services: Opener,
) -> None:
    by_hand = {**SYNCTHING, "syncthing": {**SYNCTHING["syncthing"], "auto_sort_after_sync": False}}
    services = open_test_services(**by_hand, batch={"max_files": 2, "selection_mode": "files", "allow_parallel": True})
    fill(services, 4)
    run = workflow(services)
    first, second = the_batches(services)
    deliver(services, first.id)
    assert wake_waiting(services) == []
    deliver(services, second.id)
    assert wake_waiting(services) == [run.id]
    assert go(services, run).status is RunStatus.DONE


def test_a_batch_that_is_on_its_way_is_delivered_from_where_it_lies_when_the_batch_folder_is_changed(
    open_test_services: Opener, tmp_path: Path
) -> None:
    disk, away = tmp_path / "usb-disk", tmp_path / "unplugged"
    to_disk = {"target": "folder", "folder_dir": str(disk)}
    services = open_test_services(sync=to_disk)
    fill(services, 2)
    disk.rename(away)
    run = workflow(services)
    away.rename(disk)
    elsewhere = {"batch_dir": str(tmp_path / "other-batches")}
    add_missing_roots(services.db, make_config(tmp_path, paths=elsewhere, sync=to_disk))
    changed = open_test_services(paths=elsewhere, sync=to_disk)
    make_due(changed, the_batches(changed)[0].id)
    assert wake_waiting(changed) == [run.id]
    assert go(changed, run).status is RunStatus.DONE
    assert count(changed, AssetStatus.ARCHIVED) == 2
    assert sorted(os.listdir(disk / "batch_001")) == ["SHA256SUMS", "img_0000.jpg", "img_0001.jpg", "manifest.json"]


def how_much_is_written(services: Services) -> tuple[int, int]:
    with services.db.reading() as conn:
        return tuple(  # type: ignore[return-value]
            conn.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() for table in ("events", "steps")
        )


def test_a_disk_that_is_away_for_long_adds_neither_steps_nor_events(open_test_services: Opener, tmp_path: Path) -> None:
    disk, away = tmp_path / "usb-disk", tmp_path / "unplugged"
    services = open_test_services(sync={"target": "folder", "folder_dir": str(disk)})
    fill(services, 3)
    disk.rename(away)
    run = workflow(services)
    batch_id = the_batches(services)[0].id
    before = how_much_is_written(services)
    for _ in range(50):
        make_due(services, batch_id)
        look_at_deliveries(services)
        assert wake_waiting(services) == []
        assert (the_batches(services)[0].next_look_at or "") > now()
    assert how_much_is_written(services) == before
    away.rename(disk)
    make_due(services, batch_id)
    assert wake_waiting(services) == [run.id]
    assert go(services, run).status is RunStatus.DONE
    assert count(services, AssetStatus.ARCHIVED) == 3


def test_a_full_disk_is_tried_again_when_there_is_room_for_what_is_left(
    open_test_services: Opener, tmp_path: Path
) -> None:
    disk = tmp_path / "usb-disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=True)
    try:
        services = open_test_services(sync={"target": "folder", "folder_dir": str(disk)})
        (disk / "ballast").write_bytes(bytes(56 << 10))
        write_tree(services.config.paths.source_dir, {f"{n}.jpg": make_jpeg(seed=n) + bytes(9000) for n in range(3)})
        run = workflow(services)
        assert run.status is RunStatus.WAITING
        before = how_much_is_written(services)
        for _ in range(50):
            make_due(services, the_batches(services)[0].id)
            assert wake_waiting(services) == []
        assert how_much_is_written(services) == before
        assert "free" in (the_batches(services)[0].sync_detail or "")
        (disk / "ballast").unlink()
        make_due(services, the_batches(services)[0].id)
        assert wake_waiting(services) == [run.id]
        assert go(services, run).status is RunStatus.DONE
        assert len(list(disk.rglob("*.jpg"))) == 3
    finally:
        subprocess.run(["umount", disk], check=True)
