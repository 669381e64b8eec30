"""Runs that file the archive anew: paused, told apart from their plans, taken back, refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.db import refile_entries, runs
from app.errors import BadRequest, Conflict, NotFound
from app.jobs import refile as jobs
from app.jobs.refile import RefileWish
from app.model import RunStatus, Stage, Trigger
from app.pipeline import refile as stage
from app.pipeline.step import StepContext, Stopped
from app.services import Services
from tests.conftest import make_jpeg
from tests.pipeline.library import a_step
from tests.pipeline.refiling import archive, plan, refile, report_of, take_back, tree
from tests.pipeline.running import go
from tests.pipeline.test_refile import LIBRARY, YEARLY, Opener, decide, names


class StoppingStep(StepContext):
    """A step that is asked to stop once so many files have moved."""

    stop_at = 0

    def safe_point(self, done: int, total: int, size_bytes: int = 0) -> None:
        if self.stop_at <= done < total:
            self.stopping.set()
        super().safe_point(done, total, size_bytes)


def stopping_step(services: Services, stop_at: int) -> StoppingStep:
    plain = a_step(services, Stage.REFILE)
    step = StoppingStep(services, plain.run_id, plain.step_id, None)
    step.stop_at = stop_at
    return step


def test_a_pause_leaves_whole_groups_and_the_run_goes_on(open_test_services: Opener) -> None:
    photos = {f"{n}/IMG_{n}.jpg": make_jpeg(f"2024:05:{n % 28 + 1:02d} 10:00:00", seed=n) for n in range(300)}
    films = {f"{n}/IMG_{n}.MOV": b"film %d" % n for n in range(300)}
    archive(open_test_services(dedup={"threads": 1}), {**photos, **films})
    services = open_test_services(sorter=YEARLY)
    with services.db.transaction() as conn:
        before = "UPDATE assets SET taken_local = '2023-01-01T10:00:00' WHERE CAST(path AS TEXT) LIKE ?"
        conn.exec_driver_sql(before, ("%/IMG_7.jpg",))
    step = stopping_step(services, 256)
    with pytest.raises(Stopped):
        stage.run(services, step)
    yearly = [name for name in names(services) if name.count("/") == 1]
    assert len(yearly) == 256 and len({name.partition(".")[0] for name in yearly}) == 128
    step.stopping.clear()
    step.stop_at = 10_000
    report = stage.run(services, step)
    assert (report.done, report.skipped) == (600, 0)
    assert report.detail["dated"] == 1, "what was dated before the pause counts as well"
    assert all(name.count("/") == 1 for name in names(services))


def test_what_differs_from_the_plan_that_was_seen_is_told(open_test_services: Opener) -> None:
    archive(open_test_services(), LIBRARY)
    services = open_test_services(sorter=YEARLY)
    seen = plan(services)
    decide(services, [b"2023/01/02/IMG_2.jpg"], "set", "2020-01-01")
    run = refile(services, RefileWish(plan=seen.id))
    assert report_of(services, run)["differing"] == 1
    with services.db.reading() as conn:
        assert refile_entries.count_differing(conn, run.id, run.id + 1) is None, "of what is not kept nothing is said"
    assert "2020/IMG_2.jpg" in names(services)
    nothing = plan(services)
    assert report_of(services, refile(services, RefileWish(plan=nothing.id)))["differing"] == 0


def test_what_was_moved_again_since_stays_when_a_run_is_taken_back(open_test_services: Opener) -> None:
    archive(open_test_services(), LIBRARY)
    services = open_test_services(sorter=YEARLY)
    first = refile(services)
    decide(services, [b"2023/IMG_2.jpg"], "set", "2020-01-01")
    refile(services)
    told = report_of(services, take_back(services, first))
    assert (told["moved"], told["stay"]) == (4, 1)
    assert "2020/IMG_2.jpg" in names(services) and "2024/05/06/IMG_1.jpg" in names(services)


def refused(call: Callable[..., Any], *given: Any, **more: Any) -> str:
    with pytest.raises((BadRequest, Conflict, NotFound)) as caught:
        call(*given, **more)
    return str(caught.value)


def test_what_makes_no_sense_is_refused_with_a_sentence(open_test_services: Opener) -> None:
    services = open_test_services()
    archive(services, LIBRARY)
    planned = plan(services)
    assert "only a plan" in refused(jobs.undo_refile, services, planned.id, Trigger.CLI)
    assert "no instant" in refused(jobs.plan_refile, services, RefileWish(decided_since="soon"), Trigger.CLI)
    assert "10,000 files" in refused(jobs.start_refile, services, RefileWish(range(1, 10_002)), Trigger.CLI)
    assert "files the archive anew" in refused(jobs.start_refile, services, RefileWish(plan=1), Trigger.CLI)
    nothing = go(services, jobs.undo_refile(services, refile(services).id, Trigger.CLI))
    assert (nothing.status, "nothing to take back" in (nothing.error or "")) == (RunStatus.FAILED, True)


def test_an_archive_that_is_away_stops_the_run_before_anything_is_believed(open_test_services: Opener) -> None:
    archive(open_test_services(), LIBRARY)
    services = open_test_services(sorter=YEARLY)
    os.unlink(Path(services.config.paths.sorted_dir, ".media-pipeline-root"))
    before = tree(services)
    run = go(services, jobs.start_refile(services, RefileWish(), Trigger.CLI))
    assert (run.status, tree(services)) == (RunStatus.FAILED, before)
    with services.db.reading() as conn:
        assert runs.list_steps(conn, run.id)[-1].report["outcome"] == "failed"
