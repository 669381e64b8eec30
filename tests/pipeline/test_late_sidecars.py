"""What sidecars tell counts whenever they come, and from whichever folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from app.db import assets, runs
from app.db.rebuild_entries import Shot
from app.jobs.date_changes import DateWish
from app.jobs.dates import decide_dates
from app.model import BatchStatus, RunStatus, Stage
from app.pipeline import sort
from app.pipeline.rebuild.elsewhere import plan_homes
from app.services import Services
from tests.conftest import make_jpeg, make_services
from tests.pipeline.library import a_step
from tests.pipeline.rebuilding import lose_database, rebuild
from tests.pipeline.refiling import archive, plan, put, refile, report_of, tree
from tests.pipeline.running import the_batches, workflow
from tests.pipeline.stages import rows
from tests.pipeline.undoing import undo

PHOTO, OTHER = make_jpeg(seed=1), make_jpeg(seed=2)
JSON = json.dumps({"title": "X.jpg", "photoTakenTime": {"timestamp": "1525514400"}}).encode()
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:DateTimeOriginal="2018-05-05T10:00:00"/>'
    b"</rdf:RDF></x:xmpmeta>"
)
Library = Mapping[str, bytes]
OF_COPIES: dict[str, tuple[Library, Library]] = {
    "JSON": ({"a/X.jpg": PHOTO}, {"b/X.jpg": PHOTO, "b/X.jpg.json": JSON}),
    "XMP of another name": ({"c/Z.jpg": OTHER}, {"d/Y.jpg": OTHER, "d/Y.xmp": XMP}),
}
LATE: dict[str, tuple[Library, Library]] = {
    "JSON": ({"a/X.jpg": PHOTO}, {"a/X.jpg.json": JSON}),
    "thumbnail of a film": ({"a/X.MOV": b"film"}, {"a/X.THM": make_jpeg(taken="2018:05:05 10:00:00", seed=3)}),
}


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Services]:
    services = make_services(tmp_path, dedup={"threads": 1})
    yield services
    services.close()


def moved_by_refile(services: Services) -> int:
    return int(report_of(services, plan(services))["done"])


def folders(services: Services) -> set[str]:
    return {os.path.dirname(path) for path in tree(services) if not path.endswith("/")}


def test_a_sidecar_beside_a_copy_in_another_folder_dates_the_photo_for_good(one: Services) -> None:
    archive(one, {path: content for lots in OF_COPIES.values() for lot in lots for path, content in lot.items()})
    assert folders(one) == {"2018/05/05"}
    assert moved_by_refile(one) == 0


@pytest.mark.parametrize("arrivals", [OF_COPIES["JSON"], *LATE.values()], ids=["JSON of a copy", *LATE])
def test_a_late_sidecar_draws_what_is_archived_to_its_day(one: Services, arrivals: tuple[Library, Library]) -> None:
    before = archive(one, arrivals[0])
    archive(one, arrivals[1])
    assert folders(one) == {"2018/05/05"}
    dated = {a.taken_local for a in rows(one).values() if a.status.value == "archived"}
    assert len(dated) == 1
    assert moved_by_refile(one) == 0
    assert undo(one, 2).status is RunStatus.DONE
    assert tree(one) == before


def test_a_late_sidecar_does_not_overrule_what_the_camera_or_a_person_says(one: Services) -> None:
    archive(one, {"a/X.jpg": make_jpeg(taken="2024:05:06 10:00:00", seed=1), "b/Y.jpg": OTHER})
    (scan,) = (a for a in rows(one).values() if a.taken_from == "mtime")
    decide_dates(one, DateWish("set", "1985-06-01", [scan.id]), "anna")
    archive(one, {**LATE["JSON"][1], "b/Y.jpg.json": JSON.replace(b"X", b"Y")})
    assert folders(one) == {"2024/05/06", os.path.dirname(os.fsdecode(scan.path))}
    refile(one)
    assert folders(one) == {"2024/05/06", "1985/06/01"}


def test_a_late_sidecar_of_a_copy_is_with_the_photo_after_a_rebuild_too(one: Services) -> None:
    for library in OF_COPIES["JSON"]:
        archive(one, library)
    config = one.config
    one.close()
    lose_database(config)
    rebuilt, _ = rebuild(config)
    groups = {a.group_id for path, a in rows(rebuilt).items() if path.startswith(b"2018/05/05/")}
    assert len(groups) == 1
    rebuilt.close()


def test_group_numbers_of_other_databases_join_nothing_that_is_called_otherwise_or_has_its_photo_beside_it() -> None:
    def homes(*lines: tuple[str, int]) -> list[tuple[int, tuple[bytes, bytes]]]:
        return list(plan_homes([Shot(origin.encode(), batch_id, 7, None, None) for origin, batch_id in lines]))

    assert homes(("a/X.jpg", 1), ("b/X.jpg.json", 2)) == [(2, (b"a", b"X"))]
    assert homes(("a/X.jpg", 1), ("b/Y.jpg.json", 2)) == []
    assert homes(("a/X.jpg", 1), ("a/X.jpg.supplemental-metadata.json", 2)) == [(2, (b"a", b"X"))]
    assert homes(("a/X.jpg", 1), ("b/X.jpg", 2), ("b/X.xmp", 3)) == [(3, (b"b", b"X"))]
    assert homes(("a/X.jpg", 1), ("b/X.jpg", 2), ("b/X.xmp", 2)) == []


def test_a_photo_whose_drawing_along_a_start_had_to_finish_gets_the_date_of_its_sidecar(one: Services) -> None:
    archive(one, LATE["JSON"][0])
    (before,) = rows(one).values()
    archive(one, LATE["JSON"][1])
    late = the_batches(one)[-1]
    columns = {"taken_local": before.taken_local, "taken_at": before.taken_at, "taken_from": before.taken_from}
    with one.db.transaction() as conn:
        assets.set_columns(conn, [(before.id, columns)])
        conn.exec_driver_sql("UPDATE batches SET status = ? WHERE id = ?", (BatchStatus.SORTING.value, late.id))
    sort.run(one, a_step(one, Stage.SORT, late.id))
    photo = rows(one)[b"2018/05/05/X.jpg"]
    assert ((photo.taken_local or "")[:10], photo.taken_from) == ("2018-05-05", "takeout")


def test_a_photo_that_waits_for_a_review_stays_there_and_filing_anew_takes_it_to_its_day(tmp_path: Path) -> None:
    services = make_services(tmp_path, dedup={"threads": 1}, sorter={"weak_dates": "review"})
    archive(services, LATE["JSON"][0])
    said = sort_report(services, LATE["JSON"][1])
    assert folders(services) == {"review"}
    assert "of 1 file archived before a better date is known now" in said["message"]
    refile(services)
    assert folders(services) == {"2018/05/05"}
    services.close()


def sort_report(services: Services, library: Library) -> dict[str, Any]:
    put(services, library)
    run = workflow(services)
    with services.db.reading() as conn:
        return next(step.report for step in runs.list_steps(conn, run.id) if step.stage is Stage.SORT)
