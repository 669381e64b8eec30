"""What people decided about dates outlives the database: a rebuild reads it back from beside the archive."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from app import jobs
from app.db import confirmation, date_decisions
from app.files.decision_log import FOLDER
from app.jobs.date_changes import DateWish
from app.jobs.dates import decide_dates
from app.model import RootKind, RunStatus, Trigger
from app.services import Services
from tests.conftest import make_config, make_jpeg, make_services, write_tree
from tests.files.media import movie
from tests.pipeline.rebuilding import lose_database, rebuild
from tests.pipeline.running import go, workflow
from tests.pipeline.stages import ingest, rows, take_stock

TAKEN = "2024:05:06 07:08:09"
TREE = {
    "IMG_1.jpg": make_jpeg(TAKEN),
    "IMG_1.mov": movie(),
    "b.jpg": make_jpeg(TAKEN, seed=2),
    "c.jpg": make_jpeg(TAKEN, seed=3),
}


@pytest.fixture
def sorted_library(tmp_path: Path) -> Services:
    services = make_services(tmp_path)
    write_tree(ingest(services), TREE)
    workflow(services)
    return services


def by_name(services: Services) -> dict[str, tuple[str | None, str | None]]:
    return {os.path.basename(os.fsdecode(p)): (a.taken_local, a.taken_from) for p, a in rows(services).items()}


def decide(services: Services, name: str, action: str, value: str) -> None:
    found = next(a for path, a in rows(services).items() if path.endswith(name.encode()))
    decide_dates(services, DateWish(action, value, [found.id]), "anna")
    jobs.keep_decisions(services)


def lost_and_rebuilt(tmp_path: Path, services: Services) -> tuple[Services, dict[str, Any]]:
    services.close()
    lose_database(make_config(tmp_path))
    again, _ = rebuild(make_config(tmp_path))
    return again, report_of(again)


def report_of(services: Services) -> dict[str, Any]:
    with services.db.reading() as conn:
        report = confirmation.report(conn)
    assert report is not None
    return report


def test_decided_dates_are_known_again_and_the_report_tells_how_many(
    tmp_path: Path, sorted_library: Services
) -> None:
    decide(sorted_library, "IMG_1.jpg", "set", "1999-12-24 18:00")
    decide(sorted_library, "b.jpg", "shift", "-1")
    before = by_name(sorted_library)
    again, report = lost_and_rebuilt(tmp_path, sorted_library)
    assert report["counts"]["decided_dates"] == 3
    assert by_name(again) == before
    assert before["IMG_1.mov"] == ("1999-12-24T18:00:00", "sibling")
    with again.db.reading() as conn:
        ids = [asset.id for asset in rows(again).values()]
        decided = {one.action: one.decided_by for one in date_decisions.list_of(conn, ids).values()}
    assert decided == {"set": "anna", "shift": "anna"}
    again.close()


def test_damaged_lines_are_told_and_the_others_count(tmp_path: Path, sorted_library: Services) -> None:
    decide(sorted_library, "b.jpg", "set", "1999-12-24 18:00")
    folder = Path(os.fsdecode(sorted_library.root(RootKind.ARCHIVE).path)) / os.fsdecode(FOLDER)
    newest = sorted(folder.iterdir())[-1]
    line = newest.read_bytes()
    newest.write_bytes(b"\x00\xffgarbage\n" + line + json.dumps({"sha256": "0" * 64}).encode()[:30])
    again, report = lost_and_rebuilt(tmp_path, sorted_library)
    assert by_name(again)["b.jpg"] == ("1999-12-24T18:00:00", "person")
    assert [f["reason"] for f in report["failures"]] == ["2 of its lines are damaged; all others were read"]
    again.close()


def test_what_the_rows_know_and_was_decided_later_stands(sorted_library: Services) -> None:
    decide(sorted_library, "b.jpg", "set", "1999-12-24 18:00")
    found = next(a for path, a in rows(sorted_library).items() if path.endswith(b"b.jpg"))
    decide_dates(sorted_library, DateWish("set", "2001-01-01 12:00", [found.id]), "ben")
    run = go(sorted_library, jobs.start_comparison(sorted_library, Trigger.CLI))
    assert run.status is RunStatus.DONE
    assert by_name(sorted_library)["b.jpg"] == ("2001-01-01T12:00:00", "person")
    assert report_of(sorted_library)["counts"]["decided_dates"] == 0
    sorted_library.close()


def test_a_decision_that_was_taken_back_stays_so(tmp_path: Path, sorted_library: Services) -> None:
    decide(sorted_library, "b.jpg", "set", "1999-12-24 18:00")
    with sorted_library.db.transaction() as conn:
        date_decisions.drop(conn, [asset.id for asset in rows(sorted_library).values()])
    jobs.keep_decisions(sorted_library)
    again, report = lost_and_rebuilt(tmp_path, sorted_library)
    assert report["counts"]["decided_dates"] == 0
    assert by_name(again)["b.jpg"] == ("2024-05-06T07:08:09", "exif")
    again.close()


def test_a_file_that_waited_gets_its_decided_date_when_it_is_inspected_after_a_rebuild(
    tmp_path: Path, sorted_library: Services
) -> None:
    write_tree(ingest(sorted_library), {"late.jpg": make_jpeg(TAKEN, seed=9)})
    take_stock(sorted_library)
    decide(sorted_library, "late.jpg", "set", "1999-12-24 18:00")
    again, _ = lost_and_rebuilt(tmp_path, sorted_library)
    jobs.confirm_rebuild(again)
    workflow(again)
    assert rows(again)[b"1999/12/24/late.jpg"].taken_from == "person"
    again.close()
