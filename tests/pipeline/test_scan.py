"""Scan: what becomes of new, changed, vanished, unfinished and foreign files, on disk and in the rows."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.db import assets, kept_copies, totals
from app.errors import RootUnavailable
from app.files.walk import signature_at
from app.model import AssetStatus, RootKind, Signature, Stage
from app.pipeline import scan
from app.pipeline.scan import Verdict, decide
from app.pipeline.step import Stopped
from app.services import Services
from tests.conftest import make_services, write_tree
from tests.pipeline.library import a_step
from tests.pipeline.stages import change, events, ingest, left, rows, run_dedup, run_scan, states


def file_at(services: Services, name: str) -> Path:
    return Path(os.fsdecode(ingest(services))) / name


def test_new_files_are_discovered_and_grouped_by_folder_and_stem(services: Services) -> None:
    write_tree(
        ingest(services), {"a": {"IMG_1.HEIC": b"1", "IMG_1.MOV": b"2", "IMG_1.HEIC.xmp": b"3"}, "IMG_1.jpg": b"4"}
    )
    report = run_scan(services)
    found = rows(services)
    assert (report.outcome, report.done, report.detail["new"]) == ("done", 4, 4)
    assert set(states(services).values()) == {"discovered"}
    assert len({found[p].group_id for p in (b"a/IMG_1.HEIC", b"a/IMG_1.MOV", b"a/IMG_1.HEIC.xmp")}) == 1
    assert found[b"IMG_1.jpg"].group_id != found[b"a/IMG_1.MOV"].group_id
    assert found[b"a/IMG_1.MOV"].origin_path == b"a/IMG_1.MOV"


def test_a_second_scan_finds_nothing_new(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": b"1", "b.jpg": b"2"})
    run_scan(services)
    before = rows(services)
    report = run_scan(services)
    assert (report.done, report.skipped) == (0, 2)
    assert rows(services) == before


def test_an_empty_ingest_folder_is_said_in_one_sentence(services: Services) -> None:
    report = run_scan(services)
    assert report.outcome == "done"
    assert report.message == f"The ingest folder {os.fsdecode(ingest(services))} is empty."


def test_a_missing_ingest_folder_stops_before_anything_changes(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": b"1"})
    run_scan(services)
    os.rename(ingest(services), ingest(services) + b".away")
    with pytest.raises(RootUnavailable, match="does not exist"):
        run_scan(services)
    os.mkdir(ingest(services))
    with pytest.raises(RootUnavailable, match="marker"):
        run_scan(services)
    assert states(services) == {b"a.jpg": "discovered"}


def test_what_is_not_media_is_listed_with_its_reason_until_it_is_gone(services: Services) -> None:
    write_tree(ingest(services), {".DS_Store": b"x", "a.txt": b"x", "@eaDir/t.jpg": b"x", "a.jpg": b"x"})
    os.mkfifo(file_at(services, "pipe.jpg"))
    run_scan(services)
    assert set(left(services)) == {b".DS_Store", b"a.txt", b"@eaDir", b"pipe.jpg"}
    assert list(rows(services)) == [b"a.jpg"]
    file_at(services, "a.txt").unlink()
    run_scan(services)
    assert set(left(services)) == {b".DS_Store", b"@eaDir", b"pipe.jpg"}


def test_a_changed_file_is_looked_at_again_with_its_digests_forgotten(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": b"one", "b.jpg": b"two"})
    run_scan(services)
    run_dedup(services)
    file_at(services, "a.jpg").write_bytes(b"something else")
    report = run_scan(services)
    changed = rows(services)[b"a.jpg"]
    assert (changed.status, changed.digest, changed.sha256, changed.size_bytes) == ("discovered", None, None, 14)
    assert report.detail["changed"] == 1
    assert states(services)[b"b.jpg"] == "unique"
    assert events(services, "asset.changed") == ["a.jpg changed in the ingest folder and is looked at again."]


def test_a_failed_file_gets_another_chance_only_when_it_changed(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": b"one", "b.jpg": b"two"})
    run_scan(services)
    for asset in rows(services).values():
        change(services, asset, AssetStatus.FAILED, reason="cannot be read", attempts=3)
    file_at(services, "a.jpg").write_bytes(b"whole again")
    run_scan(services)
    assert states(services) == {b"a.jpg": "discovered", b"b.jpg": "failed"}
    assert rows(services)[b"a.jpg"].attempts == 0


def test_a_vanished_file_is_gone_and_the_journal_says_so(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": b"one", "b.jpg": b"two"})
    run_scan(services)
    file_at(services, "a.jpg").unlink()
    assert run_scan(services).detail["vanished"] == 1
    assert states(services) == {b"b.jpg": "discovered"}
    assert events(services, "asset.vanished") == ["a.jpg is no longer in the ingest folder."]
    with services.db.reading() as conn:
        assert totals.read(conn)[AssetStatus.GONE] == (1, 3)


def test_a_file_that_is_left_in_place_since_a_setting_changed_is_not_gone(tmp_path: Path, services: Services) -> None:
    write_tree(ingest(services), {"draft.jpg": b"one"})
    run_scan(services)
    stricter = make_services(tmp_path, scan={"settle_seconds": 0, "ignore_patterns": ["draft*"]})
    run_scan(stricter)
    stricter.close()
    assert states(services) == {b"draft.jpg": "discovered"}


def keep_copy(services: Services, name: str) -> None:
    """What copy mode leaves: the asset's place is elsewhere, its first file stays in ingest."""
    asset = rows(services)[os.fsencode(name)]
    with services.db.transaction() as conn:
        archive = services.root(RootKind.ARCHIVE)
        kept_copies.add(conn, [(asset.id, asset.root_id, asset.path, asset.signature)])
        assets.place_many(conn, [(asset, archive.id, b"2024/" + asset.path, asset.signature)], AssetStatus.BATCHED)


