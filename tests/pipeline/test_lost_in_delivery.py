"""Files that vanish, change or cannot be read in the batch folder before they are delivered to a disk."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from app import jobs
from app.db import assets, batches, left_in_place, runs
from app.errors import Conflict
from app.model import AssetStatus, BatchStatus, RootKind, RunStatus, Stage, Trigger
from app.pipeline import cleanup, manifest_store
from app.pipeline.manifest import parse
from app.pipeline.tick import wake_waiting
from app.services import Services
from tests.conftest import read_tree
from tests.pipeline.library import a_step
from tests.pipeline.running import (
    Opener,
    count,
    fill,
    go,
    make_due,
    make_folder_due,
    messages,
    permissions_count,
    the_batches,
    workflow,
)
from tests.pipeline.stages import rows


@pytest.fixture
def published(open_test_services: Opener, tmp_path: Path) -> Callable[..., Services]:
    """`published("copy")`: three files in a batch that waits for its disk, which is back now."""

    def build(transfer_mode: str = "move") -> Services:
        disk = tmp_path / "disk"
        services = open_test_services(
            sync={"target": "folder", "folder_dir": str(disk)}, batch={"transfer_mode": transfer_mode}
        )
        fill(services, 3)
        disk.rename(tmp_path / "away")
        assert workflow(services).status is RunStatus.WAITING
        (tmp_path / "away").rename(disk)
        make_due(services, the_batches(services)[0].id)
        return services

    return build


def in_batch(services: Services, name: str) -> bytes:
    return services.root(RootKind.BATCH).path + b"/batch_001/" + os.fsencode(name)


def go_on(services: Services) -> RunStatus:
    make_folder_due(services)
    (run_id,) = wake_waiting(services)
    with services.db.reading() as conn:
        run = runs.get(conn, run_id)
    return go(services, run).status


def delivered_names(tmp_path: Path) -> list[str]:
    return [name for name in read_tree(tmp_path / "disk") if name.endswith(".jpg")]


def test_a_file_that_vanished_fails_and_the_rest_is_delivered_and_archived(
    published: Callable[..., Services], tmp_path: Path
) -> None:
    services = published()
    os.unlink(in_batch(services, "img_0001.jpg"))
    assert go_on(services) is RunStatus.DONE
    assert delivered_names(tmp_path) == ["batch_001/img_0000.jpg", "batch_001/img_0002.jpg"]
    assert (count(services, AssetStatus.ARCHIVED), count(services, AssetStatus.FAILED)) == (2, 1)
    batch = the_batches(services)[0]
    assert (batch.status, batch.file_count, batch.confirmed_count) == (BatchStatus.SORTED, 2, 2)
    assert "not in the batch folder any more" in messages(services, "asset.failed")[0]
    assert "2 files delivered" in messages(services, "batch.synced")[0]
    assert "1 more failed" in messages(services, "batch.synced")[0]


def test_what_was_left_out_is_in_no_sha256sums_and_the_archive_still_knows_of_it(
    published: Callable[..., Services], tmp_path: Path
) -> None:
    services = published()
    os.unlink(in_batch(services, "img_0001.jpg"))
    assert go_on(services) is RunStatus.DONE
    cleanup.run(services, a_step(services, Stage.CLEANUP))

    folder = tmp_path / "disk/batch_001"
    checked = subprocess.run(
        ["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout) == (0, "img_0000.jpg: OK\nimg_0002.jpg: OK\n"), checked.stderr
    manifest = parse((folder / "manifest.json").read_bytes())
    (left_out,) = [file for file in manifest.files if file.asset_id in manifest.left_out]
    assert left_out.path == b"img_0001.jpg" and manifest.file_count == 3
    assert manifest_store.load_newest(services.root(RootKind.ARCHIVE), the_batches(services)[0]) == manifest
    assert "leave out 1 file that failed" in messages(services, "batch.sums_corrected")[0]
    assert not os.path.lexists(os.path.dirname(in_batch(services, "x")))


def test_our_two_files_of_before_are_replaced_at_the_disk(
    published: Callable[..., Services], tmp_path: Path
) -> None:
    services = published()
    folder = tmp_path / "disk/batch_001"
    folder.mkdir(parents=True)
    for name in ("SHA256SUMS", "manifest.json"):
        (folder / name).write_bytes(Path(os.fsdecode(in_batch(services, name))).read_bytes())
    os.unlink(in_batch(services, "img_0001.jpg"))
    assert go_on(services) is RunStatus.DONE
    assert b"img_0001" not in (folder / "SHA256SUMS").read_bytes()


def test_a_sha256sums_at_the_disk_that_somebody_else_wrote_is_not_overwritten(
    published: Callable[..., Services], tmp_path: Path
) -> None:
    services = published()
    (tmp_path / "disk/batch_001").mkdir(parents=True)
    (tmp_path / "disk/batch_001/SHA256SUMS").write_bytes(b"mine")
    os.unlink(in_batch(services, "img_0001.jpg"))
    assert go_on(services) is RunStatus.FAILED
    assert (tmp_path / "disk/batch_001/SHA256SUMS").read_bytes() == b"mine"
    assert the_batches(services)[0].status is BatchStatus.ERROR


def test_when_sha256sums_cannot_be_written_the_journal_says_so_once_and_the_files_are_delivered(
    published: Callable[..., Services], tmp_path: Path
) -> None:
    services = published()
    os.unlink(in_batch(services, "img_0001.jpg"))
    (tmp_path / "archive/.media-pipeline/manifests").chmod(0o555)
    with permissions_count():
        assert go_on(services) is RunStatus.DONE
    assert (count(services, AssetStatus.ARCHIVED), count(services, AssetStatus.FAILED)) == (2, 1)
    (told,) = messages(services, "batch.sums_corrected")
    assert "should leave out 1 file that failed, and do not" in told


def test_a_file_that_vanished_blocks_nothing_that_comes_after(published: Callable[..., Services]) -> None:
    services = published()
    os.unlink(in_batch(services, "img_0001.jpg"))
    fill(services, 2, first=10)
    go_on(services)
    assert workflow(services).status is RunStatus.DONE
    assert count(services, AssetStatus.ARCHIVED) == 4


def test_a_file_that_changed_fails_stays_where_it_is_and_is_listed(
    published: Callable[..., Services], tmp_path: Path
) -> None:
    services = published()
    edited = in_batch(services, "img_0001.jpg")
    Path(os.fsdecode(edited)).write_bytes(b"edited")
    assert go_on(services) is RunStatus.DONE
    assert "changed in the batch folder after it was checked" in messages(services, "asset.failed")[0]
    assert "batch_001/img_0001.jpg" not in delivered_names(tmp_path)
    cleanup.run(services, a_step(services, Stage.CLEANUP))
    with services.db.reading() as conn:
        listed = [path for _, _, path, _ in left_in_place.list_page(conn, limit=10)]
    assert listed == [b"batch_001/img_0001.jpg"]
    assert Path(os.fsdecode(edited)).read_bytes() == b"edited"


def test_a_file_that_vanished_or_changed_is_delivered_from_its_kept_copy(
    published: Callable[..., Services], tmp_path: Path
) -> None:
    services = published("copy")
    os.unlink(in_batch(services, "img_0001.jpg"))
    Path(os.fsdecode(in_batch(services, "img_0002.jpg"))).write_bytes(b"edited")
    before = read_tree(services.root(RootKind.INGEST).path)
    assert go_on(services) is RunStatus.DONE
    assert read_tree(services.root(RootKind.INGEST).path) == before
    pictures = {name: data for name, data in read_tree(tmp_path / "disk").items() if name.endswith(".jpg")}
    assert pictures == {f"batch_001/{name}": data for name, data in before.items()}
    assert (count(services, AssetStatus.ARCHIVED), count(services, AssetStatus.FAILED)) == (3, 0)


def test_nothing_is_given_up_while_the_folder_of_the_kept_copies_is_away(
    published: Callable[..., Services], tmp_path: Path
) -> None:
    services = published("copy")
    os.unlink(in_batch(services, "img_0001.jpg"))
    (tmp_path / "ingest").rename(tmp_path / "ingest-away")
    (tmp_path / "ingest").mkdir()
    assert go_on(services) is RunStatus.WAITING
    assert count(services, AssetStatus.FAILED) == 0
    (tmp_path / "ingest").rmdir()
    (tmp_path / "ingest-away").rename(tmp_path / "ingest")
    assert go_on(services) is RunStatus.DONE
    assert count(services, AssetStatus.ARCHIVED) == 3


def test_nothing_is_given_up_while_the_batch_folder_is_away(
    published: Callable[..., Services], tmp_path: Path
) -> None:
    services = published()
    (tmp_path / "batches").rename(tmp_path / "batches-away")
    (tmp_path / "batches").mkdir()
    assert go_on(services) is RunStatus.WAITING
    assert (count(services, AssetStatus.FAILED), count(services, AssetStatus.BATCHED)) == (0, 3)
    (tmp_path / "batches").rmdir()
    (tmp_path / "batches-away").rename(tmp_path / "batches")
    assert go_on(services) is RunStatus.DONE
    assert count(services, AssetStatus.ARCHIVED) == 3


def test_a_file_that_cannot_be_read_now_is_tried_three_times(published: Callable[..., Services]) -> None:
    services = published()
    locked = in_batch(services, "img_0001.jpg")
    os.chmod(locked, 0)
    batch_id = the_batches(services)[0].id
    with permissions_count():
        for attempts in (1, 2):
            assert go_on(services) is RunStatus.WAITING
            assert rows(services)[b"batch_001/img_0001.jpg"].attempts == attempts
            assert "img_0001.jpg" in (the_batches(services)[0].sync_detail or "")
            make_due(services, batch_id)
        assert go_on(services) is RunStatus.DONE
    assert (count(services, AssetStatus.ARCHIVED), count(services, AssetStatus.FAILED)) == (2, 1)


def test_a_file_that_can_be_read_again_is_delivered(published: Callable[..., Services]) -> None:
    services = published()
    locked = in_batch(services, "img_0001.jpg")
    os.chmod(locked, 0)
    with permissions_count():
        assert go_on(services) is RunStatus.WAITING
    os.chmod(locked, 0o644)
    make_due(services, the_batches(services)[0].id)
    assert go_on(services) is RunStatus.DONE
    assert {asset.attempts for asset in rows(services).values()} == {0}
    assert count(services, AssetStatus.ARCHIVED) == 3


def test_a_batch_of_which_nothing_is_left_is_cancelled_and_never_called_synced(
    published: Callable[..., Services],
) -> None:
    services = published()
    for n in range(3):
        os.unlink(in_batch(services, f"img_{n:04d}.jpg"))
    assert go_on(services) is RunStatus.DONE
    assert [b.status for b in the_batches(services)] == [BatchStatus.CANCELLED]
    assert messages(services, "batch.synced") == [] and count(services, AssetStatus.FAILED) == 3


def test_a_sync_run_of_a_batch_of_which_nothing_is_left_ends_there(published: Callable[..., Services]) -> None:
    services = published()
    for n in range(3):
        os.unlink(in_batch(services, f"img_{n:04d}.jpg"))
    batch = the_batches(services)[0]
    with services.db.transaction() as conn:
        batches.change(conn, batch, BatchStatus.ERROR, error="tried", error_from="SYNCING")
    assert go(services, jobs.retry_batch(services, batch.id, Trigger.API)).status is RunStatus.DONE


def test_a_file_that_was_never_delivered_cannot_be_called_delivered_by_a_retry(
    published: Callable[..., Services],
) -> None:
    services = published()
    os.unlink(in_batch(services, "img_0001.jpg"))
    go_on(services)
    (lost,) = [asset for asset in rows(services).values() if asset.status is AssetStatus.FAILED]
    with pytest.raises(Conflict, match="was not delivered with its batch"):
        jobs.retry_asset(services, lost.id)
    assert jobs.retry_failed_assets(services) == 0
    with services.db.reading() as conn:
        assert assets.get(conn, lost.id).status is AssetStatus.FAILED
