"""Standing still: two looks, far enough apart by a clock that nobody can set."""

from __future__ import annotations

from app.files.settle import FirstLooks
from app.files.walk import Found
from app.model import Signature

FILE = Found(b"a.jpg", "media", Signature(1, 2, 3, 4, 5))


class Clock:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_a_first_look_is_never_enough_however_old_the_file_is() -> None:
    looks = FirstLooks(Clock())
    looks.begin()
    assert not looks.is_settled(1, FILE, 10)


def test_the_same_look_ten_seconds_later_is() -> None:
    clock = Clock()
    looks = FirstLooks(clock)
    looks.begin()
    looks.is_settled(1, FILE, 10)
    clock.seconds += 9.9
    assert not looks.is_settled(1, FILE, 10)
    clock.seconds += 0.1
    assert looks.is_settled(1, FILE, 10)
    assert len(looks) == 0


def test_any_change_of_size_mtime_or_ctime_starts_the_wait_again() -> None:
    for changed in ({"size_bytes": 9}, {"mtime_ns": 9}, {"ctime_ns": 9}):
        clock = Clock()
        looks = FirstLooks(clock)
        looks.begin()
        looks.is_settled(1, FILE, 10)
        clock.seconds += 10
        assert FILE.signature is not None
        other = FILE._replace(signature=FILE.signature._replace(**changed))
        assert not looks.is_settled(1, other, 10)
        clock.seconds += 10
        assert looks.is_settled(1, other, 10)


def test_an_inode_that_a_file_system_makes_up_is_no_change() -> None:
    clock = Clock()
    looks = FirstLooks(clock)
    looks.begin()
    looks.is_settled(1, FILE, 10)
    clock.seconds += 10
    assert FILE.signature is not None
    assert looks.is_settled(1, FILE._replace(signature=FILE.signature._replace(inode=77, device=8)), 10)


def test_a_look_of_an_earlier_scan_counts_and_one_of_a_vanished_file_is_forgotten() -> None:
    clock = Clock()
    looks = FirstLooks(clock)
    looks.begin()
    looks.is_settled(1, FILE, 10)
    looks.is_settled(1, FILE._replace(path=b"gone.jpg"), 10)
    looks.end()
    clock.seconds += 30
    looks.begin()
    assert looks.is_settled(1, FILE, 10)
    looks.end()
    assert len(looks) == 0


def test_without_a_settle_time_everything_is_settled() -> None:
    looks = FirstLooks(Clock())
    looks.begin()
    assert looks.is_settled(1, FILE, 0)