def test_the_copy_that_stays_in_copy_mode_is_not_new(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": b"one"})
    run_scan(services)
    run_dedup(services)
    keep_copy(services, "a.jpg")
    report = run_scan(services)
    assert (report.done, report.detail["vanished"]) == (0, 0)
    assert states(services) == {b"2024/a.jpg": "batched"}


def test_a_changed_file_at_the_place_of_a_kept_copy_is_a_new_asset(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": b"one"})
    run_scan(services)
    run_dedup(services)
    keep_copy(services, "a.jpg")
    file_at(services, "a.jpg").write_bytes(b"another photo under the same name")
    assert run_scan(services).detail["changed"] == 1
    assert states(services) == {b"2024/a.jpg": "batched", b"a.jpg": "discovered"}
    with services.db.reading() as conn:
        assert kept_copies.list_at(conn, services.root(RootKind.INGEST).id, [b"a.jpg"]) == {}


def test_another_device_number_after_a_new_mount_is_no_change(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": b"one"})
    run_scan(services)
    run_dedup(services)
    before = rows(services)[b"a.jpg"]
    with services.db.transaction() as conn:
        assets.set_columns(conn, [(before.id, {"device": before.device + 1})])
    assert run_scan(services).detail["changed"] == 0
    after = rows(services)[b"a.jpg"]
    assert (after.status, after.digest, after.device) == ("unique", before.digest, before.device)


HERE = Signature(1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("known", "kept", "verdict"),
    [
        (None, None, Verdict.NEWS),
        ((AssetStatus.UNIQUE, HERE), None, Verdict.KNOWN),
        ((AssetStatus.UNIQUE, HERE._replace(ctime_ns=6)), None, Verdict.NEWS),
        ((AssetStatus.UNIQUE, HERE._replace(device=6)), None, Verdict.REMOUNTED),
        ((AssetStatus.BATCHED, HERE._replace(ctime_ns=6)), None, Verdict.KNOWN),
        (None, HERE._replace(inode=9), Verdict.KNOWN),
        (None, HERE._replace(mtime_ns=9), Verdict.NEWS),
    ],
)
def test_a_file_is_judged_by_the_row_at_its_place(
    known: tuple[AssetStatus, Signature] | None, kept: Signature | None, verdict: Verdict
) -> None:
    assert decide(HERE, known, kept) is verdict


@contextmanager
def writing(write: Callable[[int], None]) -> Iterator[None]:
    """A writer that goes on, as fast as it can, until the block ends; it has written once before the block begins."""
    stop, begun = threading.Event(), threading.Event()

    def go_on() -> None:
        count = 0
        while not stop.is_set():
            write(count)
            count += 1
            begun.set()
            stop.wait(0.005)

    thread = threading.Thread(target=go_on)
    thread.start()
    begun.wait()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def slow_services(base: Path) -> Services:
    return make_services(base, scan={"settle_seconds": 1})


def test_a_file_that_is_being_written_waits_for_the_next_scan(tmp_path: Path) -> None:
    services = slow_services(tmp_path)
    write_tree(ingest(services), {"done.jpg": b"one"})
    path = file_at(services, "upload.jpg")

    def append(_: int) -> None:
        with open(path, "ab") as file:
            file.write(b"more")

    with writing(append):
        report = run_scan(services)
    assert report.detail["still_changing"] == 1
    assert "1 still changing" in report.message
    assert list(states(services)) == [b"done.jpg"]
    run_scan(services)
    assert set(states(services)) == {b"done.jpg", b"upload.jpg"}
    services.close()


def test_a_file_laid_out_in_full_and_filled_later_is_not_taken_while_it_is_filled(tmp_path: Path) -> None:
    services = slow_services(tmp_path)
    path = file_at(services, "upload.jpg")
    path.write_bytes(b"")
    os.truncate(path, 1 << 20)

    def fill(count: int) -> None:
        with open(path, "r+b") as file:
            file.seek(count * 16 % (1 << 20))
            file.write(b"16 bytes of file")
        # Some programs put the time back after every block; the change time cannot be put back.
        os.utime(path, ns=(0, 1_600_000_000_000_000_000))

    with writing(fill):
        assert run_scan(services).detail["still_changing"] == 1
    assert states(services) == {}
    services.close()


def test_a_scan_that_is_stopped_while_it_waits_is_finished_by_the_next_one(tmp_path: Path) -> None:
    services = slow_services(tmp_path)
    write_tree(ingest(services), {"a.jpg": b"one"})
    step = a_step(services, Stage.SCAN)
    step.stopping.set()
    with pytest.raises(Stopped):
        scan.run(services, step)
    assert states(services) == {}
    run_scan(services)
    assert states(services) == {b"a.jpg": "discovered"}
    services.close()


def test_no_file_is_opened_or_changed_by_a_scan(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": b"one"})
    path = file_at(services, "a.jpg")
    os.utime(path, ns=(5, 7))
    before = signature_at(services.root(RootKind.INGEST), b"a.jpg")
    run_scan(services)
    assert signature_at(services.root(RootKind.INGEST), b"a.jpg") == before
    assert path.stat().st_atime_ns == 5
