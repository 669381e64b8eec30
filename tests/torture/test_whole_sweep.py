"""SIGKILL before every system call of each act of the whole pipeline, of an undo and of a rebuild: nothing is lost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from app.files.census import Census
from tests.torture import whole
from tests.torture.case import Where
from tests.torture.conftest import CHANGING, MakeWhere, Recorder, Sampled
from tests.torture.tracing import Point, Warm, kill_before, points_of
from tests.torture.whole_actions import ACTS, REBUILD, UNDO, drop_kept, keep, open_whole, restore

ALL_ACTS = (*ACTS, UNDO, REBUILD)
#: Without the `torture` marker one act a mount is swept a day, at so many points.
POINTS_A_DAY = 3


@dataclass(frozen=True)
class Expected:
    """What there is before the act, and how the folders end when nothing is killed."""

    before: Census
    source: dict[str, bytes]
    archive: dict[str, bytes]
    delivered: Counter[bytes]


def ended(where: Where, before: Census) -> Expected:
    """How the folders are now, once it is checked that disk and rows agree."""
    services = open_whole(where)
    try:
        whole.check_nothing_lost(services, before)
        paths = services.config.paths
        arrived = [c for c in whole.names_in(services.config.sync.folder_dir).values() if c in whole.FILES.values()]
        return Expected(
            before, whole.names_in(paths.source_dir), whole.names_in(paths.sorted_dir), Counter(arrived)
        )
    finally:
        services.close()


def act_out(warm: Warm, where: Where, act: str) -> tuple[Expected, list[Point]]:
    """Play the act without a kill; returns how it ends, and every system call of it."""
    assert (up := warm.run("bring_up_to", where, act=act)).code == 0, up.errors
    keep(where)
    before = whole.census_below(where.base / "source", where.archive)
    played = warm.run("play", where, ["-e", "trace=all"], act=act)
    assert played.code == 0, played.errors
    go_on(warm, where, act)
    return ended(where, before), points_of(played.trace)


def go_on(warm: Warm, where: Where, act: str) -> None:
    gone_on = warm.run("go_on", where, act=act)
    assert gone_on.code == 0, gone_on.errors


def kill_once(warm: Warm, where: Where, act: str, point: Point, expected: Expected) -> None:
    restore(where)
    killed = warm.run("play", where, kill_before(point), act=act)
    try:
        lost = whole.census_below(where.base / "source", where.archive).lost_since(expected.before)
        assert not lost, f"lost: {lost}"
        go_on(warm, where, act)
        found = ended(where, expected.before)
        assert (found.source, found.archive) == (expected.source, expected.archive)
        assert found.delivered == expected.delivered
    except AssertionError as error:
        raise AssertionError(f"{act}, killed ({killed.killed}) before {point}: {error}") from error


def sweep(warm: Warm, where: Where, act: str, points: list[Point], expected: Expected) -> int:
    for point in points:
        kill_once(warm, where, act, point, expected)
    drop_kept(where)
    return len(points)


def places(act: str) -> tuple[str, ...]:
    """Undo and rebuild differ little between one mount and two; what moves is swept on both."""
    return ("same", "cross") if act in (*ACTS, UNDO) and act != "taking stock" else ("same",)


CASES = [(act, kind) for act in ALL_ACTS for kind in places(act)]


def test_an_act_of_the_day_killed_before_some_of_its_calls_loses_nothing(warm: Warm, make_where: MakeWhere) -> None:
    day = datetime.now(UTC).date().toordinal()
    act, kind = CASES[day % len(CASES)]
    where = make_where(kind)
    expected, points = act_out(warm, where, act)
    changing = [point for point in points if point.name in CHANGING]
    step = len(changing) // POINTS_A_DAY
    sweep(warm, where, act, changing[day % step :: step][:POINTS_A_DAY], expected)


@pytest.mark.torture
@pytest.mark.timeout(86_400)
@pytest.mark.parametrize(("act", "kind"), CASES)
def test_the_whole_pipeline_killed_before_any_of_its_calls_loses_nothing(
    warm: Warm, make_where: MakeWhere, sampled: Sampled, act: str, kind: str, record_property: Recorder
) -> None:
    where = make_where(kind)
    expected, points = act_out(warm, where, act)
    record_property("kill points", sweep(warm, where, act, sampled(points, f"kills of {act}, {kind}"), expected))
