"""EIO and ENOSPC at every file system call of a move, once and for ever: nothing is lost, no false success."""

from __future__ import annotations

import pytest

from tests.torture import case
from tests.torture.conftest import MakeWhere, Sampled
from tests.torture.test_kill_sweep import complete, options, recover_and_check, reference
from tests.torture.tracing import Warm, fail_at

#: Calls that cannot fail in such a way, or whose failing means nothing.
NEVER_FAIL = frozenset({"close", "geteuid", "fcntl", "flock", "lseek"})

FAULTS = [("EIO", False), ("EIO", True), ("ENOSPC", False), ("ENOSPC", True)]


def sweep(warm: Warm, make_where: MakeWhere, way: str, fault: tuple[str, bool], choose: Sampled) -> None:
    error, for_ever = fault
    points = [p for p in reference(warm, make_where, way) if p.name not in NEVER_FAIL]
    for point in choose(points, f"{error} {'for ever' if for_ever else 'once'}, {way}", sparse=True, reads=True):
        where = make_where("cross" if way == "across mounts" else "same")
        before = case.build(where)
        ended = warm.run("move_all", where, fail_at(point, error, for_ever))
        try:
            assert not ended.killed
            recover_and_check(warm, where, before, way)
        except AssertionError as told:
            raise AssertionError(f"{way}, {fault} at {point}: {told}\n{ended.errors}") from told
        where.remove()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f"{f[0]} {'for ever' if f[1] else 'once'}")
@pytest.mark.parametrize("way", ["same mount", "across mounts"])
def test_a_fault_at_a_sample_of_the_calls_loses_nothing(
    warm: Warm, make_where: MakeWhere, sampled: Sampled, way: str, fault: tuple[str, bool]
) -> None:
    sweep(warm, make_where, way, fault, sampled)


@complete
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f"{f[0]} {'for ever' if f[1] else 'once'}")
@pytest.mark.parametrize("way", ["same mount", "across mounts"])
def test_a_fault_at_any_call_loses_nothing(
    warm: Warm, make_where: MakeWhere, sampled: Sampled, way: str, fault: tuple[str, bool]
) -> None:
    sweep(warm, make_where, way, fault, sampled)


@pytest.mark.parametrize("way", ["same mount", "across mounts"])
def test_recovery_that_meets_a_fault_stops_and_can_be_repeated(
    warm: Warm, make_where: MakeWhere, sampled: Sampled, way: str
) -> None:
    """A name that cannot be looked at is not an absent one."""
    points = [p for p in reference(warm, make_where, way) if p.name in ("renameat2", "syncfs", "fdatasync")]
    middle = points[len(points) // 2]
    where = make_where("cross" if way == "across mounts" else "same")
    before = case.build(where)
    warm.run("move_all", where, ["-e", f"inject={middle.name}:signal=KILL:when={middle.ordinal}"])
    ended = warm.run("recover_all", where, ["-e", "inject=newfstatat:error=EIO:when=5+", *options(way)])
    assert ended.code == 1
    assert "RootUnavailable" in ended.errors or "StateError" in ended.errors or "OSError" in ended.errors
    case.check_during(where, before)
    recover_and_check(warm, where, before, way)
