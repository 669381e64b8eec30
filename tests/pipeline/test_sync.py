"""The sync stage without Syncthing: no target at all, and verified copies to a mounted folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from app.db import assets, batch_devices, batches, deliveries, facts, journal, runs, totals
from app.db.clock import later, now
from app.errors import IllegalTransition
from app.files.walk import signature_at
from app.model import AssetStatus, Batch, BatchStatus, Report, RootKind, RunKind, Stage, Trigger
from app.pipeline import delivered, sync
from app.pipeline.step import StepContext, Stopped
from app.services import Services
from tests.conftest import read_tree, write_tree

FILES = {"a.jpg": b"one", "sub/b.jpg": b"two" * 1000, "sub/empty.jpg": b""}


def publish(services: Services, files: Mapping[str, bytes] = FILES, target: str = "folder") -> Batch:
    """A published batch as the batch stage leaves it."""
    root = services.root(RootKind.BATCH)
    with services.db.transaction() as conn:
        batch = batches.reserve(
            conn,
            naming_pattern="batch_{index:03d}",
            allow_parallel=True,
            target=target,
            transfer_mode="move",
            peer_policy="keep",
            device_id=None,
        )
        write_tree(os.path.join(root.path, os.fsencode(batch.name)), {**files, "manifest.json": "{}", "SHA256SUMS": ""})
        for path, content in files.items():
            place = os.fsencode(f"{batch.name}/{path}")
            signature = signature_at(root, place)
            assert signature is not None
            assets.insert_discovered(conn, root.id, [(place, signature, None)])
            made = assets.find_at(conn, root.id, place)
            assert made is not None
            digest = hashlib.sha256(content).hexdigest()
            assets.mark(conn, [made], AssetStatus.UNIQUE, batch_id=batch.id, digest=digest, digest_algorithm="sha256")
        assets.mark(conn, assets.list_in_batch(conn, batch.id), AssetStatus.BATCHED)
        batches.set_columns(conn, batch.id, file_count=len(files), published_at=now())
        return batches.get(conn, batch.id)


def step_for(services: Services, batch: Batch) -> StepContext:
    with services.db.transaction() as conn:
        run = runs.find_in_flight(conn) or runs.insert_queued(conn, RunKind.STAGE, Trigger.CLI, [Stage.SYNC])
        return StepContext(services, run.id, runs.start_step(conn, run.id, Stage.SYNC, batch.id), batch.id)


def deliver(services: Services, batch: Batch) -> Report:
    return sync.run(services, step_for(services, batch))


def reread(services: Services, batch: Batch) -> Batch:
    with services.db.reading() as conn:
        return batches.get(conn, batch.id)


@pytest.fixture
def to_folder(open_test_services: Callable[..., Services], tmp_path: Path) -> Services:
    return open_test_services(sync={"target": "folder", "folder_dir": str(tmp_path / "usb")})


def test_without_a_target_a_batch_is_synced_at_once(services: Services) -> None:
    batch = publish(services, target="none")

    report = deliver(services, batch)

    assert (report.outcome, report.done, reread(services, batch).status) == ("done", 3, BatchStatus.SYNCED)
    with services.db.reading() as conn:
        assert len(assets.list_in_batch(conn, batch.id, AssetStatus.DELIVERED)) == 3
        assert [e.kind for e in journal.list_events(conn, batch_id=batch.id)] == ["batch.synced"]
        assert totals.read(conn)[AssetStatus.DELIVERED][0] == 3


def test_a_folder_receives_every_file_with_the_manifest_and_the_sums(to_folder: Services, tmp_path: Path) -> None:
    batch = publish(to_folder)

    report = deliver(to_folder, batch)

    assert report.outcome == "done"
    delivered = read_tree(tmp_path / "usb" / batch.name)
    assert delivered == dict(sorted({**FILES, "manifest.json": b"{}", "SHA256SUMS": b""}.items()))
    assert read_tree(tmp_path / "batches" / batch.name) == delivered
    after = reread(to_folder, batch)
    assert (after.status, after.confirmed_count) == (BatchStatus.SYNCED, 3)
    with to_folder.db.reading() as conn:
        assert len(deliveries.confirmed_ids(conn, batch.id, "folder")) == 3
        batch_root = to_folder.root(RootKind.BATCH).id
        assert {a.root_id for a in assets.list_in_batch(conn, batch.id, AssetStatus.DELIVERED)} == {batch_root}


def test_an_equal_file_that_is_there_already_counts_as_delivered(to_folder: Services, tmp_path: Path) -> None:
    batch = publish(to_folder)
    write_tree(tmp_path / "usb" / batch.name, {"a.jpg": b"one", "manifest.json": "{}"})
    inode = os.stat(tmp_path / "usb" / batch.name / "a.jpg").st_ino

    assert deliver(to_folder, batch).outcome == "done"
    assert os.stat(tmp_path / "usb" / batch.name / "a.jpg").st_ino == inode


def test_a_file_with_other_content_stops_the_batch_and_is_not_overwritten(to_folder: Services, tmp_path: Path) -> None:
    batch = publish(to_folder)
    write_tree(tmp_path / "usb" / batch.name, {"a.jpg": b"somebody else's"})

    report = deliver(to_folder, batch)

    assert report.outcome == "failed" and "a.jpg" in report.message
    after = reread(to_folder, batch)
    assert (after.status, after.error_from, after.error) == (BatchStatus.ERROR, "SYNCING", report.message)
    assert read_tree(tmp_path / "usb" / batch.name)["a.jpg"] == b"somebody else's"
    with pytest.raises(IllegalTransition):
        deliver(to_folder, batch)
    with to_folder.db.reading() as conn:
        known = {asset.id: asset.path for asset in assets.list_in_batch(conn, batch.id)}
        arrived = {known[asset_id] for asset_id in deliveries.confirmed_ids(conn, batch.id, "folder")}
    assert arrived == {os.fsencode(f"{batch.name}/{name}") for name in FILES if name != "a.jpg"}


def test_a_stopped_delivery_goes_on_where_it_was(to_folder: Services, tmp_path: Path) -> None:
    batch = publish(to_folder, {f"{n:03d}.jpg": b"%d" % n for n in range(130)})
    step = step_for(to_folder, batch)
    original = step.safe_point

    def stop_at_second(done: int, total: int, size_bytes: int = 0) -> None:
        if done >= 64:
            step.stopping.set()
        original(done, total, size_bytes)

    step.safe_point = stop_at_second  # type: ignore[method-assign]
    with pytest.raises(Stopped):
        sync.run(to_folder, step)
    assert reread(to_folder, batch).confirmed_count == 64

    assert deliver(to_folder, batch).outcome == "done"
    assert len(read_tree(tmp_path / "usb" / batch.name)) == 132
    with to_folder.db.reading() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM moves WHERE purpose = 'deliver'").scalar() == 130


def test_an_unmounted_folder_is_waited_for_and_nothing_is_written_there(to_folder: Services, tmp_path: Path) -> None:
    batch = publish(to_folder)
    os.rename(tmp_path / "usb", tmp_path / "usb-elsewhere")
    os.mkdir(tmp_path / "usb")

    reports = [deliver(to_folder, batch) for _ in range(2)]

    after = reread(to_folder, batch)
    assert {r.outcome for r in reports} == {"waiting"}
    assert after.next_look_at is not None and "usb" in (after.sync_detail or "")
    assert os.listdir(tmp_path / "usb") == []
    with to_folder.db.reading() as conn:
        assert [e.kind for e in journal.list_events(conn, batch_id=batch.id)].count("batch.sync_delayed") == 1
    os.rmdir(tmp_path / "usb")
    os.rename(tmp_path / "usb-elsewhere", tmp_path / "usb")
    assert deliver(to_folder, batch).outcome == "done"


def test_outside_a_run_nothing_is_copied(to_folder: Services, tmp_path: Path) -> None:
    batch = publish(to_folder)

    assert sync.look(to_folder, batch).outcome == "waiting"
    assert read_tree(tmp_path / "usb") == {}


def test_a_file_that_changed_since_it_was_batched_is_not_delivered(to_folder: Services, tmp_path: Path) -> None:
    batch = publish(to_folder)
    write_tree(tmp_path / "batches" / batch.name, {"a.jpg": b"edited"})

    report = deliver(to_folder, batch)

    assert report.outcome == "done" and [f.path for f in report.failures] == [f"{batch.name}/a.jpg"]
    after = reread(to_folder, batch)
    assert (after.status, after.file_count, after.confirmed_count) == (BatchStatus.SYNCED, 2, 2)
    assert "a.jpg" not in read_tree(tmp_path / "usb" / batch.name)


def test_a_batch_that_is_still_being_built_is_left_alone(services: Services) -> None:
    batch = publish(services, target="none")
    with services.db.transaction() as conn:
        batches.set_columns(conn, batch.id, published_at=None)

    assert deliver(services, batch).outcome == "idle"
    assert reread(services, batch).status is BatchStatus.PENDING


def test_without_a_batch_there_is_nothing_to_do(services: Services) -> None:
    with services.db.transaction() as conn:
        run = runs.insert_queued(conn, RunKind.STAGE, Trigger.CLI, [Stage.SYNC])
        step_id = runs.start_step(conn, run.id, Stage.SYNC, None)

    assert sync.run(services, StepContext(services, run.id, step_id, None)).outcome == "idle"


def test_sorting_waits_for_the_pause_after_a_delivery(services: Services) -> None:
    batch = publish(services, target="none")
    deliver(services, batch)
    with services.db.transaction() as conn:
        batches.set_columns(conn, batch.id, next_look_at=later(60))
    assert deliver(services, batch).outcome == "waiting"
    with services.db.transaction() as conn:
        batches.set_columns(conn, batch.id, next_look_at=later(-1))
        assert facts.find(conn, "set_up_at") is not None
    assert deliver(services, batch).outcome == "done"


def test_a_batch_with_a_file_that_is_not_proven_is_looked_at_again(services: Services) -> None:
    batch = publish(services, target="syncthing")
    with services.db.transaction() as conn:
        batch = batches.change(conn, batch, BatchStatus.SYNCING)
        batch_devices.add(conn, batch.id, ["DEVICE"])
        first, *others = assets.list_in_batch(conn, batch.id)
        deliveries.confirm(conn, batch.id, "DEVICE", [(asset.id, "1") for asset in others])
    report = delivered.finish(services, batch, None, "All is there.")
    assert (report.outcome, reread(services, batch).status) == ("waiting", BatchStatus.SYNCING)
    with services.db.transaction() as conn:
        deliveries.confirm(conn, batch.id, "DEVICE", [(first.id, "1")])
    assert delivered.finish(services, batch, None, "All is there.").outcome == "done"
    assert reread(services, batch).status is BatchStatus.SYNCED
