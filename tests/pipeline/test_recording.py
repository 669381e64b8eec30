"""What files tell of their dates is recorded afterwards where it was not when they were dated; no date is changed."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app import jobs
from app.db import capture_records, confirmation, doubtful_dates
from app.db.capture_records import CaptureRecord
from app.db.doubtful_dates import DateFilter
from app.jobs.date_changes import DateWish
from app.jobs.dates import decide_dates
from app.model import RootKind, Run, RunStatus, Stage, Trigger
from app.overview.doubtful import what_was_not_read
from app.overview.why import explain
from app.services import Services
from tests.conftest import make_config, make_jpeg, make_services, write_tree
from tests.files.media import movie
from tests.pipeline.date_cases import photo
from tests.pipeline.date_cases.of_groups import xmp
from tests.pipeline.rebuilding import lose_database, rebuild
from tests.pipeline.running import go, workflow
from tests.pipeline.stages import ingest, rows

TREE = {
    "IMG_20200101_120000.jpg": photo(taken="2024:05:06 07:08:09", make="Canon", model="R6"),
    "a/IMG_1.jpg": make_jpeg("2024:05:06 07:08:09", seed=2),
    "a/IMG_1.mov": movie(),
    "a/IMG_1.jpg.xmp": xmp("2023-07-01T12:00:00"),
    "a/nothing.jpg": make_jpeg(seed=3),
    "a/decided.jpg": make_jpeg("2024:05:06 07:08:09", seed=4),
}


@pytest.fixture
def services(tmp_path: Path) -> Services:
    opened = make_services(tmp_path)
    write_tree(ingest(opened), TREE)
    workflow(opened)
    decided = next(asset.id for path, asset in rows(opened).items() if path.endswith(b"decided.jpg"))
    decide_dates(opened, DateWish("set", "1999-07-14 15:30", [decided]), "anna")
    return opened


def records(services: Services) -> dict[int, CaptureRecord]:
    with services.db.reading() as conn:
        return capture_records.list_of(conn, [asset.id for asset in rows(services).values()])


def forget(services: Services, where: str = "1 = 1") -> None:
    """As with a database of before, or after a rebuild."""
    with services.db.transaction() as conn:
        conn.exec_driver_sql(f"DELETE FROM capture_records WHERE {where}")


def read_dates(services: Services) -> Run:
    return go(services, jobs.start_stage(services, Stage.READ_DATES, Trigger.CLI))


def story(services: Services, name: str) -> str:
    asset = next(asset for path, asset in rows(services).items() if path.endswith(name.encode()))
    return " ".join(sentence["text"] for sentence in explain(services, str(asset.id))["told"])


def test_what_was_forgotten_is_recorded_again_as_an_inspection_did_and_dates_stay(services: Services) -> None:
    before, dated = records(services), rows(services)
    forget(services)
    assert read_dates(services).status is RunStatus.DONE
    assert records(services) == before
    assert rows(services) == dated
    assert len(before) == 5


def test_what_was_noted_to_be_doubtful_and_no_more_is_read_too_and_stays_doubtful(services: Services) -> None:
    before = records(services)
    with services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE capture_records SET candidates = '[]' WHERE confidence = 'weak'")
    assert records(services) != before
    read_dates(services)
    assert records(services) == before


def test_it_is_done_once(services: Services) -> None:
    forget(services)
    read_dates(services)
    run = read_dates(services)
    assert run.status is RunStatus.DONE
    with services.db.reading() as conn:
        done = conn.exec_driver_sql("SELECT COUNT(*) FROM events WHERE kind = 'dates.recorded'").scalar()
    assert done == 1


def test_a_file_that_is_not_there_is_told_and_the_others_are_read(services: Services) -> None:
    forget(services)
    archive = services.root(RootKind.ARCHIVE).path
    gone = next(path for path in rows(services) if path.endswith(b"nothing.jpg"))
    os.unlink(os.path.join(archive, gone))
    read_dates(services)
    assert len(records(services)) == 4
    with services.db.reading() as conn:
        message = conn.exec_driver_sql("SELECT message FROM events WHERE kind = 'dates.recorded'").scalar()
    assert message == "What 4 files tell of their dates is recorded; 1 could not be read. No date was changed."


def test_the_story_of_a_file_says_what_to_do_until_it_is_read(services: Services) -> None:
    advice = "`media-pipeline dates read` reads it and changes no date"
    forget(services)
    assert advice in story(services, "IMG_20200101_120000.jpg")
    assert advice not in story(services, "IMG_1.jpg.xmp")
    read_dates(services)
    told = story(services, "IMG_20200101_120000.jpg")
    assert advice not in told
    assert "The file name tells 2020-01-01 12:00:00; that is not used" in told


def test_a_rebuild_knows_doubtful_dates_again_and_reading_finds_those_of_groups_that_disagree(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    write_tree(ingest(services), {
        "a.jpg": make_jpeg(seed=1), "b.jpg": make_jpeg("2024:05:06 07:08:09", seed=2),
        "IMG_1.JPG": make_jpeg("2024:05:06 07:08:09"), "IMG_1.MOV": movie(datetime(2024, 5, 8, 1, tzinfo=UTC)),
    })  # fmt: skip
    workflow(services)
    before = doubtful(services)
    assert len(before) == 3
    services.close()
    lose_database(make_config(tmp_path))
    again, _ = rebuild(make_config(tmp_path))
    assert doubtful(again) == {b"a.jpg"}
    with again.db.reading() as conn:
        report = confirmation.report(conn)
        assert "4 files have their dates since a rebuild" in what_was_not_read(conn)
    assert report is not None
    assert report["counts"]["dates_not_read"] == 4
    jobs.confirm_rebuild(again)
    read_dates(again)
    assert doubtful(again) == before
    with again.db.reading() as conn:
        assert what_was_not_read(conn) == ""
    again.close()


def doubtful(services: Services) -> set[bytes]:
    with services.db.reading() as conn:
        found, _ = doubtful_dates.list_page(conn, DateFilter(), 0, 100)
    return {os.path.basename(one.asset.path) for one in found}
