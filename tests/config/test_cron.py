"""Schedules as people write them: what is refused, and when the next time is, daylight saving included."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.config.cron import cron_problem, next_after, next_of
from app.config.parse import parse
from tests.config.test_checks import problems_of

BERLIN = ZoneInfo("Europe/Berlin")
PATHS = "paths: {source_dir: /data/in, batch_dir: /data/batches, sorted_dir: /data/archive}\n"


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("daily", "has 1 fields"),
        ("0 3 * *", "has 4 fields"),
        ("0 0 3 * * 0", "has 6 fields"),
        ("0 25 * * *", "Bad hour"),
        ("x 3 * * *", "Bad minute"),
        ("0 3 30 2 *", "Bad day-of-month"),
    ],
)
def test_a_schedule_that_means_nothing_is_refused_with_its_fault(expression: str, words: str) -> None:
    assert words in problems_of(verify={"schedule": expression})["verify.schedule"]


@pytest.mark.parametrize("expression", ["", "  ", "0 3 * * 0", "*/5 * * * *", "0 3 1 * MON-FRI", "0 3 L * *"])
def test_a_schedule_that_means_something_is_taken(expression: str) -> None:
    assert cron_problem(expression) is None
    assert problems_of(verify={"schedule": expression}) == {}


def test_each_of_several_schedules_is_judged() -> None:
    assert problems_of(workflow={"schedule": ["0 3 * * *", "30 13 * * 6,0"]}) == {}
    found = problems_of(workflow={"schedule": ["0 3 * * *", "daily"]})
    assert "'daily', which has 1 fields" in found["workflow.schedule"]
    assert "'', which is empty" in problems_of(workflow={"schedule": [""]})["workflow.schedule"]


@pytest.mark.parametrize("word", ["off", '"off"', "false"])
def test_watching_can_be_switched_off_with_and_without_quotes(word: str) -> None:
    assert parse(f"{PATHS}workflow:\n  watch: {word}\n", {}).config.workflow.watch == "off"
    assert parse(PATHS, {"MEDIA_PIPELINE_WORKFLOW__WATCH": "poll"}).config.workflow.watch == "poll"


def test_the_soonest_of_several_times_is_found_by_the_instant_not_by_the_wall_clock() -> None:
    # In the night of the change half past two comes twice; a quarter past two is an hour later the second time.
    before = datetime(2024, 10, 27, 0, 40, tzinfo=UTC)
    found = next_of(["15 2 * * *", "*/10 * * * *"], before.astimezone(BERLIN), BERLIN)
    assert found is not None
    assert found.astimezone(UTC) == datetime(2024, 10, 27, 0, 50, tzinfo=UTC)
    assert next_of([], before, BERLIN) is None


def test_sunday_at_three_is_sunday_at_three_on_the_clocks_of_the_zone() -> None:
    saturday = datetime(2024, 5, 4, 12, tzinfo=UTC)
    assert next_after("0 3 * * 0", saturday, BERLIN) == datetime(2024, 5, 5, 3, tzinfo=BERLIN)


def test_an_hour_that_the_clocks_skip_is_made_up_for_on_the_same_night() -> None:
    before = datetime(2024, 3, 30, 12, tzinfo=BERLIN)
    found = next_after("30 2 * * *", before, BERLIN)
    assert found is not None
    assert found.astimezone(UTC) == datetime(2024, 3, 31, 1, tzinfo=UTC)


def test_an_hour_that_the_clocks_show_twice_comes_once() -> None:
    moment, found = datetime(2024, 10, 26, 12, tzinfo=BERLIN), []
    for _ in range(2):
        coming = next_after("30 2 * * *", moment, BERLIN)
        assert coming is not None
        found.append(coming.astimezone(UTC))
        moment = coming
    assert found[1] - found[0] == timedelta(hours=25)
    assert found[0].date().isoformat() == "2024-10-27"
