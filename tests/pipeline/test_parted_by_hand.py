"""A photo and a film that share no more than a name: a person parts them, and each lies on its own day for good."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app import jobs
from app.errors import BadRequest
from app.jobs.date_changes import DateWish
from app.jobs.date_undo import UndoWish, undo_decisions
from app.jobs.dates import decide_dates
from app.jobs.refile import RefileWish, start_refile
from app.model import Asset, RunStatus, Trigger
from app.services import Services
from tests.conftest import make_config, make_jpeg, make_services, write_tree
from tests.files.media import movie
from tests.pipeline.rebuilding import lose_database, rebuild
from tests.pipeline.running import go, workflow
from tests.pipeline.stages import ingest, rows, take_stock
from tests.pipeline.test_date_decisions import inspect_again

TAKEN = "2019:05:03 07:08:09"
TREE = {"IMG_5.jpg": make_jpeg(TAKEN), "IMG_5.mov": movie(), "IMG_5.mov.json": b"{}", "IMG_5.xmp": b"<x/>"}
TOGETHER = {f"2019/05/03/{name}" for name in TREE}
PARTED = {
    "2019/05/03/IMG_5.jpg", "2019/05/03/IMG_5.xmp", "2022/08/09/IMG_5.mov", "2022/08/09/IMG_5.mov.json",
}  # fmt: skip


@pytest.fixture
def library(tmp_path: Path) -> Services:
    services = make_services(tmp_path)
    write_tree(ingest(services), TREE)
    return services


def named(services: Services, ending: bytes) -> Asset:
    return next(asset for path, asset in rows(services).items() if path.endswith(ending))


def decide(services: Services, *, alone: bool = True) -> None:
    wish = DateWish("set", "2022-08-09", [named(services, b".mov").id], alone=alone)
    shown = decide_dates(services, wish, "anna", dry_run=True)
    done = decide_dates(services, wish, "anna")
    assert (shown.files, shown.changes) == (done.files, done.changes)
    jobs.keep_decisions(services)


def take_back(services: Services) -> None:
    undo_decisions(services, UndoWish([named(services, b".mov").id]), "anna")
    jobs.keep_decisions(services)


def refile(services: Services) -> None:
    run = go(services, start_refile(services, RefileWish(), Trigger.CLI))
    assert run.status is RunStatus.DONE


def tree(services: Services) -> set[str]:
    return {os.fsdecode(path) for path in rows(services)}


def test_a_parted_film_goes_to_its_day_and_comes_back_when_that_is_taken_back(library: Services) -> None:
    workflow(library)
    assert tree(library) == TOGETHER
    decide(library)
    refile(library)
    assert tree(library) == PARTED
    take_back(library)
    refile(library)
    assert tree(library) == TOGETHER
    library.close()


def test_a_photo_that_followed_its_film_has_its_own_day_again_when_that_is_parted(library: Services) -> None:
    workflow(library)
    decide(library, alone=False)
    assert named(library, b".jpg").taken_local == "2022-08-09T12:00:00"
    decide(library)
    assert named(library, b".jpg").taken_local == "2019-05-03T07:08:09"
    refile(library)
    assert tree(library) == PARTED
    library.close()


def test_files_that_wait_stay_apart_when_they_are_inspected_again(library: Services) -> None:
    take_stock(library)
    decide(library)
    inspect_again(library)
    found = rows(library)
    days = {os.fsdecode(path): (asset.taken_local or "")[:10] for path, asset in found.items()}
    assert days == {os.path.basename(path): path[:10].replace("/", "-") for path in PARTED}
    assert len({asset.group_id for asset in found.values()}) == 2
    library.close()


def test_what_comes_later_goes_to_the_rest_or_after_the_film_whose_name_it_has(library: Services) -> None:
    os.unlink(os.path.join(ingest(library), b"IMG_5.xmp"))
    os.unlink(os.path.join(ingest(library), b"IMG_5.mov.json"))
    workflow(library)
    decide(library)
    refile(library)
    write_tree(ingest(library), {name: TREE[name] for name in ("IMG_5.xmp", "IMG_5.mov.json")})
    workflow(library)
    assert tree(library) == PARTED
    library.close()


def test_a_rebuild_knows_who_was_parted_and_what_was_taken_back(tmp_path: Path, library: Services) -> None:
    workflow(library)
    decide(library)
    jpg = named(library, b".jpg")
    decide_dates(library, DateWish("set", "2019-05-04", [jpg.id]), "anna")
    jobs.keep_decisions(library)
    library.close()
    lose_database(make_config(tmp_path))
    again, _ = rebuild(make_config(tmp_path))
    jobs.confirm_rebuild(again)
    refile(again)
    assert tree(again) == {path.replace("05/03", "05/04") for path in PARTED}
    take_back(again)
    refile(again)
    assert tree(again) == {path.replace("05/03", "05/04") for path in TOGETHER}
    again.close()


def test_only_files_that_are_named_can_be_parted(library: Services) -> None:
    take_stock(library)
    with pytest.raises(BadRequest, match="by their ids"):
        decide_dates(library, DateWish("accept", doubtful=True, alone=True), "anna")
    library.close()
