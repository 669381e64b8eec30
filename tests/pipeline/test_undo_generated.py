"""Generated batches, taken back from anywhere, with kills in between: the folders are afterwards as they were before.

Each example is a library, a way (modes, mounts, target), a point at which the batch stands when it is taken back, and
the moments at which the process that takes it back kills itself with SIGKILL.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from app import jobs
from app.db import assets, batches, runs
from app.files.census import take_census
from app.model import AssetStatus, Batch, BatchStatus, RootKind, RunStatus, Stage, Trigger
from app.pipeline import batch, cleanup, sort, sync
from app.pipeline.step import Stopped
from app.services import Services
from tests.conftest import make_services, write_tree
from tests.pipeline.killed_worker import go_on
from tests.pipeline.library import assert_rows_agree, get_batch
from tests.pipeline.test_batch_cut_off import OTHER_MOUNT, in_a_child
from tests.pipeline.undoing import Tree, assert_undone, end_runs, make, media_tree, step_to

FEW, MANY = 24, 200

FOLDERS = (b"", b"DCIM/100", b"phone/caf\xc3\xa9", b"odd\xff")
STEMS = (b"IMG_1", b"img_1", b"IMG_2", b"bad\xff", b"n" * 247, b"line\nx")
ENDINGS = (b".jpg", b".CR2", b".mov", b".xmp", b".jpg.xmp")
CONTENTS = (b"", b"photo one", b"photo two" * 400, b"\0" * 70_000)
DAYS = ("2024-05-06T07:08:09", "2023-12-31T23:59:59", "1970-01-01T00:00:00")
#: What lies in the archive before, some of it under names, or with content, that the batch brings.
FOREIGN = {b"2024/05/06/IMG_1.jpg": b"another camera's", b"2024/05/06/IMG_2.mov": b"photo one",
           b"2023/12/31/img_1.jpg": b"", b"holiday/keep.txt": b"somebody's"}  # fmt: skip
EMPTY_FOLDERS = ("2024/05", "2023/12/31", "2024/05/06")
#: Where a batch stands when it is taken back.
POINTS = ("half built", "pending", "synced", "error", "half sorted", "sorted", "cleaned")
#: How many calls into the layers of files and rows an undo of one file takes, about; a kill is aimed below that.
CALLS_PER_FILE, CALLS_AT_LEAST = 260, 1500


@dataclass(frozen=True)
class Example:
    """One generated case."""

    files: Mapping[bytes, bytes]
    day: str
    foreign: tuple[bytes, ...]
    empty: tuple[str, ...]
    batch_mode: str
    sort_mode: str
    weak_dates: str
    target: str
    elsewhere: bool
    point: str
    kills: tuple[float, ...]

    def settings(self, base: Path, other: Path) -> dict[str, Any]:
        sections: dict[str, Any] = {
            "batch": {"transfer_mode": self.batch_mode},
            "sorter": {"transfer_mode": self.sort_mode, "weak_dates": self.weak_dates},
            "sync": {"target": self.target, "folder_dir": str(base / "usb")},
        }
        return {**sections, "paths": {"sorted_dir": str(other / "archive")}} if self.elsewhere else sections


paths = st.builds(lambda f, s, e: (f + b"/" if f else b"") + s + e, *map(st.sampled_from, (FOLDERS, STEMS, ENDINGS)))
examples = st.builds(
    Example,
    files=st.dictionaries(paths, st.one_of(st.sampled_from(CONTENTS), st.binary(max_size=40)), min_size=2, max_size=9),
    day=st.sampled_from(DAYS),
    foreign=st.lists(st.sampled_from(sorted(FOREIGN)), unique=True).map(tuple),
    empty=st.lists(st.sampled_from(EMPTY_FOLDERS), unique=True).map(tuple),
    batch_mode=st.sampled_from(["move", "copy"]),
    sort_mode=st.sampled_from(["move", "copy"]),
    weak_dates=st.sampled_from(["review", "unknown_folder", "mtime"]),
    target=st.sampled_from(["none", "folder"]),
    elsewhere=st.booleans(),
    point=st.sampled_from(POINTS),
    kills=st.lists(st.floats(0, 1), max_size=3).map(tuple),
)


# --- forwards


def prepare(services: Services, example: Example) -> Tree:
    """The library as it is before its batch is made."""
    archive = services.root(RootKind.ARCHIVE).path
    write_tree(archive, {path: FOREIGN[path] for path in example.foreign})
    for folder in example.empty:
        os.makedirs(archive + b"/" + folder.encode(), exist_ok=True)
    make(services, example.files, taken=example.day)
    return media_tree(services)


def bring_to(services: Services, example: Example) -> Batch:
    """Make the batch and take it as far as the example says, by the stages themselves."""
    half = max(1, len(example.files) // 2)
    try:
        batch.run(services, step_to(services, Stage.BATCH, half if example.point == "half built" else None))
        _deliver_and_sort(services, example, half)
    except Stopped:
        pass
    end_runs(services)
    return get_batch(services, 1)


def _deliver_and_sort(services: Services, example: Example, half: int) -> None:
    if example.point in ("half built", "pending"):
        return
    assert sync.run(services, step_to(services, Stage.SYNC, None, 1)).outcome == "done"
    if example.point == "error":
        with services.db.transaction() as conn:
            batches.change(conn, batches.get(conn, 1), BatchStatus.ERROR, error="no room", error_from="SYNCED")
    if example.point in ("half sorted", "sorted", "cleaned"):
        sort.run(services, step_to(services, Stage.SORT, half if example.point == "half sorted" else None, 1))
    if example.point == "cleaned":
        cleanup.run(services, step_to(services, Stage.CLEANUP))


# --- and back


def take_back(base: Path, sections: dict[str, Any], example: Example, before: set[str]) -> int:
    """Take the batch back with a process that is killed now and then; returns how many kills have hit it."""
    hits = 0
    for share in example.kills:
        moment = 1 + int(share * max(CALLS_AT_LEAST, CALLS_PER_FILE * len(example.files)))
        hits += in_a_child(partial(go_on, base, sections, moment)) == -signal.SIGKILL
        lost = before - contents(base, sections)
        assert not lost, f"killed at {moment}"
    assert in_a_child(partial(go_on, base, sections, None)) == 0
    return hits


def contents(base: Path, sections: dict[str, Any]) -> set[str]:
    """Every content anywhere, hidden places and trash included."""
    folders = [os.fsencode(base)]
    if "paths" in sections:
        folders.append(os.fsencode(sections["paths"]["sorted_dir"]))
    return set(take_census(folders).contents)


def check(example: Example, base: Path, other: Path) -> int:
    sections = example.settings(base, other)
    services = make_services(base, **sections)
    before = prepare(services, example)
    held = set(take_census([services.root(kind).path for kind in (RootKind.INGEST, RootKind.ARCHIVE)]).contents)
    bring_to(services, example)
    jobs.start_undo(services, 1, Trigger.CLI)
    services.close()
    hits = take_back(base, sections, example, held)
    services = make_services(base, **sections)
    try:
        _assert_back(services, example, before)
    finally:
        services.close()
    return hits


def _assert_back(services: Services, example: Example, before: Tree) -> None:
    with services.db.reading() as conn:
        run = runs.list_by_status(conn, [RunStatus.DONE, RunStatus.FAILED])[-1]
        assert (run.status, run.error) == (RunStatus.DONE, None)
        assert assets.count(conn, AssetStatus.SET_ASIDE) == len(assets.list_in_batch(conn, 1)) == len(example.files)
    assert_undone(services, before, 1)
    assert_rows_agree(services)


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder on another mount."""
    with tempfile.TemporaryDirectory(dir=OTHER_MOUNT) as folder:
        yield Path(folder)


