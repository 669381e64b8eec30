"""The cleanup stage: what goes, what stays, and what is listed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.db import assets, batches, left_in_place
from app.model import Asset, BatchStatus, Report, RootKind, Stage
from app.pipeline import batch, cleanup, sort
from app.services import Services
from tests.conftest import read_tree, write_tree
from tests.pipeline.library import (
    a_step,
    assert_rows_agree,
    census,
    deliver,
    get_asset,
    get_batch,
    kinds,
    statuses,
    take_in,
)

Opener = Callable[..., Services]


def make_delivered(services: Services) -> int:
    report = batch.run(services, a_step(services, Stage.BATCH))
    assert report.batch_id is not None
    deliver(services, report.batch_id)
    return report.batch_id


def make_sorted(services: Services) -> int:
    batch_id = make_delivered(services)
    sort.run(services, a_step(services, Stage.SORT, batch_id))
    return batch_id


def clean(services: Services, batch_id: int | None = None) -> Report:
    return cleanup.run(services, a_step(services, Stage.CLEANUP, batch_id))


def batch_tree(services: Services) -> dict[str, bytes]:
    return read_tree(services.root(RootKind.BATCH).path)


def batch_file(services: Services, asset: Asset) -> bytes:
    return services.root(RootKind.BATCH).path + b"/" + get_asset(services, asset.id).path


def test_the_folder_of_a_sorted_batch_goes_with_its_manifest_and_folders(services: Services, tmp_path: Path) -> None:
    """The predecessor never removed a finished batch: its manifest kept the folder from being empty."""
    take_in(services, {"trip/day one/a.jpg": b"a", "b.jpg": b"b"})
    batch_id = make_sorted(services)
    before = census(tmp_path)
    assert clean(services, batch_id).done == 1
    assert batch_tree(services) == {}
    assert get_batch(services, batch_id).cleaned_at is not None
    assert kinds(services)[-2:] == ["batch.cleaned", "cleanup.finished"]
    assert (tmp_path / "archive/.media-pipeline/manifests/batch_001.json").is_file()
    assert census(tmp_path) == before
    assert_rows_agree(services)


def test_cleaning_twice_changes_nothing_and_says_nothing(services: Services) -> None:
    take_in(services, {"a.jpg": b"a"})
    make_sorted(services)
    clean(services)
    told = kinds(services)
    assert clean(services).outcome == "done"
    assert kinds(services) == told


def test_a_batch_that_is_not_sorted_keeps_its_folder(services: Services) -> None:
    take_in(services, {"a.jpg": b"a"})
    make_delivered(services)
    before = batch_tree(services)
    clean(services)
    assert batch_tree(services) == before


def test_the_folder_stays_when_the_setting_says_so(open_test_services: Opener) -> None:
    services = open_test_services(system={"cleanup_empty_batches": False})
    take_in(services, {"a.jpg": b"a"})
    make_sorted(services)
    clean(services)
    assert set(batch_tree(services)) == {"batch_001/manifest.json", "batch_001/SHA256SUMS"}


def test_a_foreign_file_in_a_finished_folder_stays_and_is_listed(services: Services) -> None:
    take_in(services, {"a.jpg": b"a"})
    batch_id = make_sorted(services)
    write_tree(services.root(RootKind.BATCH).path, {"batch_001/notes.txt": b"mine", "batch_001/empty": {}})
    report = clean(services)
    assert batch_tree(services) == {"batch_001/notes.txt": b"mine", "batch_001/empty/": b""}
    assert report.detail["left"] == ["batch_001/empty", "batch_001/notes.txt"]
    assert get_batch(services, batch_id).cleaned_at is None
    assert kinds(services).count("orphan.found") == 1
    clean(services)
    assert kinds(services).count("orphan.found") == 1
    os.unlink(services.root(RootKind.BATCH).path + b"/batch_001/notes.txt")
    os.rmdir(services.root(RootKind.BATCH).path + b"/batch_001/empty")
    clean(services)
    assert batch_tree(services) == {}


def test_a_manifest_that_is_not_ours_any_more_is_not_removed(services: Services) -> None:
    take_in(services, {"a.jpg": b"a"})
    make_sorted(services)
    path = services.root(RootKind.BATCH).path + b"/batch_001/SHA256SUMS"
    with open(path, "ab") as file:
        file.write(b"edited by hand\n")
    clean(services)
    assert set(batch_tree(services)) == {"batch_001/SHA256SUMS"}


def test_a_failed_file_keeps_its_batch_folder(services: Services, tmp_path: Path) -> None:
    take_in(services, {"bad.jpg": b"1"})
    write_tree(services.root(RootKind.ARCHIVE).path, {"2024": b"in the way"})
    make_sorted(services)
    before = census(tmp_path)
    clean(services)
    assert "batch_001/bad.jpg" in batch_tree(services)
    assert census(tmp_path) == before


def test_copies_that_are_kept_in_the_batch_folder_keep_it(open_test_services: Opener) -> None:
    services = open_test_services(sorter={"transfer_mode": "copy"})
    take_in(services, {"a.jpg": b"a"})
    make_sorted(services)
    clean(services)
    assert set(batch_tree(services)) == {"batch_001/a.jpg", "batch_001/manifest.json", "batch_001/SHA256SUMS"}
    assert "orphan.found" not in kinds(services)


def test_the_staged_folder_of_a_cancelled_batch_goes(services: Services) -> None:
    take_in(services, {"a.jpg": b"a"})
    os.unlink(services.root(RootKind.INGEST).path + b"/a.jpg")
    batch.run(services, a_step(services, Stage.BATCH))
    assert get_batch(services, 1).status is BatchStatus.CANCELLED
    assert read_tree(services.root(RootKind.STAGING).path) != {}
    clean(services)
    assert read_tree(services.root(RootKind.STAGING).path) == {}


@pytest.mark.parametrize("kind", [RootKind.BATCH, RootKind.STAGING])
def test_a_file_without_a_row_is_listed_once_and_never_removed(services: Services, kind: RootKind) -> None:
    write_tree(services.root(kind).path, {"somewhere/photo.jpg": b"who are you"})
    assert clean(services).detail["orphans"] == 1
    clean(services)
    assert kinds(services).count("orphan.found") == 1
    assert read_tree(services.root(kind).path) == {"somewhere/photo.jpg": b"who are you"}
    with services.db.reading() as conn:
        assert left_in_place.paths_of(conn, services.root(kind).id) == {b"somewhere/photo.jpg"}


def test_a_file_that_a_row_misses_is_adopted_by_its_content(services: Services) -> None:
    (asset,) = take_in(services, {"a.jpg": b"the content"})
    make_delivered(services)
    root = services.root(RootKind.BATCH).path
    write_tree(root, {"batch_001/other.jpg": b"not content"})
    os.rename(batch_file(services, asset), root + b"/batch_001/renamed.jpg")
    detail = clean(services).detail
    assert (detail["adopted"], detail["orphans"], detail["missing"]) == (1, 1, 0)
    assert get_asset(services, asset.id).path == b"batch_001/renamed.jpg"
    assert "orphan.adopted" in kinds(services)
    assert_rows_agree(services)


def test_a_row_without_a_file_is_told_once_and_keeps_its_status(services: Services) -> None:
    (asset,) = take_in(services, {"a.jpg": b"a"})
    make_delivered(services)
    os.unlink(batch_file(services, asset))
    assert clean(services).detail["missing"] == 1
    clean(services)
    assert kinds(services).count("orphan.found") == 1
    assert statuses(services, asset.id) == ["delivered"]


def test_a_delivery_disk_that_is_unplugged_does_not_keep_the_rest_from_being_cleaned(
    open_test_services: Opener, tmp_path: Path
) -> None:
    services = open_test_services(sync={"target": "folder", "folder_dir": str(tmp_path / "usb-disk")})
    take_in(services, {"a.jpg": b"a"})
    make_sorted(services)
    (tmp_path / "usb-disk").rename(tmp_path / "unplugged")
    assert clean(services).outcome == "done"
    assert batch_tree(services) == {}


def test_trash_is_kept_for_its_days_and_dropped_afterwards(open_test_services: Opener, tmp_path: Path) -> None:
    services = open_test_services()
    (asset,) = take_in(services, {"a.jpg": b"a"})
    write_tree(services.root(RootKind.ARCHIVE).path, {"2024/05/06/a.jpg": b"a"})
    make_sorted(services)
    assert sum(census(tmp_path).values()) == 2
    clean(services)
    assert sum(census(tmp_path).values()) == 2
    clean(open_test_services(cleanup={"trash_days": 0}))
    assert sum(census(tmp_path).values()) == 1
    assert statuses(services, asset.id) == ["archived"]
    assert_rows_agree(services)


def test_a_log_file_that_is_too_large_is_rotated(open_test_services: Opener, tmp_path: Path) -> None:
    services = open_test_services(system={"log_max_mb": 1, "log_keep": 2})
    write_tree(tmp_path / "state" / "logs", {"worker.log": b"x" * 1_000_001, "worker.log.9": b"old", "mine.txt": b"m"})
    clean(services)
    assert set(read_tree(tmp_path / "state" / "logs")) == {"worker.log", "worker.log.1", "mine.txt"}


def test_after_one_batch_only_its_own_folder_is_looked_at_until_the_rest_is_due(services: Services) -> None:
    clean(services)
    write_tree(services.root(RootKind.BATCH).path, {"photo.jpg": b"orphan"})
    take_in(services, {"a.jpg": b"a"})
    batch_id = make_sorted(services)
    clean(services, batch_id)
    assert "orphan.found" not in kinds(services)
    clean(services)
    assert "orphan.found" in kinds(services)


def test_a_folder_that_a_person_made_in_ingest_stays_though_it_is_empty(services: Services) -> None:
    take_in(services, {"album/a.jpg": b"a"})
    make_sorted(services)
    clean(services)
    assert read_tree(services.root(RootKind.INGEST).path) == {"album/": b""}


def test_every_photo_survives_a_cleanup_of_everything(services: Services, tmp_path: Path) -> None:
    take_in(services, {f"{n}/IMG_1.JPG": b"%d" % n for n in range(5)})
    make_sorted(services)
    take_in(services, {"next.jpg": b"next"})
    before = census(tmp_path)
    clean(services)
    with services.db.transaction() as conn:
        assert batches.find_open(conn) is None
        assert assets.count(conn, get_asset(services, 1).status) == 5
    assert census(tmp_path) == before
