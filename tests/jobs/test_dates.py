"""Deciding about dates: what each decision means, whom it concerns, and that it equals what an inspection finds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app import jobs
from app.db import assets, capture_records, date_decisions, doubtful_dates
from app.db.doubtful_dates import DateFilter
from app.errors import BadRequest, Conflict, NotFound
from app.jobs.date_changes import DateWish
from app.jobs.date_results import Decided
from app.jobs.date_undo import UndoWish, undo_decisions
from app.jobs.dates import decide_dates
from app.model import AssetStatus, Stage, Trigger
from app.overview import ConfigFacts, overview
from app.overview.doubtful import count_doubtful, list_doubtful
from app.overview.why import explain
from app.services import Services
from tests.conftest import make_jpeg, make_services, read_tree, write_tree
from tests.files.media import exif_bytes, movie, picture
from tests.pipeline.running import go, workflow
from tests.pipeline.stages import events, ingest, rows, run_inspect, take_stock

COPIED = datetime(2021, 7, 8, 9, 10, 11, tzinfo=UTC).timestamp()


@pytest.fixture
def berlin(tmp_path: Path) -> Services:
    return make_services(tmp_path, sorter={"timezone": "Europe/Berlin"}, sync={"target": "none"})


def fill(services: Services) -> None:
    tree = {
        "a/exif.jpg": picture("JPEG", exif_bytes("2024:05:06 07:08:09")),
        "a/film.mov": movie(datetime(2024, 5, 6, 22, 30, tzinfo=UTC)),
        "a/scan.jpg": make_jpeg(seed=1),
        "b/scan.jpg": make_jpeg(seed=2),
        "b/scan.xmp": b"<x/>",
    }
    write_tree(ingest(services), tree)
    for name in ("a/scan.jpg", "b/scan.jpg", "b/scan.xmp"):
        os.utime(Path(os.fsdecode(ingest(services))) / name, (COPIED, COPIED))
    go(services, jobs.start_stage(services, (Stage.SCAN, Stage.DEDUP, Stage.INSPECT), Trigger.API))


def decide(services: Services, action: str, value: str, *paths: bytes, dry_run: bool = False) -> Decided:
    found = rows(services)
    return decide_dates(services, DateWish(action, value, [found[p].id for p in paths]), "anna", dry_run=dry_run)


def dated(services: Services, *paths: bytes) -> Sequence[tuple[str | None, str | None, str | None]]:
    found = rows(services)
    return [(found[p].taken_local, found[p].taken_at, found[p].taken_from) for p in paths]


def everything(services: Services) -> dict[bytes, object]:
    with services.db.reading() as conn:
        return {
            path: (a.taken_local, a.taken_at, a.taken_from, a.reason, capture_records.find(conn, a.id))
            for path, a in rows(services).items()
        }


@pytest.mark.parametrize(
    ("action", "value", "path", "expected"),
    [
        ("accept", "", b"a/scan.jpg", ("2021-07-08T11:10:11", "2021-07-08T09:10:11+00:00")),
        ("set", "1978-12-24", b"a/scan.jpg", ("1978-12-24T12:00:00", "1978-12-24T11:00:00+00:00")),
        ("set", "1998-07-01 10:00", b"a/scan.jpg", ("1998-07-01T10:00:00", "1998-07-01T08:00:00+00:00")),
        ("set", "1998-07-01 10:00+09:00", b"a/scan.jpg", ("1998-07-01T10:00:00", "1998-07-01T01:00:00+00:00")),
        ("set", "1998-07-01T23:30:00Z", b"a/scan.jpg", ("1998-07-02T01:30:00", "1998-07-01T23:30:00+00:00")),
        ("zone", "Asia/Tokyo", b"a/exif.jpg", ("2024-05-06T07:08:09", "2024-05-05T22:08:09+00:00")),
        ("zone", "-05:00", b"a/film.mov", ("2024-05-06T17:30:00", "2024-05-06T22:30:00+00:00")),
        ("zone", "America/New_York", b"a/scan.jpg", ("2021-07-08T05:10:11", "2021-07-08T09:10:11+00:00")),
        ("shift", "-1", b"a/exif.jpg", ("2024-05-06T06:08:09", "2024-05-06T04:08:09+00:00")),
        ("shift", "-0:30", b"a/exif.jpg", ("2024-05-06T06:38:09", "2024-05-06T04:38:09+00:00")),
        ("shift", "+17:30", b"a/exif.jpg", ("2024-05-07T00:38:09", "2024-05-06T22:38:09+00:00")),
        ("shift", "17.5", b"a/exif.jpg", ("2024-05-07T00:38:09", "2024-05-06T22:38:09+00:00")),
    ],
)
def test_a_decision_takes_effect_at_once_and_is_what_the_next_inspection_finds(
    berlin: Services, action: str, value: str, path: bytes, expected: tuple[str, str]
) -> None:
    fill(berlin)
    decide(berlin, action, value, path)
    assert dated(berlin, path) == [(*expected, "person")]
    at_once = everything(berlin)
    with berlin.db.transaction() as conn:
        assets.set_columns(conn, [(asset.id, {"inspected_at": None}) for asset in rows(berlin).values()])
    run_inspect(berlin)
    assert everything(berlin) == at_once


@pytest.mark.parametrize(
    ("action", "value", "words"),
    [
        ("set", "yesterday", "no date; write it as in 2019-07-14"),
        ("set", "2023-02-30", "no date"),
        ("set", "2999-01-01", "lies in the future"),
        ("set", "2020-01-01 10:00+23:00", "no offset"),
        ("zone", "Europe/Nowhere", "no time zone"),
        ("zone", "../../etc/passwd", "no time zone"),
        ("shift", "nan", "no number of hours"),
        ("shift", "0", "no number of hours"),
        ("shift", "0:00", "no number of hours"),
        ("shift", "1:75", "no number of hours"),
        ("shift", "800000", "lies in the future"),
        ("shift", "-900000", "no number of hours"),
        ("burn", "", "none of accept"),
    ],
)
def test_what_is_no_decision_is_refused_and_changes_nothing(
    berlin: Services, action: str, value: str, words: str
) -> None:
    fill(berlin)
    before = everything(berlin)
    with pytest.raises(BadRequest, match=words):
        decide(berlin, action, value, b"a/scan.jpg", b"a/exif.jpg")
    assert everything(berlin) == before


def test_all_that_belongs_to_a_file_gets_its_date_and_a_second_decision_replaces_the_first(berlin: Services) -> None:
    fill(berlin)
    decide(berlin, "set", "1990-01-01", b"b/scan.xmp")
    decide(berlin, "set", "1991-01-01", b"b/scan.jpg")
    at = ("1991-01-01T12:00:00", "1991-01-01T11:00:00+00:00")
    assert dated(berlin, b"b/scan.jpg", b"b/scan.xmp") == [(*at, "person"), (*at, "sibling")]
    with berlin.db.reading() as conn:
        ids = [asset.id for asset in rows(berlin).values()]
        assert [one.text for one in date_decisions.list_of(conn, ids).values()] == ["1991-01-01 12:00"]


def test_a_zone_after_a_shift_still_keeps_what_the_clock_showed(berlin: Services) -> None:
    fill(berlin)
    decide(berlin, "shift", "1", b"a/exif.jpg", b"a/film.mov")
    decide(berlin, "zone", "+09:00", b"a/exif.jpg", b"a/film.mov")
    assert dated(berlin, b"a/exif.jpg") == [("2024-05-06T08:08:09", "2024-05-05T23:08:09+00:00", "person")]
    assert dated(berlin, b"a/film.mov") == [("2024-05-07T08:30:00", "2024-05-06T23:30:00+00:00", "person")]


def test_doubtful_dates_are_listed_counted_and_gone_from_the_list_once_accepted(berlin: Services) -> None:
    fill(berlin)
    with berlin.db.reading() as conn:
        listed = list_doubtful(conn, DateFilter(), 0, 1)
        more = list_doubtful(conn, DateFilter(), listed["next_after_id"], 10)
        counts = count_doubtful(conn)
        in_b = list_doubtful(conn, DateFilter(folder=b"b"), 0, 10)
        with_camera = list_doubtful(conn, DateFilter(camera="canon"), 0, 10)
    assert [f["came_as"] for f in (*listed["files"], *more["files"])] == ["a/scan.jpg", "b/scan.jpg"]
    assert (more["next_after_id"], counts["files"]) == (None, 2)
    assert counts["by_reason"] == [{"reason": "mtime", "why": "it holds no capture time", "files": 2}]
    assert counts["by_folder"] == [{"folder": "a", "files": 1}, {"folder": "b", "files": 1}]
    assert ([f["came_as"] for f in in_b["files"]], with_camera["files"]) == (["b/scan.jpg"], [])
    decide_dates(berlin, DateWish("accept", only=DateFilter(folder=b"b")), "anna")
    with berlin.db.reading() as conn:
        assert count_doubtful(conn)["files"] == 1


def test_a_page_ends_where_enough_was_looked_at_and_says_where_to_go_on(
    berlin: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(berlin)
    monkeypatch.setattr("app.db.doubtful_dates.LOOKED_AT", 1)
    with berlin.db.reading() as conn:
        first = list_doubtful(conn, DateFilter(folder=b"b"), 0, 10)
        second = list_doubtful(conn, DateFilter(folder=b"b"), first["next_after_id"], 10)
    assert (first["files"], [f["came_as"] for f in second["files"]]) == ([], ["b/scan.jpg"])


def test_the_clock_of_a_camera_is_put_right_for_all_its_photos_and_no_other(berlin: Services) -> None:
    write_tree(
        ingest(berlin),
        {
            "one.jpg": picture("JPEG", exif_bytes("2024:05:06 07:08:09")),
            "two.jpg": picture("JPEG", exif_bytes("2024:05:07 07:08:09")),
            "other.jpg": picture("JPEG", exif_bytes("2024:05:08 07:08:09")),
        },
    )
    take_stock(berlin)
    found = rows(berlin)
    with berlin.db.transaction() as conn:
        for path, model in ((b"one.jpg", "EOS R6"), (b"two.jpg", "EOS R6"), (b"other.jpg", "Z 6")):
            (kept,) = capture_records.list_of(conn, [found[path].id]).values()
            capture_records.write(conn, [kept._replace(camera_model=model)])
    before = read_tree(ingest(berlin))
    wish = DateWish("shift", "24", only=DateFilter(camera="eos r6"))
    assert decide_dates(berlin, wish, "anna", dry_run=True).files == 2
    assert dated(berlin, b"one.jpg")[0][2] == "exif"
    decided = decide_dates(berlin, wish, "anna")
    assert (decided.files, decided.waiting, decided.in_archive) == (2, 2, 0)
    assert [local for local, _, _ in dated(berlin, b"one.jpg", b"two.jpg", b"other.jpg")] == [
        "2024-05-07T07:08:09", "2024-05-08T07:08:09", "2024-05-08T07:08:09",
    ]  # fmt: skip
    assert read_tree(ingest(berlin)) == before
    assert events(berlin, "dates.decided") == ["2 files got another date: shift 24, by anna."]
    assert len(events(berlin, "asset.date_decided")) == 2


def test_what_waits_is_filed_by_what_was_decided(berlin: Services) -> None:
    fill(berlin)
    decide(berlin, "set", "1978-12-24", b"b/scan.jpg")
    workflow(berlin)
    there = {path for path in read_tree(berlin.config.paths.sorted_dir) if not path.endswith("/")}
    assert {"1978/12/24/scan.jpg", "1978/12/24/scan.xmp", "2021/07/08/scan.jpg"} <= there


def test_what_is_archived_gets_the_date_and_stays_where_it_is(berlin: Services) -> None:
    fill(berlin)
    workflow(berlin)
    before = read_tree(berlin.config.paths.sorted_dir)
    decided = decide(berlin, "set", "1978-12-24", b"2021/07/08/scan.jpg")
    assert (decided.in_archive, decided.waiting) == (1, 0)
    assert dated(berlin, b"2021/07/08/scan.jpg")[0][0] == "1978-12-24T12:00:00"
    assert read_tree(berlin.config.paths.sorted_dir) == before


def test_a_duplicate_has_the_date_of_its_original_and_an_unknown_file_is_not_found(berlin: Services) -> None:
    same = make_jpeg("2024:05:06 07:08:09")
    write_tree(ingest(berlin), {"a.jpg": same, "b.jpg": same})
    take_stock(berlin)
    (copy,) = [path for path, asset in rows(berlin).items() if asset.status is AssetStatus.DUPLICATE]
    decided = decide(berlin, "accept", "", copy)
    assert (decided.files, decided.refused) == (0, 1)
    assert "it is a duplicate" in decided.refusals[0]["reason"]
    with pytest.raises(NotFound):
        decide_dates(berlin, DateWish("accept", asset_ids=[999]), "anna")
    with pytest.raises(BadRequest, match="Say which files"):
        decide_dates(berlin, DateWish("accept"), "anna")


def test_too_many_files_at_once_are_refused_whole(berlin: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(berlin)
    before = everything(berlin)
    monkeypatch.setattr("app.jobs.date_files.MAX_FILES", 1)
    with pytest.raises(Conflict, match="decide about fewer at once"):
        decide_dates(berlin, DateWish("accept", doubtful=True), "anna")
    assert everything(berlin) == before


def test_files_held_for_a_review_get_the_date_and_are_doubtful_no_more(tmp_path: Path) -> None:
    sorter = {"timezone": "Europe/Berlin", "weak_dates": "review"}
    services = make_services(tmp_path, sorter=sorter, sync={"target": "none"})
    fill(services)
    workflow(services)
    path = b"review/scan.jpg"
    assert rows(services)[path].status is AssetStatus.SET_ASIDE
    decided = decide(services, "accept", "", path)
    with services.db.reading() as conn:
        listed = [file["place"] for file in list_doubtful(conn, DateFilter(), 0, 10)["files"]]
    assert (decided.in_archive, rows(services)[path].status) == (1, AssetStatus.SET_ASIDE)
    assert [place for place in listed if place.endswith("review/scan.jpg")] == []
    services.close()


def test_the_count_of_doubtful_dates_is_that_of_the_list_also_when_files_have_gone(berlin: Services) -> None:
    fill(berlin)
    with berlin.db.reading() as conn:
        assert doubtful_dates.count(conn) == count_doubtful(conn)["files"] == 2
    (Path(os.fsdecode(ingest(berlin))) / "a/scan.jpg").unlink()
    take_stock(berlin)
    with berlin.db.reading() as conn:
        assert doubtful_dates.count(conn) == count_doubtful(conn)["files"] == 1
        assert [reason for reason, _, _ in doubtful_dates.stream(conn, 1)] == ["mtime"]
    assert overview(berlin, ConfigFacts(path=""))["doubtful_dates"] == 1


def test_the_story_of_a_file_tells_what_was_decided_of_its_date_and_taken_back(berlin: Services) -> None:
    fill(berlin)
    decided = decide(berlin, "set", "1985-06-01", b"a/scan.jpg")
    undo_decisions(berlin, UndoWish(decided_at=decided.decided_at), "ben")
    told = [one["text"] for one in explain(berlin, "a/scan.jpg")["told"] if one["about"] == "decided"]
    assert [text.partition(" UTC ")[2] for text in told] == [
        "anna decided its date: 1985-06-01T12:00:00, before 2021-07-08T11:10:11 (mtime).",
        "ben took back what was decided of its date: 2021-07-08T11:10:11 (mtime), before 1985-06-01T12:00:00 (person).",
    ]
