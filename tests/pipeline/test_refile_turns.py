"""Groups that wait for one another's places all get to move."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.pipeline.refile.turns import MANY, Turns

pairs = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=40)


def play(blocked: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """(in which order groups move, which were put aside first); a group moves only where nobody lies any more."""
    turns, lies = Turns(blocked), {group for pair in blocked for group in pair}
    moved: list[int] = []
    aside: list[int] = []
    lies -= {other for _, other in blocked if other not in turns.waiting}
    while turns.waiting:
        ready = turns.next_to_move()
        for group in ready:
            assert not {other for waiting, other in blocked if waiting == group} & (lies - {group} | set(aside) & lies)
            lies.discard(group)
            moved.append(group)
            turns.has_moved(group)
        if ready:
            continue
        for group in turns.next_aside(256):
            lies.discard(group)
            aside.append(group)
            turns.is_aside(group)
    return moved, aside


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(pairs)
def test_every_group_that_waits_moves_once_and_only_to_free_places(blocked: list[tuple[int, int]]) -> None:
    moved, aside = play(blocked)
    assert sorted(moved) == sorted({group for group, _ in blocked})
    assert len(aside) == len(set(aside))


def test_without_a_circle_nobody_is_put_aside() -> None:
    assert play([(1, 2), (2, 3), (3, 4)]) == ([3, 2, 1], [])


def test_a_circle_is_opened() -> None:
    moved, aside = play([(1, 2), (2, 1)])
    assert (sorted(moved), aside) == ([1, 2], [1, 2])


def test_a_long_row_does_not_move_one_by_one() -> None:
    rows = MANY * 16
    turns, steps = Turns([(n, n + 1) for n in range(rows)]), 0
    while turns.waiting:
        ready = turns.next_to_move()
        for group in ready:
            turns.has_moved(group)
        for group in [] if ready else turns.next_aside(256):
            turns.is_aside(group)
        steps += 1
    assert steps < 2 * MANY < rows
