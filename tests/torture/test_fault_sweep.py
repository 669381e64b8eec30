"""Every error that a file system may answer with, at every call of a move, once and for ever: nothing is lost, no
false success."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.torture import case
from tests.torture.conftest import MakeWhere, Recorder, Sampled
from tests.torture.test_kill_sweep import complete, recover_and_check, reference
from tests.torture.tracing import Point, Warm, fail_at, kill_before, points_of

#: Calls that cannot fail in such a way, or whose failing means nothing.
NEVER_FAIL = frozenset({"close", "geteuid", "fcntl", "flock", "lseek"})

Fault = tuple[str, bool]

#: An error, and whether it stays. Interrupted calls are made again by Python (PEP 475): for ever would be a hang.
MAIN_FAULTS: list[Fault] = [("EIO", False), ("EIO", True), ("ENOSPC", False), ("ENOSPC", True)]
OTHER_ERRORS = ("EDQUOT", "EROFS", "EACCES", "EPERM", "ESTALE", "EMFILE", "ENOMEM")
FAULTS = [*MAIN_FAULTS, ("EINTR", False), *((error, stays) for error in OTHER_ERRORS for stays in (False, True))]


def words(fault: Fault) -> str:
    return f"{fault[0]} {'for ever' if fault[1] else 'once'}"


def fault_of_the_day() -> Fault:
    others = FAULTS[len(MAIN_FAULTS) :]
    return others[datetime.now(UTC).date().toordinal() % len(others)]


def sweep(warm: Warm, make_where: MakeWhere, way: str, fault: Fault, choose: Sampled) -> int:
    error, for_ever = fault
    points = [p for p in reference(warm, make_where, way) if p.name not in NEVER_FAIL]
    chosen = choose(points, f"{words(fault)}, {way}", sparse=True, reads=True)
    for point in chosen:
        where = make_where("cross" if way == "across mounts" else "same")
        before = case.build(where)
        ended = warm.run("move_all", where, fail_at(point, error, for_ever))
        try:
            assert not ended.killed
            recover_and_check(warm, where, before, way)
        except AssertionError as told:
            raise AssertionError(f"{way}, {fault} at {point}: {told}\n{ended.errors}") from told
        where.remove()
    return len(chosen)


@pytest.mark.parametrize("fault", [*MAIN_FAULTS, fault_of_the_day()], ids=words)
@pytest.mark.parametrize("way", ["same mount", "across mounts"])
def test_a_fault_at_a_sample_of_the_calls_loses_nothing(
    warm: Warm, make_where: MakeWhere, sampled: Sampled, way: str, fault: Fault
) -> None:
    sweep(warm, make_where, way, fault, sampled)


@complete
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("fault", FAULTS, ids=words)
@pytest.mark.parametrize("way", ["same mount", "across mounts"])
def test_a_fault_at_any_call_loses_nothing(
    warm: Warm, make_where: MakeWhere, sampled: Sampled, way: str, fault: Fault, record_property: Recorder
) -> None:
    record_property("points of error", sweep(warm, make_where, way, fault, sampled))


def test_recovery_that_cannot_look_at_a_name_stops_and_can_be_repeated(warm: Warm, make_where: MakeWhere) -> None:
    """A name that cannot be looked at is not an absent one."""
    middle = [p for p in reference(warm, make_where, "same mount") if p.name == "renameat2"][1]
    looks = [p for p in points_of(_interrupted_recovery(warm, make_where, middle)) if p.name == "newfstatat"]
    for look in looks[::3]:
        where = make_where("same")
        before = case.build(where)
        warm.run("move_all", where, kill_before(middle))
        warm.run("recover_all", where, fail_at(look, "EIO", for_ever=False))
        try:
            recover_and_check(warm, where, before, "same mount")
        except AssertionError as told:
            raise AssertionError(f"EIO at {look}: {told}") from told
        where.remove()


def _interrupted_recovery(warm: Warm, make_where: MakeWhere, killed: Point) -> str:
    where = make_where("same")
    case.build(where)
    warm.run("move_all", where, kill_before(killed))
    trace = warm.run("recover_all", where, ["-e", "trace=all"]).trace
    where.remove()
    return trace
