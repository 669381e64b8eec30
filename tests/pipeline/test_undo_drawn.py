"""A batch that took archived files along to the day of their group is taken back: they lie where they lay before."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from app import jobs
from app.db import capture_records
from app.model import RunStatus, Trigger
from app.overview.undo import undo_summary
from app.services import Services
from tests.conftest import make_jpeg, make_services, read_tree
from tests.pipeline.killed_worker import go_on
from tests.pipeline.library import assert_rows_agree
from tests.pipeline.running import workflow
from tests.pipeline.stages import rows
from tests.pipeline.test_batch_cut_off import in_a_child
from tests.pipeline.test_groups_over_runs import put
from tests.pipeline.undoing import events_of, media_tree, undo

FEW_THREADS = {"dedup": {"threads": 1}}
STILL = make_jpeg(taken="2024:05:06 10:00:00", seed=1)
Row = tuple[bytes, str, str | None, str | None, str | None, str | None]


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    with_few = make_services(tmp_path, **FEW_THREADS)
    yield with_few
    with_few.close()


def places_and_dates(services: Services) -> dict[int, Row]:
    """Of every archived file where it lies, its date and how sure that is."""
    with services.db.reading() as conn:
        known = capture_records.list_of(conn, [a.id for a in rows(services).values()])
    return {
        a.id: (a.path, a.status.value, a.taken_local, a.taken_at, a.taken_from,
               known[a.id].confidence if a.id in known else None)
        for a in rows(services).values()
        if a.status.value == "archived"
    }  # fmt: skip


def take_along(services: Services) -> None:
    """A film with its subtitles is archived; then comes the still, and both go to its day."""
    put(services, {"IMG_1.MOV": b"film", "IMG_1.srt": b"words"})
    workflow(services)


def stays(services: Services, batch_id: int) -> list[str]:
    look = jobs.look_at_undo(services, batch_id)
    with services.db.reading() as conn:
        return [entry["reason"] for entry in undo_summary(conn, look)["drawn_stay"]]


@pytest.mark.parametrize("mode", ["move", "copy"])
def test_what_a_batch_took_along_goes_back_with_its_date(tmp_path: Path, mode: str) -> None:
    services = make_services(tmp_path, sorter={"transfer_mode": mode})
    take_along(services)
    before, tree = places_and_dates(services), media_tree(services)
    put(services, {"IMG_1.JPG": STILL})
    workflow(services)
    assert places_and_dates(services) != before
    look = jobs.look_at_undo(services, 2)
    with services.db.reading() as conn:
        said = undo_summary(conn, look)
    assert (said["drawn_back"], said["drawn_stay"], said["files"]) == (2, [], 1)
    assert undo(services, 2).status is RunStatus.DONE
    assert places_and_dates(services) == before
    after = media_tree(services)
    after.pop("ingest/IMG_1.JPG")
    assert after == tree
    assert "2 archived files" in events_of(services, "batch.undone")[-1].message
    assert_rows_agree(services)
    services.close()


def test_the_still_takes_them_along_again_when_its_batch_is_taken_in_again(services: Services) -> None:
    take_along(services)
    put(services, {"IMG_1.JPG": STILL})
    workflow(services)
    along = read_tree(services.config.paths.sorted_dir)
    undo(services, 2)
    jobs.take_in_again(services, 2)
    workflow(services)
    assert read_tree(services.config.paths.sorted_dir) == along


def test_one_whose_former_place_is_taken_stays_and_is_named_beforehand(services: Services) -> None:
    take_along(services)
    former = {a.path for a in rows(services).values()}
    put(services, {"IMG_1.JPG": STILL})
    workflow(services)
    archive = os.fsencode(services.config.paths.sorted_dir)
    film = next(path for path in former if path.endswith(b".MOV"))
    os.makedirs(os.path.dirname(archive + b"/" + film), exist_ok=True)
    Path(os.fsdecode(archive + b"/" + film)).write_bytes(b"somebody's")
    assert stays(services, 2) == ["its former place is taken", "others of its group stay"]
    assert undo(services, 2).status is RunStatus.DONE
    assert {a.path.rpartition(b"/")[0] for a in rows(services).values() if a.status.value == "archived"} == {
        b"2024/05/06"}
    assert "its former place is taken" in events_of(services, "batch.undone")[-1].message
    assert_rows_agree(services)


def test_what_would_be_parted_from_a_later_member_stays_with_it(services: Services) -> None:
    take_along(services)
    put(services, {"IMG_1.JPG": STILL})
    workflow(services)
    put(services, {"IMG_1.xmp": b"<x/>"})
    workflow(services)
    here = places_and_dates(services)
    still = next(a.id for a in rows(services).values() if a.path.endswith(b".JPG"))
    assert len(stays(services, 2)) == 2
    assert undo(services, 2).status is RunStatus.DONE
    assert places_and_dates(services) == {i: row for i, row in here.items() if i != still}
    assert_rows_agree(services)


def test_batches_are_taken_back_in_any_order(services: Services) -> None:
    take_along(services)
    put(services, {"IMG_1.JPG": STILL})
    workflow(services)
    for batch_id in (1, 2):
        assert undo(services, batch_id).status is RunStatus.DONE
    assert set(read_tree(services.config.paths.source_dir)) == {"IMG_1.MOV", "IMG_1.srt", "IMG_1.JPG"}
    assert_rows_agree(services)


# --- killed


@pytest.mark.parametrize("moments", [(900, 1_300), (1_100, 1_500), (1_700, 700), (2_000, 1_900)])
def test_an_undo_that_is_killed_brings_them_back_with_their_dates(tmp_path: Path, moments: tuple[int, int]) -> None:
    services = make_services(tmp_path, dedup={"threads": 1})
    take_along(services)
    before, tree = places_and_dates(services), media_tree(services)
    put(services, {"IMG_1.JPG": STILL})
    workflow(services)
    jobs.start_undo(services, 2, Trigger.CLI)
    services.close()
    assert in_a_child(partial(go_on, tmp_path, FEW_THREADS, moments[0])) == -signal.SIGKILL
    in_a_child(partial(go_on, tmp_path, FEW_THREADS, moments[1]))
    assert in_a_child(partial(go_on, tmp_path, FEW_THREADS, None)) == 0
    services = make_services(tmp_path, dedup={"threads": 1})
    assert places_and_dates(services) == before
    after = media_tree(services)
    after.pop("ingest/IMG_1.JPG")
    assert after == tree
    assert_rows_agree(services)
    services.close()
