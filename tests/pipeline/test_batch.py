"""The batch stage: what it chooses, what is on disk and in the rows afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config.schema import Batch as BatchSettings
from app.db import assets, batches, journal
from app.db.new_content import take_content
from app.db.waiting import WaitingGroup
from app.errors import IllegalTransition, RootUnavailable
from app.model import AssetStatus, BatchStatus, Place, Report, RootKind, Stage
from app.pipeline import batch
from app.pipeline.batch import Budget, budget_of, choose
from app.pipeline.manifest import MANIFEST_NAME, parse
from app.pipeline.manifest_store import archive_path, load_newest, read_own_file
from app.pipeline.step import Stopped
from app.services import Services
from tests.conftest import read_tree, write_tree
from tests.pipeline.library import (
    a_step,
    assert_rows_agree,
    census,
    get_asset,
    get_batch,
    ingest_path,
    kinds,
    rewrite,
    statuses,
    take_in,
)

Opener = Callable[..., Services]
OURS = {"manifest.json", "SHA256SUMS"}


def make_batch(services: Services, batch_id: int | None = None) -> Report:
    return batch.run(services, a_step(services, Stage.BATCH, batch_id))


def published(services: Services) -> dict[str, bytes]:
    """What lies below the batch root, but our own two files and Syncthing's marker."""
    tree = read_tree(services.root(RootKind.BATCH).path)
    return {p: content for p, content in tree.items() if os.path.basename(p) not in OURS and p != ".stfolder/"}


# --- decide

groups = st.lists(
    st.builds(WaitingGroup, key=st.integers(1, 10**6), first_taken=st.just("2024"), file_count=st.integers(1, 5),
              size_bytes=st.integers(0, 100)),
    max_size=12,
)
budgets = st.builds(Budget, max_bytes=st.integers(0, 200), max_files=st.integers(0, 12))


@given(groups, budgets)
def test_batches_are_runs_of_whole_groups_in_order_and_keep_the_budget(
    waiting: list[WaitingGroup], budget: Budget
) -> None:
    left, made = waiting, []
    while left:
        choice = choose(left, budget)
        assert choice.groups, "every call makes progress"
        assert list(choice.groups) == left[: len(choice.groups)]
        size = sum(g.size_bytes for g in choice.groups)
        files = sum(g.file_count for g in choice.groups)
        assert budget.holds(size, files) or (choice.is_oversize and len(choice.groups) == 1)
        if len(choice.groups) < len(left) and not choice.is_oversize:
            following = left[len(choice.groups)]
            assert not budget.holds(size + following.size_bytes, files + following.file_count)
        made += choice.groups
        left = left[len(choice.groups) :]
    assert made == waiting


def test_the_budget_is_the_cap_that_selection_mode_names() -> None:
    assert budget_of(BatchSettings(max_size_gb=1.5, max_files=7)) == Budget(max_bytes=3 * 2**29)
    assert budget_of(BatchSettings(max_size_gb=1.5, max_files=7, selection_mode="files")) == Budget(max_files=7)


# --- run


def test_a_batch_is_published_with_its_manifest_and_sha256sum_agrees(services: Services, tmp_path: Path) -> None:
    tree = {"trip/IMG_1.JPG": b"one", "trip/IMG_1.CR2": b"raw", "two.jpg": b"two", b"bad\xff.jpg": b"4"}
    made = take_in(services, tree)
    before = census(tmp_path)
    report = make_batch(services)
    assert (report.outcome, report.done, report.size_bytes) == ("done", 4, 10)
    assert published(services) == {
        "batch_001/trip/IMG_1.JPG": b"one",
        "batch_001/trip/IMG_1.CR2": b"raw",
        "batch_001/two.jpg": b"two",
        os.fsdecode(b"batch_001/bad\xff.jpg"): b"4",
    }
    assert read_tree(services.root(RootKind.INGEST).path) == {"trip/": b""}
    assert read_tree(services.root(RootKind.STAGING).path) == {}
    assert statuses(services, *(a.id for a in made)) == ["batched"] * 4
    row = get_batch(services, 1)
    assert (row.status, row.file_count, row.size_bytes, row.published_at is not None) == ("PENDING", 4, 10, True)
    checked = subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=tmp_path / "batches" / "batch_001",
                             capture_output=True, check=False)
    assert checked.returncode == 0
    assert checked.stdout.count(b": OK\n") == 4
    assert kinds(services)[-2:] == ["batch.created", "batch.published"]
    assert census(tmp_path) == before
    assert_rows_agree(services)


