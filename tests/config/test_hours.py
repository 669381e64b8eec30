"""Hours of the day: what they may be, and whether it is one of them, on the clocks of the zone, also in nights in which
clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
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


def minutes_within(hours: str, zone: str, begin: datetime, span_hours: int = 24) -> list[str]:
    """The instants (UTC) of a span, minute by minute, that are within hours."""
    moments = [begin + timedelta(minutes=minute) for minute in range(span_hours * 60)]
    return [f"{moment:%d %H:%M}" for moment in moments if is_within([hours], moment, ZoneInfo(zone))]


@pytest.mark.parametrize(
    ("zone", "noon", "first", "last", "hours"),
    [
        ("Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=UTC), "28 21:00", "29 04:59", 8),
        ("Europe/Berlin", datetime(2026, 10, 24, 12, tzinfo=UTC), "24 20:00", "25 05:59", 10),
        ("America/New_York", datetime(2026, 3, 7, 17, tzinfo=UTC), "08 03:00", "08 10:59", 8),
        ("Australia/Sydney", datetime(2026, 4, 4, 2, tzinfo=UTC), "04 11:00", "04 20:59", 10),
    ],
)
def test_a_night_in_which_clocks_are_changed_is_an_hour_shorter_or_longer(
    zone: str, noon: datetime, first: str, last: str, hours: int
) -> None:
    found = minutes_within("22:00-07:00", zone, noon)
    assert (found[0], found[-1], len(found)) == (first, last, hours * 60)


def test_an_hour_that_a_night_leaves_out_never_comes_and_one_shown_twice_does_so_twice() -> None:
    assert minutes_within("02:00-03:00", "Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=UTC)) == []
    assert len(minutes_within("02:00-03:00", "Europe/Berlin", datetime(2026, 10, 24, 12, tzinfo=UTC))) == 120
