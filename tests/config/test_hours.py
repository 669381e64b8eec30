"""workflow.hours: what it may hold, and whether it is one of them now, on the clocks of the zone."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.config.hours import hours_problem, is_within, next_beginning
from tests.config.test_checks import problems_of

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("hours", "clock", "within"),
    [
        (["22:00-06:00"], "21:59", False),
        (["22:00-06:00"], "22:00", True),
        (["22:00-06:00"], "00:00", True),
        (["22:00-06:00"], "05:59", True),
        (["22:00-06:00"], "06:00", False),
        (["9:00 - 17:30"], "17:29", True),
        (["9:00 - 17:30"], "17:30", False),
        (["01:00-05:00", "12:00-13:00"], "12:30", True),
        (["01:00-05:00", "12:00-13:00"], "11:59", False),
        ([], "12:00", False),
    ],
)
def test_the_first_minute_is_within_and_the_last_is_not(hours: list[str], clock: str, within: bool) -> None:
    hour, minute = map(int, clock.split(":"))
    moment = datetime(2024, 7, 1, hour, minute, tzinfo=BERLIN).astimezone(UTC)
    assert is_within(hours, moment, BERLIN) is within


def test_the_next_hours_begin_on_the_clocks_of_the_zone() -> None:
    at_noon = datetime(2024, 7, 1, 12, tzinfo=BERLIN)
    found = next_beginning(["22:00-06:00", "13:00-13:30"], at_noon, BERLIN)
    assert found == datetime(2024, 7, 1, 13, tzinfo=BERLIN)
    assert next_beginning([], at_noon, BERLIN) is None


def test_hours_that_the_clocks_skip_in_spring_begin_when_they_have_gone_on() -> None:
    found = next_beginning(["02:30-05:00"], datetime(2024, 3, 31, 0, tzinfo=BERLIN), BERLIN)
    assert found is not None
    assert found.astimezone(UTC) == datetime(2024, 3, 31, 1, tzinfo=UTC)
    assert is_within(["02:30-05:00"], found, BERLIN)


@pytest.mark.parametrize("hours", ["", "night", "22-6", "24:00-06:00", "22:00-06:60", "06:00-06:00", "22:00"])
def test_what_is_no_hours_of_the_day_is_refused_in_words(hours: str) -> None:
    assert "22:00-06:00" in (hours_problem(hours) or "")
    assert "22:00-06:00" in problems_of(workflow={"hours": [hours]})["workflow.hours"]