def test_the_manifest_has_no_host_path_and_a_second_copy_in_the_archive(services: Services, tmp_path: Path) -> None:
    take_in(services, {"trip/IMG_1.JPG": b"one"})
    make_batch(services)
    content = (tmp_path / "batches" / "batch_001" / "manifest.json").read_bytes()
    assert os.fsencode(tmp_path) not in content
    manifest = parse(content)
    assert [(f.path, f.origin, f.size_bytes) for f in manifest.files] == [(b"trip/IMG_1.JPG", b"trip/IMG_1.JPG", 3)]
    assert json.loads(content)["files"][0]["digest_algorithm"] == "sha256"
    archive = services.root(RootKind.ARCHIVE)
    assert read_own_file(Place(archive, archive_path("batch_001"))) == content
    assert get_batch(services, 1).manifest_path == archive_path("batch_001")


def test_nothing_waiting_is_idle_and_leaves_no_row(services: Services) -> None:
    assert make_batch(services).outcome == "idle"
    with services.db.transaction() as conn:
        assert batches.list_recent(conn) == []


def test_a_reserved_batch_is_filled_and_an_empty_one_is_dropped(services: Services) -> None:
    reserved = reserve(services)
    assert make_batch(services, reserved).outcome == "idle"
    with services.db.transaction() as conn:
        assert batches.find(conn, reserved) is None
    take_in(services, {"a.jpg": b"a"})
    reserved = reserve(services)
    report = make_batch(services, reserved)
    assert (report.outcome, report.batch_id) == ("done", reserved)
    assert make_batch(services, reserved).outcome == "idle"


def reserve(services: Services, transfer_mode: str = "move") -> int:
    with services.db.transaction() as conn:
        return batches.reserve(conn, naming_pattern="batch_{index:03d}", allow_parallel=False, target="none",
                               transfer_mode=transfer_mode, peer_policy="keep", device_id=None).id


def test_an_open_batch_blocks_the_next_one_unless_parallel_is_allowed(
    services: Services, open_test_services: Opener
) -> None:
    take_in(services, {"a.jpg": b"a"})
    make_batch(services)
    take_in(services, {"b.jpg": b"b"})
    report = make_batch(services)
    assert report.outcome == "blocked"
    assert "batch_001" in report.message
    assert "PENDING" in report.message
    report = make_batch(open_test_services(batch={"allow_parallel": True}))
    assert (report.outcome, report.batch_id) == ("done", 2)


def test_a_batch_in_another_status_is_not_built(services: Services) -> None:
    reserved = reserve(services)
    with services.db.transaction() as conn:
        batches.change(conn, batches.get(conn, reserved), BatchStatus.CANCELLED)
    with pytest.raises(IllegalTransition):
        make_batch(services, reserved)


def test_whole_groups_are_chosen_in_capture_order_by_count(open_test_services: Opener) -> None:
    services = open_test_services(batch={"selection_mode": "files", "max_files": 3})
    take_in(services, {"late.jpg": b"late"}, taken="2024-09-01T00:00:00")
    take_in(services, {"IMG_1.JPG": b"j", "IMG_1.CR2": b"r"}, taken="2024-01-01T00:00:00")
    take_in(services, {"IMG_2.JPG": b"j2", "IMG_2.CR2": b"r2"}, taken="2024-02-01T00:00:00")
    make_batch(services)
    assert set(published(services)) == {"batch_001/IMG_1.JPG", "batch_001/IMG_1.CR2"}


def test_a_group_larger_than_the_budget_becomes_a_batch_of_its_own_and_says_so(open_test_services: Opener) -> None:
    """The predecessor left such files behind for ever, in silence."""
    services = open_test_services(batch={"max_size_gb": 3 / 2**30, "allow_parallel": True})
    take_in(services, {"big.mp4": b"x" * 50})
    take_in(services, {"small.jpg": b"s"}, taken="2024-06-01T00:00:00")
    assert make_batch(services).done == 1
    assert set(published(services)) == {"batch_001/big.mp4"}
    assert "batch.oversize_accepted" in kinds(services)
    make_batch(services)
    assert "batch_002/small.jpg" in published(services)


def test_a_group_waits_for_a_member_that_is_not_ready(services: Services) -> None:
    (ready,) = take_in(services, {"IMG_1.JPG": b"j"})
    (waiting,) = take_in(services, {"IMG_1.CR2": b"r"})
    with services.db.transaction() as conn:
        assets.mark(conn, [waiting], AssetStatus.DISCOVERED)
    assert make_batch(services).outcome == "idle"
    assert statuses(services, ready.id) == ["unique"]


