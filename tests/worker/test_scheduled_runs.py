"""Runs that start by workflow.schedule: once per time, on the clocks of the zone, never before a person has acted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app import jobs
from app.db import confirmation, facts, runs
from app.db.clock import later, now
from app.model import Run, RunKind, RunStatus, Trigger
from app.overview.by_itself import starts_by_itself
from app.services import Services
from tests.worker.installation import Installation
from worker.scheduled_runs import WORKFLOW_SCHEDULE, start_due_run
from worker.timetable import JOINT, Served, is_due

YEARLY = "0 0 1 1 *"
LONG_AGO = later(-86_400 * 1_000)
Opener = Callable[..., Services]
Install = Callable[..., Installation]


def fired(expressions: Sequence[str], zone: ZoneInfo, begin: datetime, hours: int) -> list[str]:
    """The wall clock and the offset of each start in a simulated worker that ticks every five minutes."""
    found, served = [], Served(begin.astimezone(UTC).isoformat(), JOINT.join(expressions))
    for minutes in range(0, hours * 60, 5):
        moment = begin.astimezone(UTC) + timedelta(minutes=minutes)
        if is_due(served, moment.isoformat(), zone):
            found.append(moment.astimezone(zone).strftime("%d %H:%M %z"))
            served = Served(moment.isoformat(), served.expression)
    return found


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        # Spring: half past two does not come, and is made up for when the clocks have gone on.
        ("Europe/Berlin", (2024, 3, 30), ["30 02:30 +0100", "31 03:00 +0200", "01 02:30 +0200"]),
        ("America/New_York", (2024, 3, 9), ["09 02:30 -0500", "10 03:00 -0400", "11 02:30 -0400"]),
        ("Australia/Sydney", (2024, 10, 5), ["05 02:30 +1000", "06 03:00 +1100", "07 02:30 +1100"]),
        # Autumn: half past two comes twice on the wall (in New York half past one), and starts one run.
        ("Europe/Berlin", (2024, 10, 26), ["26 02:30 +0200", "27 02:30 +0200", "28 02:30 +0100"]),
        ("America/New_York", (2024, 11, 2), ["02 02:30 -0400", "03 02:30 -0500", "04 02:30 -0500"]),
        ("Australia/Sydney", (2024, 4, 6), ["06 02:30 +1100", "07 02:30 +1100", "08 02:30 +1000"]),
    ],
)
def test_every_night_brings_one_run_also_when_the_clocks_change(
    zone: str, day: tuple[int, int, int], expected: list[str]
) -> None:
    local = ZoneInfo(zone)
    assert fired(["30 2 * * *"], local, datetime(*day, tzinfo=local), 72) == expected


def test_the_hour_that_new_york_shows_twice_brings_one_run() -> None:
    local = ZoneInfo("America/New_York")
    found = fired(["30 1 * * *"], local, datetime(2024, 11, 3, tzinfo=local), 24)
    assert found == ["03 01:30 -0400"]


def test_every_expression_of_the_list_counts_and_one_time_that_two_name_counts_once() -> None:
    local = ZoneInfo("Europe/Berlin")
    found = fired(["0 3 * * *", "0 3 * * 0", "30 13 * * 6,0"], local, datetime(2024, 5, 4, tzinfo=local), 48)
    assert found == ["04 03:00 +0200", "04 13:30 +0200", "05 03:00 +0200", "05 13:30 +0200"]


def scheduled(open_test_services: Opener, *expressions: str) -> Services:
    """An installation whose first run has ended, and whose schedule was last served long ago."""
    services = open_test_services(workflow={"schedule": list(expressions)})
    jobs.start_workflow(services, Trigger.CONTROL)
    end_all(services)
    serve_until(services, LONG_AGO)
    return services


def serve_until(services: Services, instant: str) -> None:
    with services.db.transaction() as conn:
        facts.put(conn, WORKFLOW_SCHEDULE, Served(instant, JOINT.join(services.config.workflow.schedule)).words())


def end_all(services: Services) -> None:
    with services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE runs SET status = 'done', slot = NULL, wish = NULL")


def get_run(services: Services, run_id: int | None) -> Run:
    assert run_id is not None
    with services.db.reading() as conn:
        return runs.get(conn, run_id)


def test_a_missed_time_starts_one_whole_run_that_says_what_began_it(open_test_services: Opener) -> None:
    services = scheduled(open_test_services, YEARLY, "0 0 2 1 *")
    run = get_run(services, start_due_run(services))
    assert (run.kind, run.trigger, run.status) == (RunKind.WORKFLOW, Trigger.SCHEDULE, RunStatus.QUEUED)
    end_all(services)
    assert start_due_run(services) is None


def test_it_is_not_started_again_when_the_program_was_cut_off_before_that_was_noted(open_test_services: Opener) -> None:
    services = scheduled(open_test_services, YEARLY)
    assert start_due_run(services) is not None
    end_all(services)
    serve_until(services, LONG_AGO)
    assert start_due_run(services) is None


def test_without_a_schedule_and_right_after_it_was_set_nothing_starts(open_test_services: Opener) -> None:
    services = scheduled(open_test_services)
    assert start_due_run(services) is None
    services = open_test_services(workflow={"schedule": ["* * * * *"]})
    assert [start_due_run(services) for _ in range(2)] == [None] * 2


def test_a_changed_schedule_begins_anew(open_test_services: Opener) -> None:
    services = scheduled(open_test_services, YEARLY, "* * * * *")
    with services.db.transaction() as conn:
        facts.put(conn, WORKFLOW_SCHEDULE, Served(LONG_AGO, YEARLY).words())
    assert [start_due_run(services) for _ in range(2)] == [None] * 2


def test_beside_another_run_it_waits_and_starts_after_it(open_test_services: Opener) -> None:
    services = scheduled(open_test_services, YEARLY)
    jobs.start_cleanup(services, Trigger.API)
    assert start_due_run(services) is None
    end_all(services)
    assert start_due_run(services) is not None


def test_nothing_starts_before_a_person_has_started_the_first_run(open_test_services: Opener) -> None:
    services = open_test_services(workflow={"schedule": [YEARLY]})
    serve_until(services, LONG_AGO)
    assert start_due_run(services) is None
    assert "before you have started the first one" in held_back(services)
    jobs.start_workflow(services, Trigger.CONTROL)
    end_all(services)
    assert start_due_run(services) is not None


def test_nothing_starts_before_a_rebuild_is_confirmed(open_test_services: Opener) -> None:
    services = scheduled(open_test_services, YEARLY)
    with services.db.transaction() as conn:
        confirmation.require(conn, now(), confirmation.REBUILT)
    assert start_due_run(services) is None
    assert "is confirmed" in held_back(services)
    with services.db.transaction() as conn:
        confirmation.give(conn)
    assert start_due_run(services) is not None


def test_nothing_takes_over_from_a_run_that_a_person_has_paused(open_test_services: Opener) -> None:
    services = scheduled(open_test_services, YEARLY)
    run = jobs.start_workflow(services, Trigger.API)
    jobs.pause(services, run.id)
    assert start_due_run(services) is None
    assert f"run {run.id} is paused" in held_back(services)


def test_nothing_takes_over_from_a_run_that_waits_and_is_to_be_paused(open_test_services: Opener) -> None:
    services = scheduled(open_test_services, YEARLY)
    run = jobs.start_workflow(services, Trigger.API)
    with services.db.transaction() as conn:
        runs.change(conn, runs.change(conn, run, RunStatus.RUNNING), RunStatus.WAITING)
    jobs.pause(services, run.id)
    assert start_due_run(services) is None
    assert f"run {run.id} is paused" in held_back(services)
    jobs.resume(services, run.id)
    end_all(services)
    assert start_due_run(services) is not None


def held_back(services: Services) -> str:
    with services.db.reading() as conn:
        return starts_by_itself(conn, services.config)["held_back"] or ""


def test_the_next_time_is_that_of_the_zone_in_utc(open_test_services: Opener) -> None:
    services = open_test_services(workflow={"schedule": ["0 3 * * *"]}, sorter={"timezone": "Asia/Tokyo"})
    with services.db.reading() as conn:
        found = starts_by_itself(conn, services.config)
    assert found["next_at"].endswith("T18:00:00.000000+00:00")
    assert found["next_at"] > now()


def test_a_worker_starts_the_run_of_a_time_that_passed_while_it_was_off(install: Install) -> None:
    site = install(workflow={"schedule": [YEARLY]})
    jobs.start_workflow(site.services, Trigger.CLI)
    end_all(site.services)
    serve_until(site.services, LONG_AGO)
    site.fill_ingest(2)
    site.start_worker()
    site.until(lambda: len(listed(site)) == 2, "the due run starts")
    run = site.ended(listed(site)[0].id)
    assert (run.trigger, run.status) == (Trigger.SCHEDULE, RunStatus.DONE)
    assert len(list(site.folder("archive").rglob("*.jpg"))) == 2
    requested = [event.detail["trigger"] for event in site.events("run.requested")]
    assert requested == ["schedule", "cli"]


def listed(site: Installation) -> list[Run]:
    with site.services.db.reading() as conn:
        return runs.list_recent(conn)
