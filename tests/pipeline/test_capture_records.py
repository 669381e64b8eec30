"""What is kept of every date: all that was found, why it won or lost, how sure it is; and when that is forgotten."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from app.db import assets, capture_records
from app.db.capture_records import CaptureRecord, Told, packed, unpacked
from app.db.doubtful_dates import DateFilter
from app.files.capture_time.choose import DOUBTS
from app.overview.doubtful import list_doubtful
from app.overview.why import explain
from app.services import Services
from tests.conftest import make_jpeg, write_tree
from tests.files.media import exif_bytes, movie, picture
from tests.pipeline.stages import ingest, rows, run_scan, take_stock

TAKEN = "2024:05:06 07:08:09"
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:DateTimeOriginal="{}"/>'
    "</rdf:RDF></x:xmpmeta>"
)


def xmp(text: str) -> bytes:
    return XMP.format(text).encode()


def takeout(taken: datetime) -> bytes:
    return json.dumps({"title": "x", "photoTakenTime": {"timestamp": str(int(taken.timestamp()))}}).encode()


def record(services: Services, path: bytes) -> CaptureRecord:
    with services.db.reading() as conn:
        found = capture_records.find(conn, rows(services)[path].id)
    assert found is not None
    return found


def dated(services: Services) -> dict[bytes, tuple[str | None, str | None]]:
    return {path: (a.taken_local, a.taken_from) for path, a in rows(services).items()}


def test_every_date_that_was_found_is_told_with_the_reason_why_it_won_or_lost(services: Services) -> None:
    photo = picture("JPEG", exif_bytes("0000:00:00 00:00:00", "2020:01:02 03:04:05"))
    write_tree(ingest(services), {"2019/IMG_20210304_050607.jpg": photo})
    take_stock(services)
    answer = explain(services, "IMG_20210304_050607.jpg")
    capture = answer["asset"]["capture"]
    assert capture["confidence"] == "likely"
    assert [(c["source"], c["outcome"], c["why"]) for c in capture["candidates"]] == [
        ("exif", "rejected", "it is all zeros (0000:00:00 00:00:00)"),
        ("exif_digitized", "won", "no better source tells a date that can be"),
        ("filename", "lost", "EXIF DateTimeDigitized is asked first"),
        ("folder", "lost", "EXIF DateTimeDigitized is asked first"),
        ("mtime", "lost", "EXIF DateTimeDigitized is asked first"),
    ]
    told = [one["text"] for one in answer["told"] if one["about"] in ("confidence", "candidates")]
    assert told[0] == "That is likely, but not told by the camera as its capture date."
    assert told[2] == (
        "The file name tells 2021-03-04 05:06:07; that is not used: EXIF DateTimeDigitized is asked first."
    )


def test_the_dates_of_a_member_that_took_over_another_date_are_kept_too(services: Services) -> None:
    clip = movie(datetime(2024, 5, 6, 9, tzinfo=UTC))
    write_tree(ingest(services), {"I.HEIC": picture("HEIF", exif_bytes(TAKEN)), "I.MOV": clip})
    take_stock(services)
    answer = explain(services, "I.MOV")
    assert answer["asset"]["taken_from"] == "sibling"
    assert [(c["source"], c["outcome"]) for c in answer["asset"]["capture"]["candidates"]] == [
        ("mvhd", "lost"), ("mtime", "lost"),
    ]  # fmt: skip
    assert answer["asset"]["capture"]["confidence"] == "sure"


def test_sidecars_date_the_photos_that_hold_no_date(services: Services) -> None:
    write_tree(ingest(services), {
        "a.jpg": make_jpeg(seed=1), "a.xmp": xmp("2019-08-07T06:05:04"),
        "b.jpg": make_jpeg(seed=2), "b.jpg.xmp": xmp("2018-08-07T06:05:04+03:00"), "b.xmp": xmp("2011-01-01"),
        "c.jpg": make_jpeg(seed=3), "c.jpg.json": takeout(datetime(2017, 8, 7, 6, 5, 4, tzinfo=UTC)),
        "d.jpg": make_jpeg(TAKEN, seed=4), "d.xmp": xmp("2018-01-01"),
        "e.mov": movie(), "e.thm": make_jpeg("2015:06:07 08:09:10", seed=5),
        "f.jpg": make_jpeg(seed=6), "f.xmp": b"<!DOCTYPE x [<!ENTITY y 'z'>]>" + xmp("2018-01-01"),
    })  # fmt: skip
    take_stock(services)
    found = dated(services)
    assert found[b"a.jpg"] == ("2019-08-07T06:05:04", "xmp_sidecar")
    assert found[b"a.xmp"] == ("2019-08-07T06:05:04", "sibling")
    assert found[b"b.jpg"] == ("2018-08-07T06:05:04", "xmp_sidecar")
    assert found[b"c.jpg"] == ("2017-08-07T06:05:04", "takeout")
    assert found[b"d.jpg"] == ("2024-05-06T07:08:09", "exif")
    assert found[b"e.mov"] == ("2015-06-07T08:09:10", "exif")
    assert found[b"f.jpg"][1] == "mtime"
    assert record(services, b"d.jpg").candidates[1] == Told("xmp_sidecar", "2018-01-01")


def test_what_a_clock_told_that_was_reset_waits_in_the_review_and_why_says_what_knew_better(services: Services) -> None:
    write_tree(ingest(services), {
        "a.jpg": make_jpeg("2000:01:01 00:03:12", seed=1),
        "IMG_20190505_120000.jpg": make_jpeg("2000:01:01 00:04:12", seed=2),
        "VID_20230805_220000.mp4": movie(datetime(2023, 8, 6, 2, 0, 9, tzinfo=UTC)),
    })  # fmt: skip
    take_stock(services)
    with services.db.reading() as conn:
        page = list_doubtful(conn, DateFilter("clock"), 0, 10)["files"]
    assert [(one["came_as"], one["why"]) for one in page] == [("a.jpg", DOUBTS["clock"])]
    told = [one["text"] for name in dated(services) for one in explain(services, os.fsdecode(name))["told"]]
    assert "That is doubtful: it tells the day on which clocks begin that were reset." in told
    assert (
        "EXIF DateTimeOriginal tells 2000:01:01 00:04:12; that is passed over: "
        "it is where the clock of a camera begins anew, and the file name tells 2019-05-05."
    ) in told
    assert (
        "The header of the film tells 2023:08:06 02:00:09 UTC; that is not used: "
        "it tells the moment, and the file name what the clock showed where it was taken."
    ) in told


def test_a_pair_whose_dates_disagree_is_doubtful(services: Services) -> None:
    clip = movie(datetime(2024, 5, 7, 18, tzinfo=UTC))
    write_tree(ingest(services), {"IMG_1.JPG": make_jpeg(TAKEN), "IMG_1.MOV": clip, "x.jpg": make_jpeg(TAKEN, seed=2)})
    take_stock(services)
    assert dated(services)[b"IMG_1.MOV"] == ("2024-05-06T07:08:09", "sibling")
    assert [record(services, path).confidence for path in (b"IMG_1.JPG", b"IMG_1.MOV", b"x.jpg")] == [
        "weak", "weak", "sure",
    ]  # fmt: skip
    words = "the dates of its group disagree: IMG_1.JPG 2024-05-06, IMG_1.MOV 2024-05-07"
    assert rows(services)[b"IMG_1.JPG"].reason == words
    for name in ("IMG_1.JPG", "IMG_1.MOV"):
        told = [one["text"] for one in explain(services, name)["told"] if one["about"] == "confidence"]
        assert told == ["That is doubtful: the dates of its group disagree: IMG_1.MOV says 2024-05-07."]


def test_what_a_file_said_is_forgotten_when_it_holds_something_else(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": make_jpeg(TAKEN)})
    take_stock(services)
    asset = rows(services)[b"a.jpg"]
    assert record(services, b"a.jpg").winner == Told("exif", TAKEN)
    write_tree(ingest(services), {"a.jpg": make_jpeg("2020:01:01 00:00:00", seed=3)})
    run_scan(services)
    with services.db.reading() as conn:
        assert capture_records.find(conn, asset.id) is None
    take_stock(services)
    assert record(services, b"a.jpg").winner == Told("exif", "2020:01:01 00:00:00")
    assert rows(services)[b"a.jpg"].id == asset.id


def test_a_row_that_is_written_anew_with_other_content_loses_what_was_said(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": make_jpeg(TAKEN), "b.jpg": make_jpeg(TAKEN, seed=2)})
    take_stock(services)
    a, b = rows(services)[b"a.jpg"], rows(services)[b"b.jpg"]
    with services.db.transaction() as conn:
        capture_records.drop_of_other_content(conn, [(a.id, a.sha256), (b.id, "another")])
        assert capture_records.find(conn, a.id) is not None
        assert capture_records.find(conn, b.id) is None


def test_cameras_are_listed_of_those_that_tell_one(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": make_jpeg(TAKEN), "b.jpg": make_jpeg(TAKEN, seed=2)})
    take_stock(services)
    a, b = rows(services)[b"a.jpg"].id, rows(services)[b"b.jpg"].id
    with services.db.transaction() as conn:
        capture_records.write(conn, [CaptureRecord(a, (), "Canon", "Canon EOS R6", "sure")])
        capture_records.write(conn, [CaptureRecord(b, (), None, None, "sure")])
        assert capture_records.list_cameras(conn, [a, b, 999]) == {a: ("Canon", "Canon EOS R6")}
        assert assets.get(conn, a).taken_local == "2024-05-06T07:08:09"


SOURCES = st.sampled_from(["exif", "exif_digitized", "filename", "mtime"])
TEXTS = st.text(max_size=30).map(str.strip)


@given(st.lists(st.builds(Told, SOURCES, TEXTS, st.sampled_from(["local", "utc", "+02:00"]), TEXTS), max_size=6))
def test_what_is_stored_is_read_as_it_was(told: list[Told]) -> None:
    assert unpacked(packed(told)) == tuple(told)
