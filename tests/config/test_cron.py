"""Schedules as people write them: what is refused, and when the next time is, daylight saving included."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.config.cron import cron_problem, next_after
from tests.config.test_checks import problems_of

BERLIN = ZoneInfo("Europe/Berlin")


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
