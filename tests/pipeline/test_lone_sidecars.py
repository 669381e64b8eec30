"""Sidecars without their photo: they wait and say so, are counted once, and go alone only where that is set."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from app import jobs
from app.files import lone_sidecars
from app.files.lone_sidecars import ALONE, is_long, lies_since, reason_since, since_of
from app.model import Report, Signature
from app.services import Services
from tests.conftest import make_jpeg, make_services, read_tree, write_tree
from tests.pipeline.running import workflow
from tests.pipeline.stages import events, ingest, left, rows, run_scan, states, take_stock
from tests.pipeline.undoing import end_runs

PHOTO = make_jpeg(taken="2024:05:06 10:00:00", seed=1)
XMP = b'''<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:DateTimeOriginal="2019-08-07T06:05:04"/>
</rdf:RDF></x:xmpmeta>'''
TODAY = date(2026, 11, 23)
NEW_YEAR = 1577880000  # 2020-01-01


def archived(services: Services) -> set[str]:
    return {path for path in read_tree(services.config.paths.sorted_dir) if not path.endswith("/")}


def file_at(services: Services, name: str) -> Path:
    return Path(os.fsdecode(ingest(services))) / name


def balance(report: Report) -> tuple[int, int, int]:
    return report.detail["seen"], report.detail["left_in_place"], report.detail["lone_sidecars"]


def test_a_reason_says_since_when_and_is_read_again() -> None:
    assert since_of(reason_since(date(2026, 11, 16))) == date(2026, 11, 16)
    assert since_of(ALONE) is since_of("not a photo or video (.txt)") is None
    assert [is_long(TODAY - timedelta(days), TODAY) for days in (0, 7, 8)] == [False, False, True]


@pytest.mark.parametrize(
    ("seconds", "since"), [(1_793_610_000, date(2026, 11, 2)), (1_900_000_000, TODAY), (2**60, TODAY)]
)
def test_a_time_that_cannot_be_is_no_long_wait(seconds: int, since: date) -> None:
    assert lies_since(Signature(1, 1, 1, 0, seconds * 10**9), UTC, TODAY) == since


def test_a_sidecar_that_comes_first_is_left_with_the_day_and_counted_once(services: Services) -> None:
    write_tree(ingest(services), {"IMG_1.xmp": XMP, "IMG_2.jpg.supplemental-metadata.json": "{}", "notes.txt": "x"})
    report = run_scan(services)
    assert balance(report) == (0, 3, 2)
    assert "3 left in place, of which 2 sidecars that wait for their photos." in report.message
    waiting = reason_since(datetime.now(services.config.zone).date())
    assert left(services) == {
        b"IMG_1.xmp": waiting, b"IMG_2.jpg.supplemental-metadata.json": waiting,
        b"notes.txt": "not a photo or video (.txt)",
    }  # fmt: skip


def test_sidecars_wait_for_a_photo_that_was_taken_away_and_are_counted_in_one_place(services: Services) -> None:
    write_tree(ingest(services), {"IMG_1.JPG": PHOTO, "IMG_1.xmp": XMP, "IMG_1.JPG.json": "{}"})
    take_stock(services)
    file_at(services, "IMG_1.JPG").unlink()
    assert balance(run_scan(services)) == (3 - 1, 0, 0)
    assert events(services, "asset.set_aside") == [
        f"IMG_1.JPG.json was set aside: it {ALONE}.", f"IMG_1.xmp was set aside: it {ALONE}.",
    ]  # fmt: skip
    end_runs(services)
    workflow(services)
    assert states(services) == {b"IMG_1.xmp": "set_aside", b"IMG_1.JPG.json": "set_aside"}
    assert (left(services), archived(services)) == ({}, set())
    write_tree(ingest(services), {"IMG_1.JPG": PHOTO})
    workflow(services)
    assert archived(services) == {f"2024/05/06/{name}" for name in ("IMG_1.JPG", "IMG_1.xmp", "IMG_1.JPG.json")}


def test_a_person_may_have_it_taken_in_all_the_same_and_no_scan_then_calls_it_left(services: Services) -> None:
    write_tree(ingest(services), {"IMG_1.JPG": PHOTO, "IMG_1.xmp": XMP})
    take_stock(services)
    file_at(services, "IMG_1.JPG").unlink()
    run_scan(services)
    jobs.retry_asset(services, rows(services)[b"IMG_1.xmp"].id)
    assert balance(run_scan(services)) == (1, 0, 0)
    end_runs(services)
    workflow(services)
    assert (left(services), archived(services)) == ({}, {"2024/05/06/IMG_1.xmp"}), "to the day of its photo"


def test_a_photo_of_the_group_that_is_still_there_keeps_the_sidecar(services: Services) -> None:
    write_tree(ingest(services), {"IMG_1.JPG": PHOTO, "IMG_1.CR2": b"raw", "IMG_1.xmp": XMP})
    take_stock(services)
    file_at(services, "IMG_1.JPG").unlink()
    run_scan(services)
    assert states(services) == {b"IMG_1.CR2": "unique", b"IMG_1.xmp": "unique"}


def test_after_a_week_they_are_archived_alone_where_that_is_set_and_their_photo_finds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = {"settle_seconds": 0, "lone_sidecars": "archive"}
    services = make_services(tmp_path, scan=scan, batch={"transfer_mode": "copy"})
    write_tree(ingest(services), {"IMG_1.xmp": XMP, "GX010001.LRV": b"small film", "IMG_2.JPG.json": b"{}"})
    for name in ("GX010001.LRV", "IMG_2.JPG.json"):
        os.utime(file_at(services, name), (NEW_YEAR, NEW_YEAR))
    workflow(services)
    assert (len(left(services)), archived(services)) == (3, set())
    # nothing that a test may do sets the time of a file's last change of any kind
    monkeypatch.setattr(lone_sidecars, "LONG", timedelta(-1))
    workflow(services)
    monkeypatch.undo()
    assert balance(run_scan(services)) == (3, 0, 0), "the copies that stay are no sidecars that wait"
    end_runs(services)
    assert archived(services) == {"2019/08/07/IMG_1.xmp", "2020/01/01/GX010001.LRV", "2020/01/01/IMG_2.JPG.json"}
    assert {a.taken_from for a in rows(services).values()} == {"xmp_sidecar", "mtime"}
    write_tree(ingest(services), {"IMG_1.JPG": PHOTO, "IMG_2.JPG": make_jpeg(taken="2024:05:06 10:00:00", seed=2)})
    workflow(services)
    together = {f"2024/05/06/{name}" for name in ("IMG_1.JPG", "IMG_1.xmp", "IMG_2.JPG", "IMG_2.JPG.json")}
    assert archived(services) == {*together, "2020/01/01/GX010001.LRV"}
    services.close()