def test_files_of_the_same_name_in_different_folders_never_meet(services: Services, tmp_path: Path) -> None:
    """The predecessor kept only the name, and the second file overwrote the first."""
    take_in(services, {"a/IMG_1.JPG": b"first", "b/IMG_1.JPG": b"second", "a/img_1.jpg": b"third"})
    before = census(tmp_path)
    make_batch(services)
    assert published(services) == {
        "batch_001/a/IMG_1.JPG": b"first",
        "batch_001/b/IMG_1.JPG": b"second",
        "batch_001/a/img_1_1.jpg": b"third",
    }
    assert census(tmp_path) == before


def test_the_folder_that_the_peer_sees_holds_a_batch_as_a_whole_or_not_at_all(services: Services) -> None:
    """The predecessor built batches inside the shared folder, where half a copy could be sent."""
    take_in(services, {f"{n}.jpg": b"%d" % n for n in range(5)})
    with services.db.reading() as conn:
        assert journal.list_events(conn, kind_prefix="batch.") == []
    make_batch(services)
    with services.db.reading() as conn:
        rows = conn.exec_driver_sql("SELECT is_directory, dst_root_id FROM moves ORDER BY id").all()
    batch_root = services.root(RootKind.BATCH).id
    assert [bool(folder) for folder, root_id in rows if root_id == batch_root] == [True]


def test_names_that_syncthing_cannot_carry_are_set_aside_with_a_reason(open_test_services: Opener) -> None:
    services = open_test_services(sync={"target": "syncthing"}, syncthing={"folder_id": "f"})
    bad = take_in(services, {b"bad\xff.jpg": b"1", "~syncthing~x.jpg": b"2", ".syncthing.y.jpg": b"3"})
    nfd = unicodedata.normalize("NFD", "é.jpg")
    (twin,) = take_in(services, {nfd: b"4"})
    report = make_batch(services)
    assert (report.done, statuses(services, *(a.id for a in bad))) == (1, ["set_aside"] * 3)
    assert all(get_asset(services, a.id).reason for a in bad)
    assert kinds(services).count("asset.set_aside") == 3
    assert published(services) == {"batch_001/é.jpg": b"4"}
    (listed,) = parse(((services.root(RootKind.BATCH).path + b"/batch_001/" + MANIFEST_NAME) and read_own_file(
        Place(services.root(RootKind.BATCH), b"batch_001/" + MANIFEST_NAME))) or b"").files
    assert (listed.path, listed.origin) == ("é.jpg".encode(), nfd.encode())
    assert get_asset(services, twin.id).origin_path == nfd.encode()


def test_copy_mode_keeps_the_ingest_copy_and_counts_the_asset_once(open_test_services: Opener, tmp_path: Path) -> None:
    services = open_test_services(batch={"transfer_mode": "copy"})
    (asset,) = take_in(services, {"a.jpg": b"a"})
    make_batch(services)
    assert read_tree(services.root(RootKind.INGEST).path) == {"a.jpg": b"a"}
    assert published(services) == {"batch_001/a.jpg": b"a"}
    assert statuses(services, asset.id) == ["batched"]
    assert max(census(tmp_path).values()) == 2
    assert_rows_agree(services)


def test_a_file_that_changed_after_it_was_read_leaves_the_batch_and_is_read_again(services: Services) -> None:
    changed, vanished, good = take_in(services, {"changed.jpg": b"old", "vanished.jpg": b"v", "good.jpg": b"g"})
    rewrite(services, changed, b"new content")
    os.unlink(ingest_path(services, "vanished.jpg"))
    report = make_batch(services)
    assert (report.done, len(report.failures)) == (1, 2)
    assert statuses(services, changed.id, vanished.id, good.id) == ["discovered", "gone", "batched"]
    assert get_asset(services, changed.id).batch_id is None
    assert read_tree(services.root(RootKind.INGEST).path) == {"changed.jpg": b"new content"}
    assert {"asset.changed", "asset.vanished"} <= set(kinds(services))
    row = get_batch(services, 1)
    assert (row.file_count, row.size_bytes) == (1, 1)


def test_when_files_drop_out_a_second_revision_of_the_manifest_says_what_is_there(services: Services) -> None:
    take_in(services, {"gone.jpg": b"1", "stays.jpg": b"2"})
    os.unlink(ingest_path(services, "gone.jpg"))
    make_batch(services)
    archive, batch_root = services.root(RootKind.ARCHIVE), services.root(RootKind.BATCH)
    first = parse(read_own_file(Place(archive, archive_path("batch_001"))) or b"")
    second = parse(read_own_file(Place(archive, archive_path("batch_001", 2))) or b"")
    shipped = parse(read_own_file(Place(batch_root, b"batch_001/manifest.json")) or b"")
    assert [f.path for f in first.files] == [b"gone.jpg", b"stays.jpg"]
    assert [f.path for f in second.files] == [b"stays.jpg"]
    assert shipped == second == load_newest(archive, get_batch(services, 1))
    assert get_batch(services, 1).manifest_path == archive_path("batch_001", 2)
    assert subprocess.run(["sha256sum", "-c", "--strict", "--quiet", "SHA256SUMS"], check=False,
                          cwd=batch_root.path + b"/batch_001").returncode == 0


