"""Rates and the time that is left: measured by bytes and the clock, unknown whenever they are not known."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.syncthing.blocks import block_bytes, bytes_of_blocks
from app.syncthing.rates import LEAST_SECONDS, LONG_SECONDS, Outlook, Point, outlook, rate

MB = 1_000_000


def steady(bytes_per_second: int, seconds: int, need: int, every: int = 5) -> list[Point]:
    """A peer that lacks less and less."""
    return [Point(float(t), 0, need - t * bytes_per_second) for t in range(0, seconds + 1, every)]


def test_a_steady_transfer_has_its_rate_and_the_time_that_is_left() -> None:
    points = steady(MB, 300, 1000 * MB)
    assert outlook(points, 300.0, 700 * MB) == Outlook(float(MB), 720, "About 11 to 12 minutes left.")


def test_a_transfer_that_changes_its_pace_has_a_range() -> None:
    points = [*steady(MB, 240, 1000 * MB), Point(300.0, 0, 760 * MB - 120 * MB)]
    found = outlook(points, 300.0, 640 * MB)
    assert found.rate_bytes_per_second == 2 * MB
    assert found.remaining_words == "About 5 to 9 minutes left."


def test_what_was_confirmed_counts_while_the_peer_does_not_say_what_it_lacks() -> None:
    points = [Point(0.0, 0, None), Point(30.0, 30 * MB, None), Point(60.0, 60 * MB, None)]
    assert rate(points, 60.0) == MB


def test_a_confirmation_of_bytes_that_arrived_before_counts_nothing_twice() -> None:
    points = [Point(0.0, 0, 60 * MB), Point(30.0, 0, 0), Point(40.0, 60 * MB, 0)]
    assert rate(points, 60.0) == MB


def test_files_announced_meanwhile_do_not_slow_the_rate() -> None:
    points = [Point(0.0, 0, 10 * MB), Point(30.0, 0, 0), Point(31.0, 0, 500 * MB), Point(60.0, 0, 480 * MB)]
    assert rate(points, 60.0) == 30 * MB / 60


@pytest.mark.parametrize(
    ("points", "moment", "left", "words"),
    [
        ([], 0.0, 5, "measured too briefly"),
        ([Point(0.0, 0, 5)], LEAST_SECONDS / 2, 5, "measured too briefly"),
        ([Point(0.0, 0, 5)], 1000.0, 5, "nothing has arrived lately"),
        (steady(MB, 60, 100 * MB), 130.0, 40 * MB, "nothing has arrived in the last minute"),
        (steady(MB, 60, 60 * MB), 60.0, 0, "is being proven"),
    ],
)
def test_a_time_that_is_not_known_is_not_named_and_the_words_say_why(
    points: list[Point], moment: float, left: int, words: str
) -> None:
    found = outlook(points, moment, left)
    assert found.remaining_seconds is None
    assert words in found.remaining_words


@pytest.mark.parametrize(
    ("left", "seconds", "words"),
    [
        (3, 10, "A minute or less left."),
        (200, 200, "About 3 to 4 minutes left."),
        (3_601, 3_660, "About 60 to 65 minutes left."),
        (3 * 3600, 3 * 3600, "About 3 hours left."),
        (50 * 3600, 50 * 3600, "About 2 to 3 days left."),
    ],
)
def test_a_time_is_rounded_to_what_can_be_known_of_it(left: int, seconds: int, words: str) -> None:
    found = outlook(steady(MB, 300, 10**15), 300.0, left * MB)
    assert (found.remaining_seconds, found.remaining_words) == (seconds, words)


@given(st.lists(st.tuples(st.floats(0.1, 50), st.integers(0, 10**12), st.none() | st.integers(0, 10**12)), max_size=30))
def test_a_rate_is_never_negative_and_never_more_than_what_moved(steps: list[tuple[float, int, int | None]]) -> None:
    at, points = 0.0, []
    for pause, confirmed, need in steps:
        at += pause
        points.append(Point(at, confirmed, need))
    found = rate(points, at + 1, LONG_SECONDS)
    if found is not None:
        most = sum(
            max(abs(b.confirmed_bytes - a.confirmed_bytes), abs((b.need_bytes or 0) - (a.need_bytes or 0)))
            for a, b in pairwise(points)
        )
        assert 0 <= found <= most / LEAST_SECONDS + 1


@pytest.mark.parametrize(
    ("size", "block"),
    [(0, 128), (249 * 1024 * 1024, 128), (250 * 1024 * 1024, 256), (501 * 1024 * 1024, 512), (10**12, 16 * 1024)],
)
def test_blocks_grow_with_the_file_as_they_do_in_syncthing(size: int, block: int) -> None:
    assert block_bytes(size) == block * 1024


def test_blocks_are_never_more_bytes_than_the_file_has() -> None:
    assert (bytes_of_blocks(3, 10**6), bytes_of_blocks(3, 300_000), bytes_of_blocks(-1, 5)) == (393_216, 300_000, 0)
