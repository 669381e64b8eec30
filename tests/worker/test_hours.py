"""Runs that began by themselves keep to workflow.hours; those of a person, or that a person let go on, do not."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from app import jobs
from app.db import facts, resting, runs
from app.db.clock import later, now
from app.jobs.control import PAUSE
from app.model import AssetStatus, Run, RunStatus, Trigger
from app.overview.by_itself import in_words, starts_by_itself
from app.services import Services
from tests.worker.installation import Installation
from worker.hours import keep_hours
from worker.scheduled_runs import WORKFLOW_SCHEDULE, start_due_run
from worker.timetable import Served

Opener = Callable[..., Services]
Install = Callable[..., Installation]


def around_now(begin_minutes: int, end_minutes: int) -> list[str]:
    """Hours of the day from so many minutes after now until so many, on the clocks of UTC."""
    moment = datetime.fromisoformat(now())
    begin, end = (moment + timedelta(minutes=minutes) for minutes in (begin_minutes, end_minutes))
    return [f"{begin:%H:%M}-{end:%H:%M}"]


def installed(open_test_services: Opener, hours: list[str], **workflow: object) -> Services:
    """An installation whose first run a person has started, and which has ended."""
    services = open_test_services(workflow={"hours": hours, **workflow}, sorter={"timezone": "UTC"})
    jobs.start_workflow(services, Trigger.CONTROL)
    end_all(services)
    return services


def end_all(services: Services) -> None:
    with services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE runs SET status = 'done', slot = NULL, wish = NULL")


def again(services: Services, run: Run) -> Run:
    with services.db.reading() as conn:
        return runs.get(conn, run.id)


def kinds(services: Services) -> list[str]:
    with services.db.reading() as conn:
        return [str(row[0]) for row in conn.exec_driver_sql("SELECT kind FROM events ORDER BY id")]


@pytest.fixture
def over(open_test_services: Opener) -> Services:
    """The hours are over."""
    return installed(open_test_services, around_now(120, 180))


def open_hours(opener: Opener) -> Services:
    return opener(workflow={"hours": around_now(-60, 60)}, sorter={"timezone": "UTC"})


@pytest.mark.parametrize("trigger", [Trigger.SCHEDULE, Trigger.WATCH])
def test_a_run_rests_when_its_hours_are_over_and_goes_on_when_the_next_begin(
    over: Services, open_test_services: Opener, trigger: Trigger
) -> None:
    run = jobs.start_workflow(over, trigger)
    for _ in range(3):
        keep_hours(over)
    assert again(over, run).status is RunStatus.PAUSED
    assert kinds(over).count("run.hours_over") == 1
    within = open_hours(open_test_services)
    for _ in range(3):
        keep_hours(within)
    assert again(within, run).status is RunStatus.QUEUED
    assert kinds(within).count("run.resumed") == 1


def test_a_run_of_a_person_works_at_any_time(over: Services) -> None:
    run = jobs.start_workflow(over, Trigger.CONTROL)
    keep_hours(over)
    assert (again(over, run).status, again(over, run).wish) == (RunStatus.QUEUED, None)


def test_a_run_that_a_person_let_go_on_is_not_sent_to_rest_again(over: Services) -> None:
    run = jobs.start_workflow(over, Trigger.SCHEDULE)
    keep_hours(over)
    jobs.resume(over, run.id)
    for _ in range(3):
        keep_hours(over)
    assert again(over, run).status is RunStatus.QUEUED


def test_a_run_that_a_person_paused_afterwards_stays_so(over: Services, open_test_services: Opener) -> None:
    run = jobs.start_workflow(over, Trigger.SCHEDULE)
    keep_hours(over)
    jobs.resume(over, run.id)
    keep_hours(over)
    jobs.pause(over, run.id)
    keep_hours(open_hours(open_test_services))
    assert again(over, run).status is RunStatus.PAUSED


def test_a_run_at_work_is_asked_to_pause_and_the_wish_is_taken_back_when_hours_begin(
    over: Services, open_test_services: Opener
) -> None:
    run = jobs.start_workflow(over, Trigger.SCHEDULE)
    with over.db.transaction() as conn:
        runs.change(conn, run, RunStatus.RUNNING)
    keep_hours(over)
    assert again(over, run).wish == PAUSE
    within = open_hours(open_test_services)
    keep_hours(within)
    assert (again(within, run).status, again(within, run).wish) == (RunStatus.RUNNING, None)


def test_without_hours_any_more_a_resting_run_goes_on(over: Services, open_test_services: Opener) -> None:
    run = jobs.start_workflow(over, Trigger.SCHEDULE)
    keep_hours(over)
    free = open_test_services(workflow={"hours": []}, sorter={"timezone": "UTC"})
    keep_hours(free)
    assert again(free, run).status is RunStatus.QUEUED
    with free.db.reading() as conn:
        assert resting.find(conn) is None


def test_a_time_of_the_schedule_outside_the_hours_is_made_up_for_when_they_begin(open_test_services: Opener) -> None:
    yearly = "0 0 1 1 *"
    services = installed(open_test_services, around_now(120, 180), schedule=[yearly])
    with services.db.transaction() as conn:
        facts.put(conn, WORKFLOW_SCHEDULE, Served(later(-86_400 * 1_000), yearly).words())
    assert start_due_run(services) is None
    within = open_test_services(
        workflow={"hours": around_now(-60, 60), "schedule": [yearly]}, sorter={"timezone": "UTC"}
    )
    assert start_due_run(within) is not None


def test_the_pages_tell_when_the_hours_begin_and_that_nobody_has_to_act(over: Services) -> None:
    jobs.start_workflow(over, Trigger.SCHEDULE)
    keep_hours(over)
    with over.db.reading() as conn:
        found = starts_by_itself(conn, over.config)
    begin = datetime.fromisoformat(found["hours_begin_at"]) - datetime.fromisoformat(now())
    assert timedelta(minutes=118) < begin <= timedelta(minutes=120)
    assert found["held_back"] is None and found["hours"] == list(over.config.workflow.hours)
    assert in_words({**found, "watch": "poll"})[0].startswith("Such runs work in certain hours; the next begin at ")


def test_a_run_at_work_rests_with_every_file_at_its_place_and_archives_when_hours_begin(install: Install) -> None:
    # Files that must stand still for so long keep the run at work until its hours are looked at.
    slow = {"sync": {"target": "none"}, "scan": {"settle_seconds": 12}, "sorter": {"timezone": "UTC"}}
    site = install(workflow={"hours": around_now(120, 180)}, **slow)
    site.fill_ingest(3)
    before = site.census()
    site.start_worker()
    run = jobs.start_workflow(site.services, Trigger.WATCH)
    site.until(lambda: site.run(run.id).status is RunStatus.PAUSED, "the run rests")
    assert site.census() == before and len(list(site.folder("ingest").rglob("*.jpg"))) == 3
    assert len(site.events("run.hours_over")) == 1
    site.write_config(workflow={"hours": around_now(-60, 60)}, **slow)
    assert site.ended(run.id).status is RunStatus.DONE, site.output()
    assert site.counts() == {AssetStatus.ARCHIVED: 3} and site.census() == before


def test_the_worker_gives_way_as_the_settings_say(install: Install) -> None:
    site = install(system={"worker_nice": 12})
    worker = site.start_worker()
    assert os.getpriority(os.PRIO_PROCESS, worker.pid) == 12
    assert {os.getpriority(os.PRIO_PROCESS, int(task)) for task in os.listdir(f"/proc/{worker.pid}/task")} == {12}
    told = subprocess.run(["ionice", "-p", str(worker.pid)], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "idle"
