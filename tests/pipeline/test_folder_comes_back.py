"""A run that meets a folder without its marker waits for it, goes on by itself when it is back, and makes no noise."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from app import jobs
from app.db import root_waits
from app.db.clock import later
from app.model import AssetStatus, BatchStatus, Run, RunStatus, Stage, StepStatus, Trigger
from app.overview.hindrances import what_run_waits_for
from app.pipeline import away
from app.pipeline.tick import wake_waiting
from app.services import Services
from tests.pipeline.running import (
    Opener,
    count,
    fill,
    go,
    make_folder_due,
    messages,
    stages_of,
    the_batches,
    workflow,
)


def take_away(tmp_path: Path, name: str) -> None:
    """What a share leaves behind that is not mounted: an empty folder without the marker."""
    (tmp_path / name).rename(tmp_path / f"{name}-away")
    (tmp_path / name).mkdir()


def bring_back(tmp_path: Path, name: str) -> None:
    (tmp_path / name).rmdir()
    (tmp_path / f"{name}-away").rename(tmp_path / name)


def tick(services: Services) -> list[int]:
    make_folder_due(services)
    return wake_waiting(services)


def waits_for(services: Services, run: Run) -> str:
    with services.db.reading() as conn:
        return what_run_waits_for(conn, run) or ""


@pytest.mark.parametrize("name", ["ingest", "batches", "archive"])
def test_a_run_waits_for_a_folder_that_is_away_and_goes_on_by_itself_when_it_is_back(
    services: Services, tmp_path: Path, name: str
) -> None:
    fill(services, 3)
    take_away(tmp_path, name)

    run = workflow(services)

    assert run.status is RunStatus.WAITING and run.error is None
    stage, status = stages_of(services, run)[-1]
    assert status is StepStatus.WAITING and stage in (Stage.SCAN, Stage.DEDUP, Stage.BATCH)
    assert str(tmp_path / name) in waits_for(services, run) and "when it is back" in waits_for(services, run)
    assert [tick(services) for _ in range(3)] == [[], [], []]
    assert os.listdir(tmp_path / name) == []
    bring_back(tmp_path, name)
    assert tick(services) == [run.id]
    assert f"{tmp_path / name} is back" in messages(services, "run.resumed")[0]
    assert go(services, run).status is RunStatus.DONE
    assert count(services, AssetStatus.ARCHIVED) == 3
    assert len(messages(services, "root.unavailable")) == 1 and messages(services, "run.failed") == []


def test_an_archive_that_goes_away_while_a_batch_is_sorted_leaves_no_error_behind(
    services: Services, tmp_path: Path
) -> None:
    fill(services, 3)
    for begin in (jobs.start_stage,):
        for stage in (Stage.SCAN, Stage.DEDUP, Stage.INSPECT, Stage.BATCH, Stage.SYNC):
            assert go(services, begin(services, stage, Trigger.API)).status is RunStatus.DONE
    take_away(tmp_path, "archive")
    batch = the_batches(services)[0]

    run = go(services, jobs.start_sort(services, batch.id, Trigger.API))

    assert run.status is RunStatus.WAITING
    assert the_batches(services)[0].status in (BatchStatus.SYNCED, BatchStatus.SORTING)
    bring_back(tmp_path, "archive")
    assert tick(services) == [run.id]
    assert go(services, run).status is RunStatus.DONE
    assert the_batches(services)[0].status is BatchStatus.SORTED


def test_a_folder_that_is_away_for_long_is_looked_for_now_and_then_and_adds_neither_steps_nor_events(
    services: Services, tmp_path: Path
) -> None:
    fill(services, 1)
    take_away(tmp_path, "ingest")
    run = workflow(services)
    before = (len(stages_of(services, run)), len(messages(services, "")))
    for _ in range(20):
        assert wake_waiting(services) == []
        assert tick(services) == []
    assert (len(stages_of(services, run)), len(messages(services, ""))) == before
    with services.db.reading() as conn:
        wait = root_waits.find(conn, run.id)
    assert wait is not None and wait.next_look_at > later(away.LOOK_EVERY_SECONDS - 5)


def test_a_folder_that_comes_and_goes_is_tried_ever_more_seldom_told_once_and_given_up_at_last(
    services: Services, tmp_path: Path
) -> None:
    fill(services, 1)
    take_away(tmp_path, "ingest")
    run, pauses = workflow(services), []
    while run.status is RunStatus.WAITING:
        bring_back(tmp_path, "ingest")
        assert tick(services) == [run.id]
        take_away(tmp_path, "ingest")
        run = go(services, run)
        with services.db.reading() as conn:
            wait = root_waits.find(conn, run.id)
        pauses += [wait.times] if wait is not None and run.status is RunStatus.WAITING else []
        assert len(pauses) <= away.MOST_TIMES
    assert pauses == list(range(1, away.MOST_TIMES + 1))
    assert run.status is RunStatus.FAILED and str(tmp_path / "ingest") in (run.error or "")
    assert len(messages(services, "root.unavailable")) == 2, "once when it went away, once when the run was given up"


def test_a_folder_that_was_back_for_an_hour_and_goes_away_again_is_waited_for_anew(
    services: Services, tmp_path: Path
) -> None:
    fill(services, 1)
    take_away(tmp_path, "ingest")
    run = workflow(services)
    bring_back(tmp_path, "ingest")
    assert tick(services) == [run.id]
    with services.db.transaction() as conn:
        wait = root_waits.find(conn, run.id)
        assert wait is not None
        root_waits.put(conn, run.id, replace(wait, times=5, woken_at=later(-away.IN_A_ROW_SECONDS - 1)))
    take_away(tmp_path, "ingest")
    assert go(services, run).status is RunStatus.WAITING
    with services.db.reading() as conn:
        again = root_waits.find(conn, run.id)
    assert again is not None and again.times == 0


def test_only_one_run_waits_for_a_folder(services: Services, tmp_path: Path) -> None:
    fill(services, 1)
    take_away(tmp_path, "ingest")
    workflow(services)
    second = workflow(services)
    third = go(services, jobs.start_stage(services, Stage.SCAN, Trigger.API))
    assert (second.status, third.status) == (RunStatus.WAITING, RunStatus.FAILED)
    bring_back(tmp_path, "ingest")
    assert tick(services) == [second.id]
    assert go(services, second).status is RunStatus.DONE
    assert tick(services) == []


def test_a_run_that_waited_for_a_folder_and_waits_for_its_delivery_now_is_not_woken_by_the_folder(
    open_test_services: Opener, tmp_path: Path
) -> None:
    disk, unplugged = tmp_path / "usb-disk", tmp_path / "unplugged"
    services = open_test_services(sync={"target": "folder", "folder_dir": str(disk)})
    fill(services, 1)
    take_away(tmp_path, "ingest")
    run = workflow(services)
    bring_back(tmp_path, "ingest")
    disk.rename(unplugged)
    assert tick(services) == [run.id]
    assert go(services, run).status is RunStatus.WAITING
    assert "usb-disk" in (the_batches(services)[0].sync_detail or "")
    assert [tick(services) for _ in range(3)] == [[], [], []]


def test_an_undo_fails_at_once_for_the_person_who_asked_for_it(services: Services, tmp_path: Path) -> None:
    fill(services, 1)
    assert workflow(services).status is RunStatus.DONE
    run = jobs.start_undo(services, the_batches(services)[0].id, Trigger.API)
    take_away(tmp_path, "archive")
    assert go(services, run).status is RunStatus.FAILED
    assert tick(services) == []
