"""Quiet hours go by the wall clock: over midnight, and through the nights in which clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.notify.targets import is_quiet
from tests.conftest import make_config


def quiet_minutes(text: str, zone: str, begin: datetime, hours: int) -> list[str]:
    """The instants (UTC) of a span, minute by minute, that are quiet."""
    config = make_config(Path("/photos"), notify={"quiet_hours": text}, sorter={"timezone": zone})
    moments = [begin + timedelta(minutes=minute) for minute in range(hours * 60)]
    return [f"{moment:%d %H:%M}" for moment in moments if is_quiet(config, moment)]


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


def test_nothing_means_never() -> None:
    assert quiet_minutes("", "UTC", datetime(2026, 5, 1, tzinfo=UTC), 24) == []