def sweep(tmp_path: Path, elsewhere: Path, count: int) -> Counter[str]:
    """So many examples, others each day; returns how many there were, and how many kills hit them."""
    seen: Counter[str] = Counter()

    @seed(datetime.now(UTC).date().toordinal())
    @settings(
        max_examples=count, deadline=None, database=None, phases=[Phase.generate], report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(example=examples)
    def run_all(example: Example) -> None:
        base, other = tmp_path / str(seen["examples"]), elsewhere / str(seen["examples"])
        base.mkdir()
        other.mkdir()
        seen["examples"] += 1
        seen["kills"] += check(example, base, other)
        seen["files"] += len(example.files)
        shutil.rmtree(base)
        shutil.rmtree(other)

    run_all()
    print(f"{dict(seen)}", flush=True)
    return seen


def test_generated_batches_go_back_to_the_letter_whatever_is_killed(tmp_path: Path, elsewhere: Path) -> None:
    seen = sweep(tmp_path, elsewhere, FEW)
    assert seen["examples"] >= FEW
    assert seen["kills"] >= FEW / 8


@pytest.mark.torture
@pytest.mark.timeout(7200)
def test_two_hundred_generated_batches_go_back_to_the_letter(tmp_path: Path, elsewhere: Path) -> None:
    seen = sweep(tmp_path, elsewhere, MANY)
    assert seen["examples"] >= MANY
    assert seen["kills"] >= MANY / 4