def test_a_batch_whose_files_are_all_gone_ends_cancelled_and_does_not_block(services: Services) -> None:
    (gone,) = take_in(services, {"gone.jpg": b"1"})
    os.unlink(ingest_path(services, "gone.jpg"))
    make_batch(services)
    assert get_batch(services, 1).status is BatchStatus.CANCELLED
    assert statuses(services, gone.id) == ["gone"]
    take_in(services, {"next.jpg": b"2"})
    assert make_batch(services).done == 1


def test_a_folder_that_somebody_else_made_is_not_touched_and_another_name_is_taken(services: Services) -> None:
    write_tree(services.root(RootKind.BATCH).path, {"batch_001": {"foreign.txt": b"mine"}})
    take_in(services, {"a.jpg": b"a"})
    make_batch(services)
    assert get_batch(services, 1).name == "batch_002"
    assert published(services) == {"batch_001/foreign.txt": b"mine", "batch_002/a.jpg": b"a"}


def test_a_photo_that_has_the_name_of_our_manifest_is_kept_beside_it(services: Services) -> None:
    take_in(services, {"manifest.json": b"a photo?", "SHA256SUMS": b"another"})
    make_batch(services)
    tree = read_tree(services.root(RootKind.BATCH).path)
    assert tree["batch_001/manifest_1.json"] == b"a photo?"
    assert tree["batch_001/SHA256SUMS_1"] == b"another"


def test_a_batch_for_which_there_is_no_room_is_refused_before_anything_is_touched(open_test_services: Opener) -> None:
    """The predecessor began and found out half-way."""
    services = open_test_services(batch={"transfer_mode": "copy"})
    (asset,) = take_in(services, {"huge.mp4": b""})
    room = os.statvfs(services.root(RootKind.STAGING).path)
    with services.db.transaction() as conn:
        size_bytes = room.f_bavail * room.f_frsize + 10**9
        take_content(conn, asset, asset.signature._replace(size_bytes=size_bytes))
        assets.set_columns(conn, [(asset.id, {"digest": "d", "sha256": "d", "inspected_at": "2025"})])
    report = make_batch(services)
    assert report.outcome == "failed"
    assert "free" in report.message
    with services.db.transaction() as conn:
        assert batches.list_recent(conn) == []
    reserved = reserve(services, transfer_mode="copy")
    assert make_batch(services, reserved).outcome == "failed"
    row = get_batch(services, reserved)
    assert (row.status, row.error_from, "free" in (row.error or "")) == ("ERROR", "PENDING", True)


def test_without_its_marker_a_folder_counts_as_not_mounted_and_no_batch_is_begun(services: Services) -> None:
    (asset,) = take_in(services, {"a.jpg": b"a"})
    os.unlink(services.root(RootKind.BATCH).path + b"/.media-pipeline-root")
    with pytest.raises(RootUnavailable, match="marker"):
        make_batch(services)
    assert statuses(services, asset.id) == ["unique"]
    assert read_tree(services.root(RootKind.INGEST).path) == {"a.jpg": b"a"}


def test_a_build_that_a_person_pauses_goes_on_where_it_was(open_test_services: Opener, tmp_path: Path) -> None:
    services = open_test_services()
    made = take_in(services, {f"{n}.jpg": b"%d" % n for n in range(300)})
    before = census(tmp_path)
    step = a_step(services, Stage.BATCH)
    step.stopping.set()
    with pytest.raises(Stopped):
        batch.run(services, step)
    assert get_batch(services, 1).published_at is None
    assert published(services) == {}
    assert make_batch(services).done == 300
    assert statuses(services, *(a.id for a in made)) == ["batched"] * 300
    assert census(tmp_path) == before


def test_a_name_of_255_bytes_and_a_deep_folder_go_through(services: Services) -> None:
    name = "é" * 125 + ".jpg"
    folder = "/".join(["d" * 200] * 5)
    take_in(services, {name: b"long", f"{folder}/a.jpg": b"deep"})
    assert make_batch(services).done == 2
    assert published(services) == {f"batch_001/{name}": b"long", f"batch_001/{folder}/a.jpg": b"deep"}
