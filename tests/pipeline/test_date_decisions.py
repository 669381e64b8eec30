"""What a person decided about a date: it wins at every inspection, and goes with the content that it was about."""

from __future__ import annotations

import os

from app.db import assets, date_decisions
from app.db.date_decisions import DateDecision
from app.jobs.unread_contents import read_contents
from app.services import Services
from tests.conftest import make_jpeg, write_tree
from tests.files.media import movie
from tests.pipeline.stages import ingest, rows, run_inspect, take_stock
from tests.pipeline.test_capture_records import record

TAKEN = "2024:05:06 07:08:09"
WHEN = "2026-01-01T00:00:00+00:00"


def decide(services: Services, path: bytes, text: str, zone: str = "local") -> None:
    read_contents(services, [rows(services)[path]])
    with services.db.transaction() as conn:
        date_decisions.write(conn, [DateDecision(rows(services)[path].id, "set", text, zone, "anna", WHEN)])


def inspect_again(services: Services) -> None:
    with services.db.transaction() as conn:
        assets.set_columns(conn, [(asset.id, {"inspected_at": None}) for asset in rows(services).values()])
    run_inspect(services)


def test_a_decision_wins_over_what_the_file_tells_however_often_it_is_inspected(services: Services) -> None:
    write_tree(ingest(services), {"IMG_20210304_050607.jpg": make_jpeg(TAKEN)})
    take_stock(services)
    decide(services, b"IMG_20210304_050607.jpg", "1978-12-24 18:00", "+01:00")
    for _ in range(2):
        inspect_again(services)
        asset = rows(services)[b"IMG_20210304_050607.jpg"]
        assert (asset.taken_local, asset.taken_at, asset.taken_from) == (
            "1978-12-24T18:00:00", "1978-12-24T17:00:00+00:00", "person",
        )  # fmt: skip
        kept = record(services, asset.path)
        assert kept.confidence == "sure"
        assert [told.source for told in kept.candidates] == ["person", "exif", "filename"]


def test_a_decision_about_the_film_is_the_date_of_its_photo_too(services: Services) -> None:
    write_tree(ingest(services), {"IMG_1.jpg": make_jpeg(TAKEN), "IMG_1.mov": movie()})
    take_stock(services)
    decide(services, b"IMG_1.mov", "2001-02-03 04:05:06")
    inspect_again(services)
    dated = {path: (a.taken_local, a.taken_from) for path, a in rows(services).items()}
    assert dated == {
        b"IMG_1.jpg": ("2001-02-03T04:05:06", "sibling"),
        b"IMG_1.mov": ("2001-02-03T04:05:06", "person"),
    }


def test_a_file_that_was_written_anew_has_its_own_date_again(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": make_jpeg(TAKEN), "b.jpg": make_jpeg(TAKEN, seed=2)})
    take_stock(services)
    decide(services, b"a.jpg", "1999-01-01 12:00")
    decide(services, b"b.jpg", "1999-01-01 12:00")
    write_tree(ingest(services), {"a.jpg": make_jpeg("2022:02:02 02:02:02", seed=3)})
    take_stock(services)
    inspect_again(services)
    dated = {path: (a.taken_local, a.taken_from) for path, a in rows(services).items()}
    assert dated[b"a.jpg"] == ("2022-02-02T02:02:02", "exif")
    assert dated[b"b.jpg"] == ("1999-01-01T12:00:00", "person")


def test_a_decision_is_about_the_content_and_comes_back_with_it(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": make_jpeg(TAKEN)})
    take_stock(services)
    decide(services, b"a.jpg", "1999-01-01 12:00")
    for content, expected in ((make_jpeg(TAKEN, seed=7), "exif"), (make_jpeg(TAKEN), "person")):
        write_tree(ingest(services), {"a.jpg": content})
        take_stock(services)
        assert rows(services)[b"a.jpg"].taken_from == expected


def test_a_file_that_was_only_touched_keeps_the_date_that_was_decided(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": make_jpeg(TAKEN)})
    take_stock(services)
    decide(services, b"a.jpg", "1999-01-01 12:00")
    os.utime(os.path.join(ingest(services), b"a.jpg"), ns=(10**18, 10**18))
    take_stock(services)
    assert rows(services)[b"a.jpg"].taken_local == "1999-01-01T12:00:00"
