"""Pruning removes only what is ours: empty folders, proven trash, temporary files of ended moves, old logs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.db import assets, rehearsals
from app.errors import FileError, NoSpace, StateError, TargetExists
from app.files import prune
from app.files.own_files import temp_name_of
from app.model import AssetStatus, Place
from tests.files.library import Library


def copied(library: Library, content: bytes = b"one") -> None:
    library.write(library.ingest, {b"1.jpg": content})
    library.run([library.move_to(library.know([b"1.jpg"])[0], b"1.jpg")])


def archived(library: Library) -> bytes:
    return Place(library.archive, b"1.jpg").absolute


def trash_path(library: Library) -> bytes:
    ((path,),) = library.rows("trash_path")
    assert isinstance(path, bytes)
    return path


def test_trash_is_dropped_once_its_days_are_over(two_mounts: Library) -> None:
    copied(two_mounts)
    assert prune.drop_expired_trash(two_mounts.db, 7).dropped == 0
    assert two_mounts.trash() == [b"one"]
    report = prune.drop_expired_trash(two_mounts.db, 0)
    assert (report.dropped, report.dropped_bytes, report.kept) == (1, 3, 0)
    assert two_mounts.trash() == []
    assert two_mounts.files(two_mounts.archive) == {b"1.jpg": b"one"}
    assert prune.drop_expired_trash(two_mounts.db, 0).dropped == 0


def test_trash_stays_when_the_copy_is_missing(two_mounts: Library) -> None:
    copied(two_mounts)
    os.unlink(archived(two_mounts))
    assert prune.drop_expired_trash(two_mounts.db, 0).kept == 1
    assert two_mounts.trash() == [b"one"]


def test_trash_under_a_folder_that_is_away_stays_and_stops_nothing(two_mounts: Library) -> None:
    copied(two_mounts)
    marker = Place(two_mounts.ingest, b".media-pipeline-root").absolute
    os.rename(marker, marker + b".away")
    assert prune.drop_expired_trash(two_mounts.db, 0) == prune.TrashReport(kept=1)
    os.rename(marker + b".away", marker)
    assert prune.drop_expired_trash(two_mounts.db, 0).dropped == 1


def test_trash_stays_when_the_copy_is_damaged_even_if_its_size_and_time_fit(two_mounts: Library) -> None:
    copied(two_mounts)
    seen = os.stat(archived(two_mounts))
    with open(archived(two_mounts), "r+b") as file:
        file.write(b"0ne")
    os.utime(archived(two_mounts), ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert prune.drop_expired_trash(two_mounts.db, 0).kept == 1
    assert two_mounts.trash() == [b"one"]


def test_trash_is_dropped_when_the_copy_was_only_touched(two_mounts: Library) -> None:
    copied(two_mounts)
    os.utime(archived(two_mounts))
    assert prune.drop_expired_trash(two_mounts.db, 0).dropped == 1


def test_trash_stays_when_its_asset_is_gone(two_mounts: Library) -> None:
    copied(two_mounts)
    with two_mounts.db.transaction() as conn:
        assets.mark(conn, [assets.get(conn, 1)], AssetStatus.GONE)
    assert prune.drop_expired_trash(two_mounts.db, 0).kept == 1
    assert two_mounts.trash() == [b"one"]


def test_trash_with_other_content_than_planned_stays(two_mounts: Library) -> None:
    copied(two_mounts)
    path = trash_path(two_mounts)
    os.unlink(Place(two_mounts.ingest, path).absolute)
    two_mounts.write(two_mounts.ingest, {path: b"two"})
    assert prune.drop_expired_trash(two_mounts.db, 0).kept == 1
    assert two_mounts.trash() == [b"two"]


def test_trash_that_is_the_archived_file_by_another_name_stays(library: Library) -> None:
    library.write(library.ingest, {b"1.jpg": b"one"})
    library.write(library.archive, {b"1.jpg": b"one"})
    library.run([library.move_to(library.know([b"1.jpg"])[0], b"1.jpg")])
    os.unlink(archived(library))
    os.link(Place(library.ingest, trash_path(library)).absolute, archived(library))
    assert prune.drop_expired_trash(library.db, 0).kept == 1
    assert library.trash() == [b"one"]


def test_a_trash_path_outside_our_trash_is_never_removed(two_mounts: Library) -> None:
    copied(two_mounts)
    two_mounts.write(two_mounts.ingest, {b"photo.jpg": b"one"})
    with two_mounts.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE moves SET trash_path = ?", (b"photo.jpg",))
    assert prune.drop_expired_trash(two_mounts.db, 0).kept == 1
    assert two_mounts.files(two_mounts.ingest) == {b"photo.jpg": b"one"}


def test_nothing_is_removed_for_the_rows_of_a_preview(two_mounts: Library) -> None:
    copied(two_mounts)
    with two_mounts.db.reading() as conn:
        temp = conn.exec_driver_sql("SELECT tmp_name FROM moves").scalar_one()
    two_mounts.write(two_mounts.archive, {temp: b"half"})
    rehearsals.copy_database(two_mounts.db, 1)
    with rehearsals.opened(two_mounts.db, 1) as copy:
        with pytest.raises(StateError, match="preview"):
            prune.drop_expired_trash(copy, 0)
        with pytest.raises(StateError, match="preview"):
            prune.remove_stale_temps(copy, two_mounts.archive)
    assert two_mounts.trash() == [b"one"]
    assert two_mounts.files(two_mounts.archive) == {b"1.jpg": b"one", temp: b"half"}


def test_only_empty_folders_that_were_named_are_removed_deepest_first(library: Library) -> None:
    for folder in (b"a/b/c", b"a/d", b"e"):
        os.makedirs(library.archive.path + b"/" + folder)
    library.write(library.archive, {b"a/d/photo.jpg": b"one"})
    removed = prune.remove_empty_folders(library.archive, [b"a", b"a/b", b"a/b/c", b"a/d", b"gone", b"", b"../x"])
    assert removed == [b"a/b/c", b"a/b"]
    assert library.files(library.archive) == {b"a/d/photo.jpg": b"one"}
    assert os.path.isdir(library.archive.path + b"/e")


def test_a_link_to_a_folder_is_not_removed(library: Library) -> None:
    os.mkdir(library.archive.path + b"/real")
    os.symlink(b"real", library.archive.path + b"/link")
    assert prune.remove_empty_folders(library.archive, [b"link", b"link/x"]) == []
    assert os.path.islink(library.archive.path + b"/link")


def test_a_temporary_file_goes_only_when_the_journal_says_its_move_ended(library: Library) -> None:
    library.write(library.ingest, {b"1.jpg": b"one", b"2.jpg": b"two"})
    first, second = library.know([b"1.jpg", b"2.jpg"])
    library.run([library.move_to(first, b"x/1.jpg"), library.move_to(second, b"x/2.jpg")])
    with library.db.transaction() as conn:
        names = [row[0] for row in conn.exec_driver_sql("SELECT tmp_name FROM moves ORDER BY id")]
        conn.exec_driver_sql("UPDATE moves SET state = 'QUARANTINE' WHERE id = 2")
    stranger = b".mp-" + b"f" * 32 + b".part"
    library.write(library.archive, {b"x/" + name: b"half" for name in (*names, stranger, b".mp-mine.part")})
    assert prune.remove_stale_temps(library.db, library.archive, days=1) == []
    assert prune.remove_stale_temps(library.db, library.archive) == [b"x/" + names[0]]
    assert set(library.files(library.archive)) == {
        b"x/1.jpg", b"x/2.jpg", b"x/" + names[1], b"x/" + stranger, b"x/.mp-mine.part"
    }  # fmt: skip


def test_a_new_file_of_ours_is_written_whole_under_a_free_name(any_library: Library) -> None:
    place = Place(any_library.archive, b".media-pipeline/manifests/b1.json")
    prune.write_new_file(place, b"{}")
    prune.write_new_file(place, b"{}")
    assert any_library.files(any_library.archive) == {place.path: b"{}"}
    with pytest.raises(TargetExists):
        prune.write_new_file(place, b"[]")
    assert any_library.files(any_library.archive) == {place.path: b"{}"}


def test_what_a_crash_left_of_our_file_is_replaced_by_the_next_try(library: Library) -> None:
    place = Place(library.archive, b"b1/manifest.json")
    library.write(library.archive, {b"b1/" + temp_name_of(place): b"ha"})
    prune.write_new_file(place, b"whole")
    assert library.files(library.archive) == {b"b1/manifest.json": b"whole"}


def test_only_manifests_and_checksums_are_removed_as_our_own(library: Library) -> None:
    library.write(library.archive, {b"b1/manifest.json": b"{}", b"b1/SHA256SUMS": b"", b"b1/1.jpg": b"one"})
    assert prune.remove_own_file(Place(library.archive, b"b1/manifest.json"))
    assert prune.remove_own_file(Place(library.archive, b"b1/SHA256SUMS"))
    assert not prune.remove_own_file(Place(library.archive, b"b1/SHA256SUMS"))
    assert not prune.remove_own_file(Place(library.archive, b"nowhere/SHA256SUMS"))
    with pytest.raises(FileError):
        prune.remove_own_file(Place(library.archive, b"b1/1.jpg"))
    assert library.files(library.archive) == {b"b1/1.jpg": b"one"}


def test_a_folder_by_the_name_of_a_manifest_stays(library: Library) -> None:
    library.write(library.archive, {b"b1/manifest.json/1.jpg": b"one"})
    with pytest.raises(FileError):
        prune.remove_own_file(Place(library.archive, b"b1/manifest.json"))
    assert library.files(library.archive) == {b"b1/manifest.json/1.jpg": b"one"}


def test_a_file_of_ours_that_finds_no_room_leaves_nothing(library: Library) -> None:
    room = os.statvfs(library.archive.path)

    class Endless(bytes):
        def __len__(self) -> int:
            return room.f_blocks * room.f_frsize + 1

    with pytest.raises(NoSpace):
        prune.write_new_file(Place(library.archive, b"b1/manifest.json"), Endless(b"x"))
    assert library.files(library.archive) == {}


def test_logs_are_bounded_by_size_and_number(tmp_path: Path) -> None:
    (tmp_path / "api.log").write_bytes(b"x" * 20)
    (tmp_path / "api.log.1").write_bytes(b"older")
    (tmp_path / "api.log.9").write_bytes(b"oldest")
    (tmp_path / "worker.log").write_bytes(b"short")
    (tmp_path / "photo.jpg").write_bytes(b"x" * 100)
    prune.expire_logs(tmp_path, max_bytes=10, keep=2)
    found = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert found == {
        "api.log": b"", "api.log.1": b"x" * 20, "api.log.2": b"older", "worker.log": b"short", "photo.jpg": b"x" * 100
    }  # fmt: skip
