"""No photo ends in a state from which nothing takes it further, while its content is nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

from app import jobs
from app.db import assets, batches, runs
from app.files.roots import add_missing_roots
from app.model import AssetStatus, Batch, BatchStatus, RunStatus
from app.services import Services
from tests.conftest import make_config, make_jpeg, make_services, read_tree, write_tree
from tests.pipeline.library import assert_rows_agree
from tests.pipeline.running import Opener, count, fill, go, messages, the_batches, workflow
from tests.pipeline.stages import change, ingest, rows, run_scan, states, take_stock

PHOTO = make_jpeg(taken="2024:05:06 07:08:09", seed=1)
OTHER = make_jpeg(taken="2024:05:07 07:08:09", seed=2)


def two_of_a_kind(services: Services) -> None:
    """The same photo twice; the older file is the original."""
    write_tree(ingest(services), {"first.jpg": PHOTO, "second.jpg": PHOTO})
    os.utime(ingest(services) + b"/first.jpg", (1_600_000_000, 1_600_000_000))
    take_stock(services)
    assert states(services) == {b"first.jpg": "unique", b"second.jpg": "duplicate"}
    end_run(services)


def end_run(services: Services) -> None:
    """The steps taken so far belong to a run that has ended."""
    with services.db.reading() as conn:
        run = runs.find_in_flight(conn)
    assert run is not None
    jobs.cancel(services, run.id)


def archived(services: Services) -> list[bytes]:
    return sorted(read_tree(services.config.paths.sorted_dir).values())


def test_a_duplicate_whose_original_was_edited_is_archived_for_itself(services: Services) -> None:
    two_of_a_kind(services)
    write_tree(ingest(services), {"first.jpg": OTHER})
    assert workflow(services).status is RunStatus.DONE
    assert archived(services) == sorted([PHOTO, OTHER])


def test_a_duplicate_whose_original_could_not_be_read_is_archived_for_itself(services: Services) -> None:
    two_of_a_kind(services)
    change(services, rows(services)[b"first.jpg"], AssetStatus.FAILED, reason="cannot be read")
    assert workflow(services).status is RunStatus.DONE
    assert archived(services) == [PHOTO]


def test_a_duplicate_of_a_file_that_was_set_aside_goes_on_in_its_place(services: Services) -> None:
    two_of_a_kind(services)
    change(services, rows(services)[b"first.jpg"], AssetStatus.SET_ASIDE, reason="its name cannot be sent")
    assert workflow(services).status is RunStatus.DONE
    assert archived(services) == [PHOTO]


def test_a_quarantined_duplicate_whose_original_vanished_is_archived(open_test_services: Opener) -> None:
    services = open_test_services(dedup={"duplicate_policy": "quarantine"})
    two_of_a_kind(services)
    os.unlink(ingest(services) + b"/first.jpg")
    assert workflow(services).status is RunStatus.DONE
    assert archived(services) == [PHOTO]
    assert_rows_agree(services)


def test_a_photo_that_waits_for_a_review_of_its_date_is_not_delivered_twice(open_test_services: Opener) -> None:
    services = open_test_services(sorter={"weak_dates": "review"})
    undated = make_jpeg(seed=9)
    write_tree(ingest(services), {"img.jpg": undated})
    workflow(services)
    write_tree(ingest(services), {"again.jpg": undated, "img.jpg": undated})
    workflow(services)
    assert read_tree(services.config.paths.sorted_dir) == {"review/img.jpg": undated}
    assert states(services) == {b"review/img.jpg": "set_aside", b"again.jpg": "duplicate", b"img.jpg": "duplicate"}


def test_a_path_that_is_near_the_longest_there_is_goes_all_the_way(services: Services) -> None:
    deep = b"/".join([b"d" * 250] * 14)
    path = deep + b"/" + b"n" * 251 + b".jpg"
    base = os.open(ingest(services), os.O_RDONLY)
    here = base
    for part in deep.split(b"/"):
        os.mkdir(part, dir_fd=here)
        here = os.open(part, os.O_RDONLY, dir_fd=here)
    fd = os.open(path.rpartition(b"/")[2], os.O_WRONLY | os.O_CREAT, dir_fd=here)
    os.write(fd, PHOTO)
    os.close(fd)
    run = workflow(services)
    assert run.status is RunStatus.DONE
    assert archived(services) == [PHOTO]


def test_files_of_a_former_ingest_folder_neither_block_the_pipeline_nor_go_unsaid(
    tmp_path: Path, services: Services
) -> None:
    write_tree(ingest(services), {"old.jpg": PHOTO, "new-in-old.jpg": OTHER})
    take_stock(services)
    write_tree(ingest(services), {"late.jpg": make_jpeg(taken="2024:05:07 07:08:09", seed=3)})
    run_scan(services)
    end_run(services)
    os.rename(tmp_path / "ingest", tmp_path / "away")
    config = make_config(tmp_path, paths={"source_dir": str(tmp_path / "incoming")})
    add_missing_roots(services.db, config)
    moved = make_services(tmp_path, paths={"source_dir": str(tmp_path / "incoming")})
    third = make_jpeg(taken="2024:05:07 07:08:09", seed=4)
    write_tree(ingest(moved), {"third.jpg": third})
    run = workflow(moved)
    assert run.status is RunStatus.DONE
    assert archived(moved) == [third]
    assert any("3 files" in m for m in messages(moved, "scan"))
    moved.close()


def test_in_copy_mode_rescans_and_a_late_duplicate_never_batch_a_photo_twice(open_test_services: Opener) -> None:
    services = open_test_services(batch={"transfer_mode": "copy"}, sorter={"transfer_mode": "copy"})
    write_tree(ingest(services), {"a.jpg": PHOTO})
    workflow(services)
    write_tree(ingest(services), {"late.jpg": PHOTO})
    workflow(services)
    workflow(services)
    assert len(the_batches(services)) == 1
    assert states(services) == {b"2024/05/06/a.jpg": "archived", b"late.jpg": "duplicate"}
    assert read_tree(services.config.paths.source_dir) == {"a.jpg": PHOTO, "late.jpg": PHOTO}
    assert read_tree(services.config.paths.sorted_dir) == {"2024/05/06/a.jpg": PHOTO}
    assert_rows_agree(services)


def test_a_batch_that_was_to_be_filled_from_a_former_ingest_folder_is_given_up_and_blocks_nothing(
    open_test_services: Opener, tmp_path: Path
) -> None:
    services = open_test_services()
    fill(services, 2)
    batch = bind_what_waits(services)
    os.rename(tmp_path / "ingest", tmp_path / "away")
    elsewhere = {"source_dir": str(tmp_path / "incoming")}
    add_missing_roots(services.db, make_config(tmp_path, paths=elsewhere))
    changed = open_test_services(paths=elsewhere)
    assert go(changed, jobs.retry_batch(changed, batch.id)).status is RunStatus.DONE
    assert the_batches(changed)[0].status is BatchStatus.CANCELLED
    fill(changed, 1, first=9)
    assert workflow(changed).status is RunStatus.DONE
    assert count(changed, AssetStatus.ARCHIVED) == 1
    assert "2 files wait in this folder" in messages(changed, "scan")[-1]


def bind_what_waits(services: Services) -> Batch:
    """A batch that failed after its files were bound to it and before the first was moved."""
    take_stock(services)
    end_run(services)
    with services.db.transaction() as conn:
        batch = batches.reserve(
            conn, naming_pattern="batch_{index:03d}", allow_parallel=False, target="none", transfer_mode="move",
            peer_policy="keep", device_id=None,
        )  # fmt: skip
        waiting = assets.list_by_status(conn, AssetStatus.UNIQUE)
        assets.set_columns(conn, [(asset.id, {"batch_id": batch.id}) for asset in waiting])
        batches.set_columns(conn, batch.id, file_count=len(waiting))
        return batches.change(conn, batches.get(conn, batch.id), BatchStatus.ERROR, error="cut", error_from="PENDING")
