"""Inspect: every unique file gets a date, a group gets one date, and nothing on disk changes."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.files.census import take_census
from app.model import AssetStatus, RootKind
from app.services import Services
from tests.conftest import make_jpeg, make_services, write_tree
from tests.files.media import exif_bytes, movie, picture
from tests.pipeline.stages import change, ingest, left, rows, run_dedup, run_inspect, run_scan, states, take_stock

TAKEN = "2024:05:06 07:08:09"


def dates(services: Services) -> dict[bytes, tuple[str | None, str | None]]:
    return {path: (a.taken_local, a.taken_from) for path, a in rows(services).items()}


def test_each_file_gets_its_local_time_its_instant_and_the_source(tmp_path: Path) -> None:
    services = make_services(tmp_path, sorter={"timezone": "Europe/Berlin"})
    write_tree(ingest(services), {"a.jpg": make_jpeg(TAKEN), "IMG_20230102_030405.jpg": make_jpeg(seed=2)})
    write_tree(ingest(services), {"b.jpg": make_jpeg(seed=3)})
    os.utime(ingest(services) + b"/b.jpg", (1_700_000_000, 1_700_000_000))
    take_stock(services)
    assert dates(services) == {
        b"a.jpg": ("2024-05-06T07:08:09", "exif"),
        b"IMG_20230102_030405.jpg": ("2023-01-02T03:04:05", "filename"),
        b"b.jpg": ("2023-11-14T23:13:20", "mtime"),
    }
    found = rows(services)
    assert found[b"a.jpg"].taken_at == "2024-05-06T05:08:09+00:00"
    assert found[b"b.jpg"].reason == "it holds no capture time"
    assert all(a.inspected_at for a in found.values())
    services.close()


def test_heic_and_video_have_their_own_dates(services: Services) -> None:
    clip = movie(datetime(2023, 7, 1, 12, tzinfo=UTC), brand=b"isom")
    write_tree(ingest(services), {"a.heic": picture("HEIF", exif_bytes(TAKEN)), "b.mp4": clip})
    take_stock(services)
    assert dates(services) == {
        b"a.heic": ("2024-05-06T07:08:09", "exif"),
        b"b.mp4": ("2023-07-01T12:00:00", "mvhd"),
    }


def test_a_group_has_the_date_of_its_still(services: Services) -> None:
    clip = movie(datetime(2024, 5, 7, 1, tzinfo=UTC))
    write_tree(
        ingest(services), {"I.HEIC": picture("HEIF", exif_bytes(TAKEN)), "I.MOV": clip, "I.AAE": b"x", "I.xmp": b"y"}
    )
    take_stock(services)
    assert {path: local for path, (local, _) in dates(services).items()} == dict.fromkeys(
        (b"I.HEIC", b"I.MOV", b"I.AAE", b"I.xmp"), "2024-05-06T07:08:09"
    )
    assert {path: source for path, (_, source) in dates(services).items() if source != "sibling"} == {b"I.HEIC": "exif"}


def test_a_sure_date_of_a_member_wins_over_a_still_without_one(services: Services) -> None:
    write_tree(ingest(services), {"I.jpg": make_jpeg(), "I.dng": picture("TIFF", exif_bytes(TAKEN))})
    take_stock(services)
    assert dates(services)[b"I.jpg"] == ("2024-05-06T07:08:09", "sibling")


def test_a_group_without_any_date_stays_weak_as_a_whole(services: Services) -> None:
    write_tree(ingest(services), {"I.jpg": make_jpeg(), "I.xmp": b"x"})
    take_stock(services)
    assert {source for _, source in dates(services).values()} == {"mtime"}
    assert len({local for local, _ in dates(services).values()}) == 1


def test_a_sidecar_that_comes_late_takes_the_date_of_its_photo(services: Services) -> None:
    write_tree(ingest(services), {"I.jpg": make_jpeg(TAKEN)})
    take_stock(services)
    photo = change(services, rows(services)[b"I.jpg"], AssetStatus.BATCHED)
    os.rename(ingest(services) + b"/I.jpg", services.root(RootKind.BATCH).path + b"/I.jpg")
    with services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE assets SET root_id = ? WHERE id = ?", (services.root(RootKind.BATCH).id, photo.id))
    write_tree(ingest(services), {"I.jpg.xmp": b"late"})
    take_stock(services)
    assert dates(services)[b"I.jpg.xmp"] == ("2024-05-06T07:08:09", "sibling")


def test_bad_files_are_dated_by_their_modification_time_and_stop_nothing(services: Services) -> None:
    tiff = picture("TIFF", exif_bytes(TAKEN))
    write_tree(
        ingest(services),
        {"cut.tif": tiff[:60], "empty.jpg": b"", "garbage.heic": b"x" * 999, "a.jpg": make_jpeg(TAKEN)},
    )
    take_stock(services)
    found = dates(services)
    assert found[b"a.jpg"][1] == "exif"
    assert {found[name][1] for name in (b"cut.tif", b"empty.jpg", b"garbage.heic")} == {"mtime"}
    assert all(rows(services)[name].reason for name in (b"cut.tif", b"empty.jpg", b"garbage.heic"))


def test_a_file_that_changed_since_dedup_is_left_for_the_next_scan(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": make_jpeg(TAKEN), "b.jpg": make_jpeg(TAKEN, seed=2)})
    run_scan(services)
    run_dedup(services)
    write_tree(ingest(services), {"a.jpg": make_jpeg("2020:01:01 00:00:00", seed=3)})
    report = run_inspect(services)
    assert [f.path for f in report.failures] == ["a.jpg"]
    assert rows(services)[b"a.jpg"].inspected_at is None
    take_stock(services)
    assert dates(services)[b"a.jpg"] == ("2020-01-01T00:00:00", "exif")


def test_what_is_dated_is_not_read_again(services: Services) -> None:
    write_tree(ingest(services), {"a.jpg": make_jpeg(TAKEN)})
    take_stock(services)
    before = rows(services)
    report = run_inspect(services)
    assert (report.outcome, report.message) == ("idle", "There was nothing to date.")
    assert rows(services) == before


NAMES = st.sampled_from(
    [b"a.jpg", b"b.jpg", b"a.xmp", b"a.mov", b"d/a.jpg", b"d/\xff.jpg", b"d/n\nl.png", b"x" * 251 + b".jpg"]
)
CONTENTS = st.sampled_from([b"", b"same", b"other", make_jpeg(TAKEN), make_jpeg(TAKEN)[:200], movie()])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=st.dictionaries(NAMES, CONTENTS, max_size=7))
def test_no_byte_and_no_time_changes_on_disk(tmp_path_factory, tree: dict[bytes, bytes]) -> None:  # type: ignore[no-untyped-def]
    services = make_services(tmp_path_factory.mktemp("library"))
    write_tree(ingest(services), tree)
    before = everything(ingest(services))
    census = take_census([ingest(services)])
    take_stock(services)
    take_stock(services)
    assert everything(ingest(services)) == before
    assert take_census([ingest(services)]) == census
    assert set(states(services)) | set(left(services)) == set(tree)
    assert "discovered" not in states(services).values()
    services.close()


def everything(folder: bytes) -> dict[bytes, tuple[bytes, int, int]]:
    found = {}
    for here, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(here, name)
            status = os.lstat(path)
            with open(path, "rb") as file:
                found[path] = (file.read(), status.st_mtime_ns, status.st_ctime_ns)
    return found
