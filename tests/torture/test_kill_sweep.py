"""SIGKILL before every system call of a move and of its recovery: nothing is lost, nothing is left half done."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.torture import case
from tests.torture.case import Where
from tests.torture.conftest import MakeWhere, Recorder, Sampled
from tests.torture.tracing import Point, Warm, kill_before, points_of

#: How each way of placing files is forced: which mounts, and which calls the file system claims not to know.
WAYS: dict[str, tuple[str, dict[str, str]]] = {
    "same mount": ("same", {}),
    "across mounts": ("cross", {}),
    "link only": ("same", {"renameat2": "EINVAL"}),
    "placeholder only": ("same", {"renameat2": "EINVAL", "linkat": "EPERM"}),
    "placeholder across mounts": ("cross", {"renameat2": "EINVAL", "linkat": "EPERM"}),
    "copies": ("same", {}),
}

MAIN_WAYS = ("same mount", "across mounts")

complete = pytest.mark.torture


def options(way: str) -> list[str]:
    return [part for name, error in WAYS[way][1].items() for part in ("-e", f"inject={name}:error={error}")]


def keeps(way: str) -> bool:
    return way == "copies"


def killing(way: str, point: Point) -> list[str]:
    """Kill at this point, with the calls that this way must not have still refused."""
    names = ",".join({point.name, *WAYS[way][1]})
    refused = [o for name, error in WAYS[way][1].items() for o in ("-e", f"inject={name}:error={error}")]
    return ["-e", f"trace={names}", *refused, *kill_before(point)[2:]]


def reference(warm: Warm, make_where: MakeWhere, way: str, action: str = "move_all") -> list[Point]:
    """Every call of an uninterrupted run. Calls that are refused anyway are no points: the next one stands for them."""
    where = make_where(WAYS[way][0])
    case.build(where)
    ended = warm.run(action, where, options(way) or ["-e", "trace=all"], keep=keeps(way))
    assert ended.code == 0, ended.errors
    where.remove()
    return [point for point in points_of(ended.trace) if point.name not in WAYS[way][1]]


def recover_and_check(warm: Warm, where: Where, before: case.Census, way: str) -> None:
    case.check_during(where, before)
    ended = warm.run("recover_all", where, options(way) or None)
    assert ended.code == 0, ended.errors
    case.check_recovered(where, before)
    assert warm.run("move_all", where, options(way) or None, keep=keeps(way)).code == 0
    case.check_recovered(where, before)
    case.check_archive(where)


def sweep_moves(warm: Warm, make_where: MakeWhere, way: str, choose: Sampled) -> int:
    chosen = choose(reference(warm, make_where, way), f"kills of a move, {way}", sparse=way not in MAIN_WAYS)
    for point in chosen:
        where = make_where(WAYS[way][0])
        before = case.build(where)
        ended = warm.run("move_all", where, killing(way, point), keep=keeps(way))
        try:
            recover_and_check(warm, where, before, way)
        except AssertionError as error:
            raise AssertionError(f"{way}, killed ({ended.killed}) before {point}: {error}") from error
        where.remove()
    return len(chosen)


def interrupted(warm: Warm, make_where: MakeWhere, way: str, point: Point) -> tuple[Where, case.Census]:
    where = make_where(WAYS[way][0])
    before = case.build(where)
    warm.run("move_all", where, killing(way, point), keep=keeps(way))
    return where, before


def interesting(points: Sequence[Point]) -> list[Point]:
    """Points in a move after which recovery has something to do: spread over the whole run."""
    count = 3
    return [points[(2 * n + 1) * len(points) // (2 * count)] for n in range(count)]


def sweep_recovery(warm: Warm, make_where: MakeWhere, way: str, choose: Sampled) -> int:
    count = 0
    for first in interesting(reference(warm, make_where, way)):
        where, _ = interrupted(warm, make_where, way, first)
        trace = warm.run("recover_all", where, options(way) or ["-e", "trace=all"]).trace
        where.remove()
        seconds = [point for point in points_of(trace) if point.name not in WAYS[way][1]]
        chosen = choose(seconds, f"kills of a recovery, {way}, after {first.name} {first.ordinal}", sparse=True)
        count += len(chosen)
        for second in chosen:
            where, before = interrupted(warm, make_where, way, first)
            warm.run("recover_all", where, killing(way, second))
            try:
                recover_and_check(warm, where, before, way)
            except AssertionError as error:
                raise AssertionError(f"{way}, killed before {first}, then {second}: {error}") from error
            where.remove()
    return count


@pytest.mark.parametrize("way", WAYS)
def test_a_move_killed_before_a_sample_of_its_calls_loses_nothing(
    warm: Warm, make_where: MakeWhere, sampled: Sampled, way: str
) -> None:
    sweep_moves(warm, make_where, way, sampled)


@pytest.mark.parametrize("way", ["same mount", "across mounts"])
def test_a_recovery_killed_before_a_sample_of_its_calls_loses_nothing(
    warm: Warm, make_where: MakeWhere, sampled: Sampled, way: str
) -> None:
    sweep_recovery(warm, make_where, way, sampled)


@complete
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("way", WAYS)
def test_a_move_killed_before_any_of_its_calls_loses_nothing(
    warm: Warm, make_where: MakeWhere, sampled: Sampled, way: str, record_property: Recorder
) -> None:
    record_property("kill points", sweep_moves(warm, make_where, way, sampled))


@complete
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("way", WAYS)
def test_a_recovery_killed_before_any_of_its_calls_loses_nothing(
    warm: Warm, make_where: MakeWhere, sampled: Sampled, way: str, record_property: Recorder
) -> None:
    record_property("kill points", sweep_recovery(warm, make_where, way, sampled))
