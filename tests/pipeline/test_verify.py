"""Verification: what is wrong with files is found, told apart, told once, and settled when it is right again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import pytest

from app import jobs
from app.db import assets, runs
from app.db.clock import later
from app.errors import FileError
from app.files.roots import MARKER_NAME
from app.model import AssetStatus, FindingKind, RootKind, RunStatus, Signature
from app.overview.balance import balance_sheet
from app.pipeline.verify import words
from app.pipeline.verify.content import Content
from app.services import Services
from tests.conftest import make_jpeg, read_tree, write_tree
from tests.pipeline.library import assert_rows_agree, get_asset
from tests.pipeline.running import go
from tests.pipeline.verifying import (
    archive_of,
    archive_without_workflow,
    archived,
    edit,
    events,
    every_finding,
    flip_a_byte,
    found,
    path_of,
    report,
    root,
    the_finding,
    verify,
)

Opener = Callable[..., Services]


def test_an_untouched_archive_is_found_as_it_was(services: Services) -> None:
    archive_of(services, 5)
    before = read_tree(root(services).path)
    run = verify(services)
    assert run.status is RunStatus.DONE
    assert report(services, run)["message"] == "5 files are as they were."
    assert (found(services), read_tree(root(services).path)) == ({}, before)
    assert {event.level for event in events(services, "verify.")} == {"info"}


def test_each_kind_of_harm_is_told_apart(services: Services) -> None:
    one, two, three, four, _ = archive_of(services, 5)
    flip_a_byte(path_of(services, one))
    edit(path_of(services, two))
    os.unlink(path_of(services, three))
    os.rename(path_of(services, four), root(services).path + b"/renamed.jpg")
    write_tree(root(services).path, {"strange/new.jpg": make_jpeg(seed=99), "notes.txt": "a note"})
    assert verify(services).status is RunStatus.DONE
    assert found(services) == {
        one.path: FindingKind.ALTERED,
        two.path: FindingKind.ALTERED,
        three.path: FindingKind.MISSING,
        four.path: FindingKind.MOVED,
        b"strange/new.jpg": FindingKind.FOREIGN,
        b"notes.txt": FindingKind.FOREIGN,
    }
    reasons = {finding.path: finding.reason for finding in every_finding(services)}
    assert reasons[one.path].startswith(words.SILENT)
    assert reasons[two.path].startswith("It was changed; it was last written on ")
    assert "/archive/renamed.jpg" in reasons[four.path]
    assert reasons[b"notes.txt"] == "No row knows this file; by its name it is not a photo or video (.txt)."


def test_no_file_is_touched_and_no_status_changes(services: Services) -> None:
    one, two, *_ = archive_of(services, 4)
    flip_a_byte(path_of(services, one))
    os.unlink(path_of(services, two))
    write_tree(root(services).path, {"new.jpg": make_jpeg(seed=99)})
    before = read_tree(root(services).path, own_names=True)
    verify(services)
    assert read_tree(root(services).path, own_names=True) == before
    assert len(archived(services)) == 4
    with services.db.reading() as conn:
        assert balance_sheet(conn, services.db.path, fresh=True)["adds_up"]


def test_every_finding_is_told_once_and_a_lasting_one_keeps_its_time(services: Services) -> None:
    one, two, three = archive_of(services, 3)
    flip_a_byte(path_of(services, one))
    os.unlink(path_of(services, two))
    os.rename(path_of(services, three), root(services).path + b"/renamed.jpg")
    write_tree(root(services).path, {"new.jpg": make_jpeg(seed=99)})
    verify(services)
    first = {finding.path: finding.found_at for finding in every_finding(services)}
    verify(services)
    assert {finding.path: finding.found_at for finding in every_finding(services)} == first
    kinds = [event.kind for event in events(services, "")]
    for kind in ("asset.found_altered", "asset.found_missing", "asset.found_moved", "file.found_foreign"):
        assert kinds.count(kind) == 1, kind
    assert [event.level for event in events(services, "verify.finished")] == ["error", "error"]


def test_a_finding_goes_away_when_the_file_is_right_again(services: Services) -> None:
    one, two, three = archive_of(services, 3)
    saved = read_tree(root(services).path)
    flip_a_byte(path_of(services, one))
    os.unlink(path_of(services, two))
    os.rename(path_of(services, three), root(services).path + b"/renamed.jpg")
    write_tree(root(services).path, {"new.jpg": make_jpeg(seed=99)})
    verify(services)
    assert len(found(services)) == 4
    shutil.rmtree(root(services).path + b"/2024")
    for name in ("renamed.jpg", "new.jpg"):
        os.unlink(root(services).path + b"/" + name.encode())
    write_tree(root(services).path, saved)
    verify(services)
    assert found(services) == {}
    assert len(events(services, "asset.found_intact")) == 3


def test_a_restored_file_is_known_by_its_new_inode_and_time(services: Services) -> None:
    (asset,) = archive_of(services, 1)
    path = path_of(services, asset)
    shutil.copy(path, path + b".new")
    os.rename(path + b".new", path)
    os.utime(path, ns=(1, 1_700_000_000_000_000_000))
    verify(services)
    now = os.stat(path)
    after = get_asset(services, asset.id)
    assert (found(services), after.inode, after.mtime_ns) == ({}, now.st_ino, now.st_mtime_ns)


def test_a_copy_of_an_archived_file_is_told_as_one(services: Services) -> None:
    (asset,) = archive_of(services, 1)
    shutil.copy(path_of(services, asset), root(services).path + b"/copy.jpg")
    verify(services)
    finding = the_finding(services)
    assert (finding.path, finding.kind) == (b"copy.jpg", FindingKind.FOREIGN)
    assert finding.reason == words.foreign_copy(asset.id, asset.path)


def test_litter_and_our_own_files_are_no_findings(services: Services) -> None:
    archive_of(services, 2)
    litter = {".DS_Store": "x", "2024/Thumbs.db": "x", "2024/@eaDir/x.jpg": "x", ".mp-0.part": "x", "half.part": "x"}
    write_tree(root(services).path, litter)
    os.symlink("nowhere", root(services).path + b"/link.jpg")
    run = verify(services)
    assert found(services) == {}
    assert report(services, run)["passed_over"] == {
        "folder settings of macOS": 1,
        "symbolic link": 1,
        "thumbnails of Windows": 1,
        "thumbnails of a Synology NAS": 1,
        "unfinished download or upload": 1,
    }


def test_the_manifest_of_a_batch_is_not_foreign_but_a_file_beside_it_is(open_test_services: Opener) -> None:
    services = open_test_services(sorter={"transfer_mode": "copy"}, system={"cleanup_empty_batches": False})
    archive_of(services, 2)
    folder = root(services, RootKind.BATCH).path + b"/batch_001/"
    assert os.path.lexists(folder + b"SHA256SUMS")
    write_tree(folder, {"other.jpg": make_jpeg(seed=77)})
    verify(services)
    assert found(services) == {b"batch_001/other.jpg": FindingKind.FOREIGN}


def test_kept_copies_are_verified_as_well(open_test_services: Opener) -> None:
    services = open_test_services(sorter={"transfer_mode": "copy"})
    one, two = archive_of(services, 2)
    folder = root(services, RootKind.BATCH).path + b"/batch_001/"
    names = sorted(name for name in os.listdir(folder) if name.endswith(b".jpg"))
    flip_a_byte(folder + names[0])
    os.unlink(folder + names[1])
    verify(services)
    assert found(services) == {
        b"batch_001/" + names[0]: FindingKind.ALTERED,
        b"batch_001/" + names[1]: FindingKind.MISSING,
    }
    assert {finding.asset_id for finding in every_finding(services)} == {one.id, two.id}
    assert all(finding.reason.startswith("The copy that was kept here: ") for finding in every_finding(services))


def test_a_missing_file_is_told_with_the_copy_that_was_kept(open_test_services: Opener) -> None:
    services = open_test_services(sorter={"transfer_mode": "copy"})
    (asset,) = archive_of(services, 1)
    os.unlink(path_of(services, asset))
    verify(services, roots=["archive"])
    assert "a copy of it was kept at " in the_finding(services).reason


def test_a_file_that_cannot_be_read_is_told_as_such_and_there_is_nothing_to_accept(services: Services) -> None:
    (asset,) = archive_of(services, 1)
    with services.db.transaction() as conn:
        assets.set_columns(conn, [(asset.id, {"path": b"x" * 300 + b".jpg"})])
    verify(services, roots=["archive"])
    (finding,) = every_finding(services, FindingKind.UNREADABLE)
    assert finding.reason == "It cannot be read: File name too long."
    with pytest.raises(FileError, match="File name too long"):
        jobs.accept_finding(services, finding.id)
    assert [event.level for event in events(services, "asset.found_unreadable")] == ["error"]


def test_a_folder_in_the_place_of_a_file_means_that_the_file_is_missing(services: Services) -> None:
    (asset,) = archive_of(services, 1)
    path = path_of(services, asset)
    os.unlink(path)
    os.mkdir(path)
    verify(services)
    assert the_finding(services).kind is FindingKind.MISSING
    assert the_finding(services).reason == words.NO_FILE + "."


def test_a_folder_that_is_away_stops_the_run_and_makes_nothing_missing(services: Services) -> None:
    archive_of(services, 3)
    place = root(services).path
    os.rename(place, place + b".away")
    os.mkdir(place)
    run = verify(services)
    assert run.status is RunStatus.FAILED
    assert "marker file" in (run.error or "")
    assert found(services) == {}


def test_a_folder_that_goes_away_during_the_run_makes_nothing_missing(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive_of(services, 3)
    place = root(services).path

    def gone_before_it_is_read(*_: object) -> None:
        os.rename(place, place + b".away")
        os.mkdir(place)

    monkeypatch.setattr("app.pipeline.verify.finish_interrupted_moves", gone_before_it_is_read)
    run = verify(services)
    assert run.status is RunStatus.FAILED
    assert MARKER_NAME.decode() in (run.error or "")
    assert found(services) == {}


def test_every_file_is_compared_by_the_algorithm_that_it_has(open_test_services: Opener) -> None:
    archive_of(open_test_services(dedup={"hash_algorithm": "sha256"}), 2)
    services = open_test_services(dedup={"hash_algorithm": "blake3"})
    run = verify(services)
    assert (found(services), report(services, run)["intact"]) == ({}, 2)


def test_only_the_folders_that_are_named_are_looked_through(services: Services) -> None:
    (asset,) = archive_of(services, 1)
    os.unlink(path_of(services, asset))
    run = verify(services, roots=["batch", "duplicates"])
    assert (found(services), report(services, run)["intact"]) == ({}, 0)


def test_ingest_is_verified_on_demand_and_new_files_there_are_not_foreign(services: Services) -> None:
    write_tree(services.root(RootKind.INGEST).path, {"new.jpg": make_jpeg(seed=1)})
    verify(services, roots=["ingest"])
    assert found(services) == {}


def age(services: Services, days: int, *ids: int) -> None:
    """Pretend that these files were verified so many days ago."""
    with services.db.transaction() as conn:
        assets.set_columns(conn, [(i, {"verified_at": later(-86_400 * days)}) for i in ids])


def test_only_what_is_old_enough_is_read_and_the_rest_is_looked_at(services: Services) -> None:
    old, fresh, never, *_ = archive_of(services, 3)
    age(services, 40, old.id)
    age(services, 3, fresh.id)
    for asset in (old, fresh, never):
        flip_a_byte(path_of(services, asset))
    run = verify(services, older_than_days=30)
    assert found(services) == {old.path: FindingKind.ALTERED, never.path: FindingKind.ALTERED}
    assert report(services, run)["looked_at"] == 1


def test_a_file_verified_lately_is_read_all_the_same_when_its_time_has_changed(services: Services) -> None:
    one, two, three = archive_of(services, 3)
    age(services, 3, one.id, two.id, three.id)
    edit(path_of(services, one))
    os.unlink(path_of(services, two))
    verify(services, older_than_days=30)
    assert found(services) == {one.path: FindingKind.ALTERED, two.path: FindingKind.MISSING}


def test_a_file_that_was_wrong_is_read_again_however_lately_it_was_right(services: Services) -> None:
    (asset,) = archive_of(services, 1)
    verify(services)
    content = read_tree(root(services).path)
    flip_a_byte(path_of(services, asset))
    verify(services)
    assert found(services) == {asset.path: FindingKind.ALTERED}
    verify(services, older_than_days=30)
    assert found(services) == {asset.path: FindingKind.ALTERED}
    os.unlink(path_of(services, asset))
    write_tree(root(services).path, content)
    verify(services, older_than_days=30)
    assert found(services) == {}


def test_a_file_moved_by_hand_is_found_whatever_was_read_lately(services: Services) -> None:
    (asset,) = archive_of(services, 1)
    verify(services)
    os.rename(path_of(services, asset), root(services).path + b"/elsewhere.jpg")
    verify(services, older_than_days=30)
    assert found(services) == {asset.path: FindingKind.MOVED}


def test_a_moved_folder_gives_one_finding_for_each_of_its_files(services: Services) -> None:
    found_before = archive_of(services, 30)
    os.rename(root(services).path + b"/2024", root(services).path + b"/holidays")
    verify(services)
    assert found(services) == {asset.path: FindingKind.MOVED for asset in found_before}
    pairs = {finding.path: finding.new_path for finding in every_finding(services)}
    assert pairs == {asset.path: asset.path.replace(b"2024", b"holidays", 1) for asset in found_before}


def test_two_missing_files_of_one_content_need_two_files_to_be_moved(services: Services) -> None:
    archive_without_workflow(services, {"a/x.jpg": b"same", "b/y.jpg": b"same", "c/e.jpg": b"", "d/f.jpg": b""})
    place = root(services).path
    os.rename(place + b"/a", place + b"/new")
    shutil.rmtree(place + b"/b")
    os.rename(place + b"/c", place + b"/empty")
    shutil.rmtree(place + b"/d")
    verify(services)
    assert found(services) == {
        b"a/x.jpg": FindingKind.MOVED,
        b"b/y.jpg": FindingKind.MISSING,
        b"c/e.jpg": FindingKind.MISSING,
        b"d/f.jpg": FindingKind.MISSING,
        b"empty/e.jpg": FindingKind.FOREIGN,
    }


def test_what_is_placed_anew_has_no_finding_any_more(services: Services) -> None:
    (asset,) = archive_of(services, 1)
    flip_a_byte(path_of(services, asset))
    verify(services)
    with services.db.transaction() as conn:
        assets.place(conn, asset.id, asset.root_id, b"other/place.jpg", asset.signature, None)
    assert found(services) == {}


def test_many_findings_are_named_up_to_a_hundred_and_then_counted(services: Services) -> None:
    archive_without_workflow(services, {f"{n % 9}/{n}.jpg": str(n).encode() for n in range(130)})
    shutil.rmtree(root(services).path + b"/3")
    for n in range(130):
        if n % 9 != 3:
            os.unlink(root(services).path + b"/%d/%d.jpg" % (n % 9, n))
    verify(services)
    told = events(services, "asset.found_missing")
    assert len(told) == 101
    assert told[-1].detail == {"count": 30}
    assert "30 more files were found missing" in told[-1].message


def test_a_run_that_is_stopped_goes_on_with_what_it_has_not_read(services: Services) -> None:
    archive_without_workflow(services, {f"{n}.jpg": str(n).encode() for n in range(10)})
    run = verify(services)
    with services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE assets SET verified_at = NULL WHERE id > 4")
        conn.exec_driver_sql("UPDATE runs SET status = 'queued', slot = 1, ended_at = NULL WHERE id = ?", (run.id,))
        conn.exec_driver_sql("UPDATE steps SET status = 'running' WHERE run_id = ?", (run.id,))
    # What this run has read before is not read again: silent damage of it since then is for the next run.
    flip_a_byte(root(services).path + b"/0.jpg")
    flip_a_byte(root(services).path + b"/9.jpg")
    with services.db.reading() as conn:
        again = go(services, runs.get(conn, run.id))
    assert found(services) == {b"9.jpg": FindingKind.ALTERED}
    assert report(services, again)["intact"] == 9


def test_what_a_run_read_before_it_was_stopped_is_looked_at_once_more_when_it_goes_on(services: Services) -> None:
    archive_without_workflow(services, {f"{n}.jpg": str(n).encode() for n in range(10)})
    run = verify(services)
    with services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE runs SET status = 'queued', slot = 1, ended_at = NULL WHERE id = ?", (run.id,))
        conn.exec_driver_sql("UPDATE steps SET status = 'running' WHERE run_id = ?", (run.id,))
    os.unlink(root(services).path + b"/0.jpg")
    edit(root(services).path + b"/1.jpg")
    with services.db.reading() as conn:
        queued = runs.get(conn, run.id)
    again = go(services, queued)
    assert found(services) == {b"0.jpg": FindingKind.MISSING, b"1.jpg": FindingKind.ALTERED}
    assert (report(services, again)["intact"], report(services, again)["looked_at"]) == (8, 0)


def test_a_verification_that_failed_and_is_tried_again_reads_everything_again(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive_without_workflow(services, {"a.jpg": b"a", "b.jpg": b"b"})
    hidden = root(services).path + b".away"
    read = Content.run

    def and_then_the_folder_goes_away(content: Content) -> None:
        read(content)
        os.rename(root(services).path, hidden)

    with monkeypatch.context() as patched:
        patched.setattr(Content, "run", and_then_the_folder_goes_away)
        failed = verify(services)
    assert failed.status is RunStatus.FAILED
    os.rename(hidden, root(services).path)
    os.unlink(root(services).path + b"/a.jpg")
    flip_a_byte(root(services).path + b"/b.jpg")
    again = go(services, jobs.retry_run(services, failed.id))
    assert (again.status, again.arguments) == (RunStatus.DONE, failed.arguments)
    assert found(services) == {b"a.jpg": FindingKind.MISSING, b"b.jpg": FindingKind.ALTERED}


def signature(size: int, mtime: int) -> Signature:
    return Signature(1, 2, size, mtime, 3)


@pytest.mark.parametrize(
    ("before", "now", "sentence"),
    [
        (signature(5, 0), signature(5, 0), words.SILENT + "."),
        (signature(5, 0), signature(6, 0), words.WRITTEN_ELSEWHERE + " (5 bytes became 6)."),
        (
            signature(5, 0),
            signature(5, 86_400 * 10**9),
            "It was changed; it was last written on 1970-01-02 00:00:00 UTC, and is as long as before.",
        ),
        (
            signature(5, 0),
            signature(4, 1),
            "It was changed; it was last written on 1970-01-01 00:00:00 UTC (5 bytes became 4).",
        ),
    ],
)
def test_an_edit_and_silent_damage_are_told_in_other_words(before: Signature, now: Signature, sentence: str) -> None:
    assert words.altered(before, now, is_copy=False) == sentence
    assert words.altered(before, now, is_copy=True).startswith("The copy that was kept here: it")


def test_rows_still_agree_with_the_disk_after_a_verification(services: Services) -> None:
    archive_of(services, 3)
    verify(services)
    assert_rows_agree(services)
    assert {a.status for a in archived(services)} == {AssetStatus.ARCHIVED}
