"""Filing anew, when the disk refuses: groups stay whole, get their former names again, and the report says where."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection
from typing import Any
from unittest import mock

import pytest

from app.files import syscalls
from app.jobs import refile as jobs
from app.jobs.refile import RefileWish
from app.model import RunStatus, Trigger
from app.services import Services
from tests.conftest import make_jpeg
from tests.pipeline.library import assert_rows_agree
from tests.pipeline.refiling import archive, refile, report_of, take_back, tree
from tests.pipeline.running import go
from tests.pipeline.stages import events
from tests.pipeline.test_refile import LIBRARY, YEARLY, Opener


def refused_once(names: Collection[bytes], code: int) -> Any:
    """The system refuses to give a file one of these names, the first time."""
    rename, left = syscalls.rename_without_replacing, set(names)

    def refusing(source: int, name: bytes, target: int, new_name: bytes) -> None:
        if new_name in left:
            left.discard(new_name)
            raise OSError(code, os.strerror(code))
        rename(source, name, target, new_name)

    return mock.patch.object(syscalls, "rename_without_replacing", refusing)


@pytest.fixture
def circle(open_test_services: Opener) -> Services:
    """Two groups that have to change places: they are numbered by their dates now."""
    library: dict[str, bytes] = {}
    for number, day in ((1, 20), (2, 10)):
        library[f"{number}.jpg"] = make_jpeg(f"2024:05:{day} 10:00:00", seed=number)
        library[f"{number}.MOV"] = b"film %d" % number
    archive(open_test_services(sorter=YEARLY, dedup={"threads": 1}), library)
    return open_test_services(sorter={**YEARLY, "name_pattern": "{counter}"}, dedup={"threads": 1})


def test_groups_that_made_room_in_vain_get_their_names_again(circle: Services) -> None:
    before = tree(circle)
    with refused_once([b"1.MOV", b"2.MOV"], errno.EACCES):
        run = refile(circle)
    assert tree(circle) == before
    assert_rows_agree(circle)
    told = report_of(circle, run)
    assert (told["moved"], told["could_not_move"]) == (0, 4)
    assert {failure["path"] for failure in told["failures"]} == {*before}
    assert all("stays where it is" in words for words in events(circle, "asset.stayed_in_place"))


def test_a_group_whose_former_name_is_taken_by_then_is_told_by_the_name_that_it_has(circle: Services) -> None:
    before = tree(circle)
    with refused_once([b"2.MOV"], errno.EACCES):
        run = refile(circle)
    lies_at = {data: name for name, data in tree(circle).items()}
    assert lies_at[b"film 2"] == "2024/1.MOV"
    name = lies_at[b"film 1"]
    (words,) = events(circle, "asset.stayed_in_place")
    assert "2024/1.MOV could not go back" in words and f"lies at {name} now" in words
    assert {failure["path"] for failure in report_of(circle, run)["failures"]} == {name, name[:-3] + "jpg"}
    assert_rows_agree(circle)
    take_back(circle, run)
    assert tree(circle) == before


def test_a_disk_that_is_full_in_the_middle_of_a_group_parts_none(open_test_services: Opener) -> None:
    before = archive(open_test_services(), LIBRARY)
    services = open_test_services(sorter=YEARLY)
    with refused_once([b"IMG_1.MOV"], errno.ENOSPC):
        run = go(services, jobs.start_refile(services, RefileWish(), Trigger.CLI))
    assert run.status is not RunStatus.DONE
    day = "2024/05/06/"
    assert {name for name in tree(services) if "IMG_1.MOV" in name or "xmp" in name} == {
        day + "IMG_1.MOV", day + "IMG_1.jpg.xmp"}  # fmt: skip
    assert tree(services)[day + "IMG_1.jpg"] == before[day + "IMG_1.jpg"]
    assert_rows_agree(services)



def test_what_came_to_a_group_since_goes_back_with_it(open_test_services: Opener) -> None:
    before = archive(open_test_services(), LIBRARY)
    services = open_test_services(sorter=YEARLY)
    run = refile(services)
    archive(services, {"a/IMG_1.AAE": b"edits of one", "b/IMG_1.AAE": b"edits of the other"})
    assert {"2024/IMG_1.AAE", "2024/IMG_1_1.AAE"} <= {*tree(services)}
    take_back(services, run)
    edits = {"2024/05/06/IMG_1.AAE": b"edits of one", "2024/05/07/IMG_1.AAE": b"edits of the other"}
    assert tree(services) == {**before, **edits}
    assert_rows_agree(services)


def test_a_run_that_was_cut_off_leaves_no_empty_folder_behind_the_next(open_test_services: Opener) -> None:
    archive(open_test_services(), LIBRARY)
    services = open_test_services(sorter=YEARLY)
    with refused_once([b"IMG_1_1.jpg"], errno.EIO):
        run = go(services, jobs.start_refile(services, RefileWish(), Trigger.CLI))
    assert run.status is RunStatus.FAILED
    refile(services)
    assert not [name for name in tree(services) if name.endswith("/") or name.count("/") > 1]
    assert_rows_agree(services)
