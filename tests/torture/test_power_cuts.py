"""The power of source, target and database is cut at random moments, each flushed more or less: nothing is lost."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.files.library import Library
from tests.torture import case
from tests.torture.case import Where
from tests.torture.conftest import Recorder
from tests.torture.power import FLUSH_ALL, FLUSH_JOURNAL, FLUSH_NOTHING, Disk
from tests.torture.tracing import Warm

FLAGS = (FLUSH_ALL, FLUSH_JOURNAL, FLUSH_NOTHING, FLUSH_NOTHING)
CUTS, CUTS_OF_A_SAMPLE = 100, 6
#: How many of the cuts are made before a call; the others come at any time, in the midst of one too.
AT_A_CALL = 0.7
LONGEST_SECONDS = 0.25

Disks = dict[str, Disk]


@pytest.fixture(params=["ext4", "xfs"])
def disks(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disks]:
    """Three disks of one kind: for the source, the target and the database."""
    Library.make(tmp_path / "template").close()
    made: Disks = {}
    try:
        for name in ("source", "target", "database"):
            made[name] = Disk.make(request.param, tmp_path / name)
        yield made
    finally:
        for disk in made.values():
            disk.remove()


def place(disks: Disks, number: int, way: str) -> Where:
    """Folders of one case on these disks; `state` leads to the database's."""
    base = disks["source"].folder / f"case{number}"
    state = disks["database"].folder / base.name
    base.mkdir()
    state.mkdir()
    (base / "state").symlink_to(state)
    return Where(base, base / "archive" if way == "same" else disks["target"].folder / base.name)


def cut_once(warm: Warm, disks: Disks, where: Where, chance: random.Random, calls: int, doing: str) -> str:
    """One power cut and what comes after it; returns how it was made."""
    flags = [chance.choice(FLAGS) for _ in disks]
    at_a_call, seconds = {"calls": chance.randint(1, calls)}, {"seconds": chance.random() * LONGEST_SECONDS}
    how = at_a_call if chance.random() < AT_A_CALL else seconds
    folders = [str(disk.folder) for disk in disks.values()]
    warm.run("move_until_cut", where, disks=folders, flags=flags, doing=doing, **how)
    for disk in disks.values():
        disk.unmount()
        disk.mount()
    return f"{doing}: flags {flags}, {how}"


def calls_in(warm: Warm, where: Where, said: Path) -> int:
    warm.run("calls_of", where, said=str(said))
    return int(said.read_text())


def forget(disks: Disks, where: Where) -> None:
    where.remove()
    shutil.rmtree(disks["database"].folder / where.base.name)


def cut_many(warm: Warm, disks: Disks, way: str, seed: int, cuts: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    where = place(disks, 0, way)
    case.build(where)
    calls = calls_in(warm, where, tmp_path / "calls")
    forget(disks, where)
    for number in range(1, cuts + 1):
        where = place(disks, number, way)
        before = case.build(where)
        for disk in disks.values():
            disk.flush()
        how = cut_once(warm, disks, where, chance, calls, "move_all")
        if chance.random() < 0.3:
            how += "; then " + cut_once(warm, disks, where, chance, calls // 2, "recover_all")
        try:
            recover_and_check(warm, where, before)
        except AssertionError as told:
            raise AssertionError(f"seed {seed}, cut {number}, {how}: {told}") from told
        forget(disks, where)


def recover_and_check(warm: Warm, where: Where, before: case.Census) -> None:
    case.check_during(where, before)
    ended = warm.run("recover_all", where)
    assert ended.code == 0, ended.errors
    case.check_recovered(where, before)
    assert warm.run("move_all", where).code == 0
    case.check_recovered(where, before)
    case.check_archive(where)


@pytest.mark.parametrize("way", ["same", "cross"])
def test_a_sample_of_power_cuts_loses_nothing(warm: Warm, disks: Disks, way: str, tmp_path: Path) -> None:
    today = datetime.now(UTC).date().toordinal()
    cut_many(warm, disks, way, today, CUTS_OF_A_SAMPLE, tmp_path)


@pytest.mark.torture
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(13))
@pytest.mark.parametrize("way", ["same", "cross"])
def test_a_hundred_power_cuts_lose_nothing(
    warm: Warm, disks: Disks, way: str, seed: int, tmp_path: Path, record_property: Recorder
) -> None:
    cut_many(warm, disks, way, seed, CUTS, tmp_path)
    record_property("power cuts", CUTS)


def test_the_power_is_really_cut(warm: Warm, disks: Disks) -> None:
    """What was never flushed is gone: without that, the tests here would show nothing."""
    target = disks["target"]
    (target.folder / "durable").write_bytes(b"flushed")
    target.flush()
    where = place(disks, 0, "cross")
    case.build(where)
    ended = warm.run("write_then_cut", where, disk=str(target.folder), name="fresh")
    assert ended.killed
    target.unmount()
    target.mount()
    assert (target.folder / "durable").read_bytes() == b"flushed"
    assert not os.path.lexists(target.folder / "fresh")
