"""Quiet hours go by the wall clock: over midnight, and through the nights in which clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.model.quiet_hours import read_quiet_hours


def quiet_minutes(text: str, zone: str, begin: datetime, hours: int) -> list[str]:
    """The instants (UTC) of a span, minute by minute, that are quiet."""
    found = read_quiet_hours(text)
    assert found is not None
    moments = [begin + timedelta(minutes=minute) for minute in range(hours * 60)]
    return [f"{moment:%d %H:%M}" for moment in moments if found.cover(moment, ZoneInfo(zone))]


def test_a_night_goes_over_midnight() -> None:
    quiet = quiet_minutes("22:00-07:00", "UTC", datetime(2026, 5, 1, 12, tzinfo=UTC), 24)
    assert (quiet[0], quiet[-1], len(quiet)) == ("01 22:00", "02 06:59", 9 * 60)


def test_an_afternoon_does_not() -> None:
    quiet = quiet_minutes("13:00-15:30", "UTC", datetime(2026, 5, 1, tzinfo=UTC), 24)
    assert (quiet[0], quiet[-1], len(quiet)) == ("01 13:00", "01 15:29", 150)


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
    quiet = quiet_minutes("22:00-07:00", zone, noon, 24)
    assert (quiet[0], quiet[-1], len(quiet)) == (first, last, hours * 60)


def test_an_hour_that_a_night_leaves_out_is_not_quiet_and_one_shown_twice_is_so_twice() -> None:
    assert quiet_minutes("02:00-03:00", "Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=UTC), 24) == []
    assert len(quiet_minutes("02:00-03:00", "Europe/Berlin", datetime(2026, 10, 24, 12, tzinfo=UTC), 24)) == 120


@pytest.mark.parametrize("text", ["22-7", "22:00", "24:00-07:00", "22:00-07:60", "22:00-22:00", "22:00 - 07:00"])
def test_what_is_no_span_of_a_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"22:00-07:00|same time"):
        read_quiet_hours(text)


def test_nothing_means_never() -> None:
    assert read_quiet_hours("") is None
