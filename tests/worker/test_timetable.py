"""When a scheduled verification starts: once per time, made up for once, never beside another run."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from app import jobs
from app.db import facts, runs
from app.db.clock import later
from app.model import Report, RunKind, RunStatus, Stage, StepStatus, Trigger
from app.services import Services
from worker.timetable import VERIFY_SCHEDULE, Served, is_due, start_due_verify

UTC_ZONE, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")
SUNDAYS = "0 3 * * 0"
SATURDAY, SUNDAY_EARLY, SUNDAY_LATE = (f"2024-05-0{day}+00:00" for day in ("4T12:00:00", "5T02:59:59", "5T03:00:00"))
Opener = Callable[..., Services]


@pytest.mark.parametrize(
    ("served", "moment", "due"),
    [
        (SATURDAY, SUNDAY_EARLY, False),
        (SATURDAY, SUNDAY_LATE, True),
        (SUNDAY_LATE, "2024-05-05T03:00:01+00:00", False),
        (SUNDAY_LATE, "2024-05-12T03:00:00+00:00", True),
        ("2023-01-01T00:00:00+00:00", SATURDAY, True),
    ],
)
def test_a_time_is_due_once_it_has_come_and_not_been_served(served: str, moment: str, due: bool) -> None:
    assert is_due(Served(served, SUNDAYS), moment, UTC_ZONE) is due


def test_the_clocks_of_the_zone_decide() -> None:
    assert is_due(Served(SATURDAY, SUNDAYS), "2024-05-05T01:00:00+00:00", BERLIN)
    assert not is_due(Served(SATURDAY, SUNDAYS), "2024-05-05T01:00:00+00:00", UTC_ZONE)


def test_what_is_written_down_reads_back() -> None:
    served = Served(SATURDAY, SUNDAYS)
    assert Served.read(served.words()) == served
    assert (Served.read(None), Served.read("")) == (None, None)


def serve_until(services: Services, instant: str) -> None:
    """Pretend that the schedule was last served then."""
    with services.db.transaction() as conn:
        facts.put(conn, VERIFY_SCHEDULE, Served(instant, services.config.verify.schedule).words())


def end_all(services: Services) -> None:
    with services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE runs SET status = 'done', slot = NULL")


def test_without_a_schedule_nothing_ever_starts(services: Services) -> None:
    assert [start_due_verify(services) for _ in range(3)] == [None] * 3


def test_a_new_schedule_begins_to_count_when_it_is_seen_first(open_test_services: Opener) -> None:
    services = open_test_services(verify={"schedule": "* * * * *"})
    assert [start_due_verify(services) for _ in range(3)] == [None] * 3


def test_a_missed_time_is_made_up_for_once(open_test_services: Opener) -> None:
    services = open_test_services(verify={"schedule": "0 0 1 1 *", "older_than_days": 7})
    serve_until(services, later(-86_400 * 1_000))
    run_id = start_due_verify(services)
    assert run_id is not None
    with services.db.reading() as conn:
        run = runs.get(conn, run_id)
    assert (run.kind, run.trigger, run.status) == (RunKind.VERIFY, Trigger.SCHEDULE, RunStatus.QUEUED)
    assert run.arguments["older_than_days"] == 7
    end_all(services)
    assert start_due_verify(services) is None


def test_one_that_was_started_is_not_started_again_when_the_fact_was_not_written(open_test_services: Opener) -> None:
    services = open_test_services(verify={"schedule": "0 0 1 1 *"})
    serve_until(services, later(-86_400 * 1_000))
    assert start_due_verify(services) is not None
    end_all(services)
    serve_until(services, later(-86_400 * 1_000))
    assert start_due_verify(services) is None


def test_beside_another_run_it_waits_and_stays_due(open_test_services: Opener) -> None:
    services = open_test_services(verify={"schedule": "0 0 1 1 *"})
    serve_until(services, later(-86_400 * 1_000))
    jobs.start_workflow(services, Trigger.API)
    assert start_due_verify(services) is None
    end_all(services)
    assert start_due_verify(services) is not None


def test_another_schedule_begins_anew(open_test_services: Opener) -> None:
    services = open_test_services(verify={"schedule": "0 0 1 1 *"})
    with services.db.transaction() as conn:
        facts.put(conn, VERIFY_SCHEDULE, Served(later(-86_400 * 1_000), "* * * * *").words())
    assert [start_due_verify(services) for _ in range(2)] == [None] * 2


def rest(services: Services, trigger: Trigger, goes_on_at: str) -> int:
    """A verification that lets other runs go first, until then."""
    run = jobs.start_verify(services, trigger, roots=["archive"])
    with services.db.transaction() as conn:
        step_id = runs.start_step(conn, run.id, Stage.VERIFY, None)
        runs.end_step(conn, step_id, StepStatus.WAITING, Report("waiting", "", detail={"goes_on_at": goes_on_at}))
        running = runs.change(conn, run, RunStatus.RUNNING)
        runs.change(conn, running, RunStatus.WAITING)
    return run.id


def test_one_that_rests_goes_on_when_its_rest_is_over(services: Services) -> None:
    run_id = rest(services, Trigger.CLI, later(60))
    assert start_due_verify(services) is None
    with services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE steps SET report = json_set(report, '$.goes_on_at', ?)", (later(-1),))
    assert start_due_verify(services) == run_id
    with services.db.reading() as conn:
        assert runs.get(conn, run_id).status is RunStatus.QUEUED


def test_one_that_rests_waits_for_the_run_that_goes_first(services: Services) -> None:
    run_id = rest(services, Trigger.CLI, later(-1))
    jobs.start_workflow(services, Trigger.API)
    assert start_due_verify(services) is None
    end_all_but(services, run_id)
    assert start_due_verify(services) == run_id


def end_all_but(services: Services, run_id: int) -> None:
    with services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE runs SET status = 'done', slot = NULL WHERE id != ?", (run_id,))


def test_at_a_time_of_the_schedule_the_scheduled_one_goes_on_and_no_other_starts(open_test_services: Opener) -> None:
    services = open_test_services(verify={"schedule": "0 0 1 1 *"})
    run_id = rest(services, Trigger.SCHEDULE, later(86_400))
    rested_long_ago(services)
    serve_until(services, later(-86_400 * 1_000))
    assert start_due_verify(services) == run_id
    end_all(services)
    assert start_due_verify(services) is None


def rested_long_ago(services: Services) -> None:
    with services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE runs SET requested_at = ?", (later(-86_400 * 900),))
        conn.exec_driver_sql("UPDATE steps SET ended_at = ?", (later(-86_400 * 800),))


def test_a_time_that_came_while_it_was_at_work_does_not_cut_its_rest_short(open_test_services: Opener) -> None:
    services = open_test_services(verify={"schedule": "0 0 1 1 *"})
    rest(services, Trigger.SCHEDULE, later(86_400))
    serve_until(services, later(-86_400 * 1_000))
    assert start_due_verify(services) is None
