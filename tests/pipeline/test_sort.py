"""The sort stage: what lies where in the archive afterwards, and what every file's row says."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.db import assets, batches
from app.errors import IllegalTransition, RootUnavailable
from app.model import Asset, AssetStatus, BatchStatus, Report, RootKind, Stage
from app.pipeline import batch, sort
from app.pipeline.sort import what_it_waits_for
from app.services import Services
from tests.conftest import make_services, read_tree, write_tree
from tests.pipeline.library import (
    a_step,
    assert_rows_agree,
    census,
    deliver,
    get_asset,
    get_batch,
    kinds,
    rewrite,
    signature_at,
    statuses,
    take_in,
)

Opener = Callable[..., Services]
DAY = "2024/05/06"
NAMES = ("IMG_1.JPG", "IMG_1.CR2", "img_1.jpg", "x.mp4")


def make_delivered(services: Services) -> int:
    """Everything that waits becomes one delivered batch."""
    report = batch.run(services, a_step(services, Stage.BATCH))
    assert report.batch_id is not None
    deliver(services, report.batch_id)
    return report.batch_id


def sort_batch(services: Services, batch_id: int | None = None) -> Report:
    return sort.run(services, a_step(services, Stage.SORT, batch_id))


def archive(services: Services) -> dict[str, bytes]:
    return read_tree(services.root(RootKind.ARCHIVE).path)


def batch_file(services: Services, asset: Asset) -> bytes:
    return services.root(RootKind.BATCH).path + b"/" + get_asset(services, asset.id).path


def test_a_delivered_batch_is_filed_by_day(services: Services, tmp_path: Path) -> None:
    made = take_in(services, {"trip/IMG_1.JPG": b"one", "trip/IMG_1.CR2": b"raw"})
    made += take_in(services, {"IMG_2.JPG": b"two"}, taken="2023-12-31T23:59:59.5")
    before = census(tmp_path)
    batch_id = make_delivered(services)
    report = sort_batch(services, batch_id)
    assert (report.outcome, report.done, report.size_bytes, report.failures) == ("done", 3, 9, [])
    assert archive(services) == {
        f"{DAY}/IMG_1.JPG": b"one", f"{DAY}/IMG_1.CR2": b"raw", "2023/12/31/IMG_2.JPG": b"two",
    }
    assert statuses(services, *(a.id for a in made)) == ["archived"] * 3
    assert get_batch(services, batch_id).status is BatchStatus.SORTED
    assert kinds(services)[-2:] == ["batch.sort_started", "batch.sorted"]
    assert census(tmp_path) == before
    assert_rows_agree(services)


@pytest.mark.parametrize("status", [BatchStatus.PENDING, BatchStatus.SYNCING, BatchStatus.ERROR, BatchStatus.CANCELLED])
def test_a_batch_that_was_not_delivered_is_refused_in_words(services: Services, status: BatchStatus) -> None:
    """The predecessor sorted batches that the peer had never seen."""
    take_in(services, {"a.jpg": b"a"})
    batch_id = batch.run(services, a_step(services, Stage.BATCH)).batch_id
    assert batch_id is not None
    if status is not BatchStatus.PENDING:
        with services.db.transaction() as conn:
            batches.change(conn, batches.get(conn, batch_id), status)
    with pytest.raises(IllegalTransition, match=f"Batch batch_001 is {status} and cannot become SORTING"):
        sort_batch(services, batch_id)
    assert archive(services) == {}


def test_without_a_delivered_batch_there_is_nothing_to_do(services: Services) -> None:
    assert sort_batch(services).outcome == "idle"


def test_a_sorted_batch_is_not_sorted_again(services: Services) -> None:
    take_in(services, {"a.jpg": b"a"})
    batch_id = make_delivered(services)
    sort_batch(services, batch_id)
    assert sort_batch(services, batch_id).outcome == "idle"


def test_a_batch_waits_for_its_grace_time_and_for_the_peers_release(services: Services) -> None:
    take_in(services, {"a.jpg": b"a"})
    batch_id = make_delivered(services)
    with services.db.transaction() as conn:
        batches.set_columns(conn, batch_id, next_look_at="9999-01-01T00:00:00.000000+00:00")
    assert sort_batch(services, batch_id).outcome == "waiting"
    with services.db.transaction() as conn:
        batches.set_columns(conn, batch_id, next_look_at=None, target="syncthing", peer_policy="release")
    assert sort_batch(services, batch_id).outcome == "waiting"
    with services.db.transaction() as conn:
        batches.set_columns(conn, batch_id, released_at="2025-01-01T00:00:00+00:00")
    assert what_it_waits_for(get_batch(services, batch_id), "2025") is None
    assert sort_batch(services, batch_id).outcome == "done"


def test_other_content_at_the_target_gives_the_whole_group_the_same_suffix(services: Services, tmp_path: Path) -> None:
    write_tree(services.root(RootKind.ARCHIVE).path, {f"{DAY}/IMG_1.JPG": b"other camera"})
    take_in(services, {"IMG_1.JPG": b"mine", "IMG_1.CR2": b"raw", "IMG_1.JPG.xmp": b"sidecar"})
    before = census(tmp_path)
    sort_batch(services, make_delivered(services))
    assert archive(services) == {
        f"{DAY}/IMG_1.JPG": b"other camera",
        f"{DAY}/IMG_1_1.JPG": b"mine",
        f"{DAY}/IMG_1_1.CR2": b"raw",
        f"{DAY}/IMG_1_1.JPG.xmp": b"sidecar",
    }
    assert census(tmp_path) == before
    assert_rows_agree(services)


def test_same_names_from_many_folders_all_get_their_own_name(services: Services, tmp_path: Path) -> None:
    take_in(services, {f"{n}/IMG_1.JPG": b"content %d" % n for n in range(40)})
    before = census(tmp_path)
    sort_batch(services, make_delivered(services))
    expected = {f"{DAY}/IMG_1.JPG", *(f"{DAY}/IMG_1_{n}.JPG" for n in range(1, 40))}
    assert set(archive(services)) == expected
    assert census(tmp_path) == before
    assert_rows_agree(services)


def test_the_same_content_at_the_target_is_recorded_and_no_second_copy_is_made(services: Services) -> None:
    write_tree(services.root(RootKind.ARCHIVE).path, {f"{DAY}/IMG_1.JPG": b"same"})
    inode = os.lstat(services.root(RootKind.ARCHIVE).path + f"/{DAY}/IMG_1.JPG".encode()).st_ino
    (asset,) = take_in(services, {"IMG_1.JPG": b"same"})
    sort_batch(services, make_delivered(services))
    assert archive(services) == {f"{DAY}/IMG_1.JPG": b"same"}
    assert os.lstat(services.root(RootKind.ARCHIVE).path + f"/{DAY}/IMG_1.JPG".encode()).st_ino == inode
    assert statuses(services, asset.id) == ["archived"]
    assert_rows_agree(services)


def test_content_that_another_asset_holds_at_the_target_becomes_its_duplicate_and_is_kept(
    services: Services, tmp_path: Path
) -> None:
    (first,) = take_in(services, {"IMG_1.JPG": b"same"})
    sort_batch(services, make_delivered(services))
    (second,) = take_in(services, {"again/IMG_1.JPG": b"same"})
    before = census(tmp_path)
    sort_batch(services, make_delivered(services))
    assert archive(services) == {f"{DAY}/IMG_1.JPG": b"same"}
    assert statuses(services, first.id, second.id) == ["archived", "duplicate"]
    assert get_asset(services, second.id).original_id == first.id
    assert read_tree(services.root(RootKind.DUPLICATES).path) == {"batch_002/again/IMG_1.JPG": b"same"}
    assert census(tmp_path) == before
    assert_rows_agree(services)


def test_empty_files_of_one_name_are_both_kept(services: Services) -> None:
    take_in(services, {"a/x.jpg": b"", "b/x.jpg": b""})
    sort_batch(services, make_delivered(services))
    assert archive(services) == {f"{DAY}/x.jpg": b"", f"{DAY}/x_1.jpg": b""}
    assert_rows_agree(services)


def test_a_255_byte_name_that_collides_keeps_its_extension(services: Services) -> None:
    name = "é" * 125 + ".jpg"
    take_in(services, {f"a/{name}": b"1", f"b/{name}": b"2"})
    sort_batch(services, make_delivered(services))
    other = next(path for path in archive(services) if path != f"{DAY}/{name}")
    assert other.endswith("é_1.jpg")
    assert_rows_agree(services)


def test_a_name_that_was_changed_for_the_peer_gets_its_own_name_back(open_test_services: Opener) -> None:
    services = open_test_services(sync={"target": "syncthing"}, syncthing={"folder_id": "f"})
    take_in(services, {"A.jpg": b"1", "a.jpg": b"2", "e\u0301.jpg": b"3"})
    batch_id = make_delivered(services)
    sort_batch(services, batch_id)
    assert archive(services) == {f"{DAY}/A.jpg": b"1", f"{DAY}/a.jpg": b"2", f"{DAY}/e\u0301.jpg": b"3"}


def test_a_file_that_vanished_from_the_batch_folder_is_reported_and_never_skipped_in_silence(
    services: Services,
) -> None:
    """The predecessor skipped a missing file and called the batch sorted."""
    lost, _ = take_in(services, {"lost.jpg": b"1", "good.jpg": b"2"})
    batch_id = make_delivered(services)
    os.unlink(batch_file(services, lost))
    report = sort_batch(services, batch_id)
    assert [f.asset_id for f in report.failures] == [lost.id]
    assert statuses(services, lost.id) == ["failed"]
    assert "no other copy" in (get_asset(services, lost.id).reason or "")
    assert "asset.failed" in kinds(services)
    assert archive(services) == {f"{DAY}/good.jpg": b"2"}
    assert get_batch(services, batch_id).status is BatchStatus.SORTED


def test_a_file_that_vanished_or_changed_is_taken_from_its_kept_copy(open_test_services: Opener) -> None:
    services = open_test_services(batch={"transfer_mode": "copy"})
    lost, edited = take_in(services, {"lost.jpg": b"one", "edited.jpg": b"two"})
    batch_id = make_delivered(services)
    os.unlink(batch_file(services, lost))
    rewrite(services, get_asset(services, edited.id), b"edited by the peer")
    assert sort_batch(services, batch_id).failures == []
    assert archive(services) == {f"{DAY}/lost.jpg": b"one", f"{DAY}/edited.jpg": b"two"}
    assert read_tree(services.root(RootKind.INGEST).path) == {"lost.jpg": b"one", "edited.jpg": b"two"}
    assert_rows_agree(services)


def test_a_file_that_the_peer_changed_fails_and_both_contents_stay(services: Services) -> None:
    (edited,) = take_in(services, {"edited.jpg": b"two"})
    batch_id = make_delivered(services)
    rewrite(services, get_asset(services, edited.id), b"edited by the peer")
    report = sort_batch(services, batch_id)
    assert "changed" in report.failures[0].reason
    assert read_tree(batch_folder(services))["edited.jpg"] == b"edited by the peer"


def batch_folder(services: Services) -> bytes:
    return services.root(RootKind.BATCH).path + b"/batch_001"


def test_a_file_that_was_filed_without_its_row_knowing_is_found_there(services: Services) -> None:
    """As after a crash between a move and its row in the predecessor, or with a database restored from a backup."""
    (asset,) = take_in(services, {"a.jpg": b"a"})
    batch_id = make_delivered(services)
    target = services.root(RootKind.ARCHIVE).path + f"/{DAY}/a.jpg".encode()
    os.makedirs(os.path.dirname(target))
    os.rename(batch_file(services, asset), target)
    assert sort_batch(services, batch_id).failures == []
    assert statuses(services, asset.id) == ["archived"]
    assert "orphan.adopted" in kinds(services)
    assert_rows_agree(services)


def test_one_bad_file_fails_after_three_tries_and_the_rest_goes_on(services: Services, tmp_path: Path) -> None:
    """The predecessor stopped the whole batch at the first file that it could not read."""
    bad, good = take_in(services, {"bad.jpg": b"1"}), take_in(services, {"good.jpg": b"2"}, taken="2023-01-02T00:00:00")
    write_tree(services.root(RootKind.ARCHIVE).path, {"2024/05": b"a file where a folder has to be"})
    batch_id = make_delivered(services)
    before = census(tmp_path)
    report = sort_batch(services, batch_id)
    assert statuses(services, bad[0].id, good[0].id) == ["failed", "archived"]
    assert get_asset(services, bad[0].id).attempts == 3
    assert [f.asset_id for f in report.failures] == [bad[0].id]
    assert get_batch(services, batch_id).status is BatchStatus.SORTED
    assert kinds(services).count("asset.failed") == 1
    assert census(tmp_path) == before


def test_a_failed_file_that_a_person_retries_is_archived_though_its_batch_is_sorted(services: Services) -> None:
    (bad,) = take_in(services, {"bad.jpg": b"1"})
    obstacle = services.root(RootKind.ARCHIVE).path + b"/2024"
    write_tree(services.root(RootKind.ARCHIVE).path, {"2024": b"in the way"})
    batch_id = make_delivered(services)
    sort_batch(services, batch_id)
    os.unlink(obstacle)
    with services.db.transaction() as conn:
        assets.mark(conn, [assets.get(conn, bad.id)], AssetStatus.DELIVERED, attempts=0)
    assert sort_batch(services, batch_id).done == 1
    assert archive(services) == {f"{DAY}/bad.jpg": b"1"}
    assert get_batch(services, batch_id).status is BatchStatus.SORTED


@pytest.fixture
def mounted_archive(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """`mounted_archive("size=1m")`: the archive is a mount of its own with these options."""
    archive_dir = tmp_path / "archive"
    archive_dir.mkdir()
    made = []

    def mount(options: str) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(archive_dir)], check=True)
        made.append(archive_dir)

    yield mount
    for folder in made:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_batch_for_which_the_archive_has_no_room_is_refused_before_a_file_moves(
    mounted_archive: Callable[[str], None], open_test_services: Opener, tmp_path: Path
) -> None:
    mounted_archive("size=64k")
    services = open_test_services()
    take_in(services, {"small.jpg": b"s", "huge.mp4": b"x" * 200_000})
    batch_id = make_delivered(services)
    before = census(tmp_path)
    report = sort_batch(services, batch_id)
    assert (report.outcome, "free" in report.message) == ("failed", True)
    row = get_batch(services, batch_id)
    assert (row.status, row.error_from, row.error) == ("ERROR", "SYNCED", report.message)
    assert "batch.failed" in kinds(services)
    assert archive(services) == {}
    assert census(tmp_path) == before


def test_an_archive_that_fills_up_half_way_stops_the_batch_which_goes_on_after_a_retry(
    mounted_archive: Callable[[str], None], open_test_services: Opener, tmp_path: Path
) -> None:
    mounted_archive("nr_inodes=24")
    services = open_test_services()
    made = take_in(services, {f"{n}.jpg": b"%d" % n for n in range(30)})
    batch_id = make_delivered(services)
    before = census(tmp_path)
    assert sort_batch(services, batch_id).outcome == "failed"
    row = get_batch(services, batch_id)
    assert (row.status, row.error_from) == ("ERROR", "SORTING")
    assert set(census(tmp_path)) == set(before)
    archive_dir = str(tmp_path / "archive")
    subprocess.run(["mount", "-o", "remount,nr_inodes=1000", archive_dir], check=True)
    with services.db.transaction() as conn:
        batches.change(conn, batches.get(conn, batch_id), BatchStatus.SORTING)
    assert sort_batch(services, batch_id).done == 30
    assert statuses(services, *(a.id for a in made)) == ["archived"] * 30
    assert_rows_agree(services)


def test_a_read_only_archive_stops_the_batch_with_one_clear_reason(
    mounted_archive: Callable[[str], None], open_test_services: Opener, tmp_path: Path
) -> None:
    mounted_archive("size=1m")
    services = open_test_services()
    made = take_in(services, {f"{n}.jpg": b"%d" % n for n in range(3)})
    batch_id = make_delivered(services)
    before = census(tmp_path)
    subprocess.run(["mount", "-o", "remount,ro", str(tmp_path / "archive")], check=True)
    report = sort_batch(services, batch_id)
    assert (report.outcome, "Read-only" in report.message) == ("failed", True)
    assert get_batch(services, batch_id).status is BatchStatus.ERROR
    assert statuses(services, *(a.id for a in made)) == ["delivered"] * 3
    assert kinds(services).count("batch.failed") == 1
    assert census(tmp_path) == before


def test_an_archive_that_is_not_mounted_stops_the_batch_and_nothing_is_called_lost(
    mounted_archive: Callable[[str], None], open_test_services: Opener, tmp_path: Path
) -> None:
    services = open_test_services()
    (asset,) = take_in(services, {"a.jpg": b"a"})
    batch_id = make_delivered(services)
    mounted_archive("size=1m")
    with pytest.raises(RootUnavailable, match="marker"):
        sort_batch(services, batch_id)
    assert get_batch(services, batch_id).status in (BatchStatus.SYNCED, BatchStatus.SORTING)
    assert statuses(services, asset.id) == ["delivered"]
    assert read_tree(tmp_path / "archive") == {}


def test_doubtful_dates_go_where_the_setting_says(services: Services, open_test_services: Opener) -> None:
    (one,) = take_in(services, {"one.jpg": b"1"}, taken_from="mtime")
    batch_id = make_delivered(services)
    sort_batch(open_test_services(sorter={"weak_dates": "unknown_folder"}), batch_id)
    assert archive(services) == {"unknown-date/one.jpg": b"1"}
    (two,) = take_in(services, {"two.jpg": b"2"}, taken_from="mtime")
    batch_id = make_delivered(services)
    sort_batch(open_test_services(sorter={"exif_fallback": False}), batch_id)
    assert archive(services)["review/two.jpg"] == b"2"
    assert statuses(services, one.id, two.id) == ["archived", "set_aside"]
    assert get_asset(services, two.id).reason == "Its date is doubtful and needs a review."
    assert get_batch(services, batch_id).status is BatchStatus.SORTED
    assert_rows_agree(services)


def test_copy_mode_keeps_the_batch_copy(open_test_services: Opener) -> None:
    services = open_test_services(sorter={"transfer_mode": "copy"})
    (asset,) = take_in(services, {"a.jpg": b"a"})
    sort_batch(services, make_delivered(services))
    assert archive(services) == {f"{DAY}/a.jpg": b"a"}
    assert read_tree(batch_folder(services))["a.jpg"] == b"a"
    assert statuses(services, asset.id) == ["archived"]
    assert_rows_agree(services)


def test_a_group_that_was_cut_off_half_way_gets_one_suffix_in_the_end(services: Services) -> None:
    photo, raw = take_in(services, {"IMG_1.JPG": b"photo", "IMG_1.CR2": b"raw"})
    batch_id = make_delivered(services)
    with services.db.transaction() as conn:
        batches.change(conn, batches.get(conn, batch_id), BatchStatus.SORTING)
    archive_root = services.root(RootKind.ARCHIVE)
    target = f"{DAY}/IMG_1.JPG".encode()
    os.makedirs(os.path.dirname(archive_root.path + b"/" + target))
    os.rename(batch_file(services, photo), archive_root.path + b"/" + target)
    with services.db.transaction() as conn:
        assets.place(conn, photo.id, archive_root.id, target, signature_at(archive_root.path + b"/" + target),
                     AssetStatus.ARCHIVED)
    write_tree(archive_root.path, {f"{DAY}/IMG_1.CR2": b"another raw"})
    sort_batch(services, batch_id)
    assert archive(services) == {
        f"{DAY}/IMG_1_1.JPG": b"photo", f"{DAY}/IMG_1_1.CR2": b"raw", f"{DAY}/IMG_1.CR2": b"another raw",
    }
    assert statuses(services, photo.id, raw.id) == ["archived", "archived"]
    assert_rows_agree(services)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    library=st.dictionaries(
        st.sampled_from([f"{d}{n}" for d in ("", "a/", "b/") for n in NAMES]),
        st.sampled_from([b"one", b"two", b"three"]), min_size=1, max_size=9,
    ),
    present=st.dictionaries(
        st.sampled_from([f"{DAY}/IMG_1.JPG", f"{DAY}/IMG_1_1.CR2", f"{DAY}/x.mp4"]), st.sampled_from([b"one", b"else"]),
        max_size=3,
    ),
)
def test_whatever_collides_nothing_is_lost_and_every_row_is_right(
    tmp_path_factory: pytest.TempPathFactory, library: dict[str, bytes], present: dict[str, bytes]
) -> None:
    base = tmp_path_factory.mktemp("library")
    services = make_services(base)
    try:
        write_tree(services.root(RootKind.ARCHIVE).path, present)
        made = take_in(services, library)
        before = census(base)
        report = sort_batch(services, make_delivered(services))
        assert report.failures == []
        assert set(statuses(services, *(a.id for a in made))) <= {"archived", "duplicate"}
        assert set(census(base)) == set(before)
        for path, content in present.items():
            assert archive(services)[path] == content
        assert_rows_agree(services)
    finally:
        services.close()
