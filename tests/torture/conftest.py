"""Fixtures of the sweeps: places on one and on two mounts, the warmed parent, and which points a run covers."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from tests.torture.case import Where
from tests.torture.tracing import Point, Warm

#: Without the `torture` marker one point in so many is covered, another one each day.
SAMPLE = 10
SPARSE_SAMPLE = 30

#: Calls that change something on disk. A kill before any other call leaves the disk as the kill before the next of
#: these does: a sample is taken of these alone, the complete sweep makes no difference.
CHANGING = frozenset(
    {
        "fallocate", "fchmod", "fdatasync", "fsync", "ftruncate", "ioctl", "linkat", "mkdirat", "openat", "pwrite64",
        "rename", "renameat", "renameat2", "rmdir", "syncfs", "unlink", "unlinkat", "utimensat", "write",
    }
)  # fmt: skip


class Sampled(Protocol):
    """Chooses the points to cover now."""

    def __call__(self, points: Sequence[Point], what: str, sparse: bool = False, reads: bool = False) -> list[Point]:
        """`sparse`: fewer, for a variation on a sweep that is sampled already; `reads`: calls that only read too."""


MakeWhere = Callable[[str], Where]
#: `record_property(name, count)`: what the ledger adds up.
Recorder = Callable[[str, object], None]


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    with Warm() as parent:
        yield parent


@pytest.fixture
def make_where(tmp_path: Path) -> Iterator[MakeWhere]:
    """`make_where("same")` or `make_where("cross")`: folders for one case on one mount or on two."""
    other = Path(tempfile.mkdtemp(dir="/dev/shm"))
    assert os.stat(other).st_dev != os.stat(tmp_path).st_dev, "these tests need /dev/shm to be a mount of its own"
    numbers = itertools.count()

    def make(kind: str) -> Where:
        base = tmp_path / f"case{next(numbers)}"
        return Where(base, other / base.name if kind == "cross" else base / "archive")

    yield make
    shutil.rmtree(other)


@pytest.fixture
def sampled(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Sampled:
    """The points to cover now: all of them under the `torture` marker, else a sample that rotates by the date."""
    complete = request.node.get_closest_marker("torture") is not None

    def choose(points: Sequence[Point], what: str, sparse: bool = False, reads: bool = False) -> list[Point]:
        day, step = datetime.now(UTC).date().toordinal(), SPARSE_SAMPLE if sparse else SAMPLE
        changing = [point for point in points if reads or point.name in CHANGING]
        chosen = list(points) if complete else changing[day % step :: step]
        with capsys.disabled():
            print(f"\n{what}: {len(chosen)} of {len(points)} points", end=" ", flush=True)
        return chosen

    return choose
