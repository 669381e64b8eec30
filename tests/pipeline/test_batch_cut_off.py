"""Batch, sort and cleanup killed at any moment: the next start goes on, and nothing is lost, doubled or forgotten.

The stages run in a child process that sends itself SIGKILL at the n-th event of the file and database layers.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from app.db import batches
from app.files.recover import recover
from app.model import BatchStatus, RootKind, Stage
from app.pipeline import batch, cleanup, sort
from app.pipeline.manifest_store import load_newest
from app.services import Services
from tests.conftest import make_services, read_tree, write_tree
from tests.pipeline.library import a_step, assert_rows_agree, census, deliver, take_in

LAYERS = ("/app/files/", "/app/db/", "/app/pipeline/manifest_store")
DAY = "2024/05/06"
#: How many moments the everyday run tries, and how many the long one.
FEW, MANY = 12, 120

LIBRARY = {
    "trip/IMG_1.JPG": b"photo one",
    "trip/IMG_1.CR2": b"raw one",
    "other/IMG_1.JPG": b"photo of the same name",
    "a.mp4": b"video" * 1000,
}
#: Nearly always another mount than the one that tests write to; then files are copied, not renamed.
OTHER_MOUNT = "/dev/shm"


def settings_of(mode: str, base: Path, elsewhere: Path) -> dict[str, Any]:
    if mode == "copy":
        return {"batch": {"transfer_mode": "copy"}}
    if mode == "across mounts":
        return {"paths": {"sorted_dir": str(elsewhere / base.name)}}
    return {}


MODES = ("move", "copy", "across mounts")


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder on another mount."""
    with tempfile.TemporaryDirectory(dir=OTHER_MOUNT) as folder:
        yield Path(folder)


def go_through(services: Services) -> None:
    """What the worker does at its start and then until nothing is left."""
    recover(services.db)
    while True:
        report = batch.run(services, a_step(services, Stage.BATCH))
        with services.db.reading() as conn:
            waiting = [b for b in batches.list_by_status(conn, [BatchStatus.PENDING]) if b.published_at]
            delivered = batches.list_by_status(conn, [BatchStatus.SYNCED, BatchStatus.SORTING])
        for published in waiting:
            deliver(services, published.id)
            delivered.append(published)
        for one in delivered:
            sort.run(services, a_step(services, Stage.SORT, one.id))
        cleanup.run(services, a_step(services, Stage.CLEANUP))
        if report.outcome == "idle" and not delivered:
            return


def in_a_child(work: Callable[[], None]) -> int:
    """Run in a forked process; its exit status, negative for a signal."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def counted_events(on_event: Callable[[], None]) -> Callable[[FrameType, str, Any], None]:
    """A profile function that tells of every call and return in the layers that touch the disk."""

    def profile(frame: FrameType, event: str, _arg: object) -> None:
        if event in ("call", "return") and any(layer in frame.f_code.co_filename for layer in LAYERS):
            on_event()

    return profile


def run_and_die_at(base: Path, moment: int, settings: dict[str, Any]) -> int:
    def work() -> None:
        services = make_services(base, **settings)
        left = moment

        def on_event() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.setprofile(counted_events(on_event))
        go_through(services)
        sys.setprofile(None)

    return in_a_child(work)


def count_moments(base: Path, settings: dict[str, Any]) -> int:
    """How many events an undisturbed run has, told by the child through a file."""
    prepare(base, settings)

    def work() -> None:
        services = make_services(base, **settings)
        events: Counter[str] = Counter()
        sys.setprofile(counted_events(lambda: events.update(["event"])))
        go_through(services)
        sys.setprofile(None)
        (base / "state" / "events").write_text(str(events["event"]))

    assert in_a_child(work) == 0
    return int((base / "state" / "events").read_text())


def prepare(base: Path, settings: dict[str, Any]) -> Counter[str]:
    services = make_services(base, **settings)
    take_in(services, LIBRARY)
    write_tree(services.root(RootKind.ARCHIVE).path, {f"{DAY}/IMG_1.CR2": b"another camera's"})
    services.close()
    return contents(base, settings)


def contents(base: Path, settings: dict[str, Any]) -> Counter[str]:
    """Every content in all roots; those on another mount are counted as well."""
    found = census(base)
    for path in settings.get("paths", {}).values():
        found += census(Path(path))
    return found


def go_on(base: Path, settings: dict[str, Any]) -> None:
    go_through(make_services(base, **settings))


def assert_whole(base: Path, before: Counter[str], settings: dict[str, Any]) -> None:
    """Everything is archived under the right name, every row says so, and nothing is left behind."""
    services = make_services(base, **settings)
    archive = services.root(RootKind.ARCHIVE)
    tree = read_tree(archive.path)
    assert sorted(tree.values()) == sorted([*LIBRARY.values(), b"another camera's"])
    raw = next(path for path, content in tree.items() if content == b"raw one")
    photo = next(path for path, content in tree.items() if content == b"photo one")
    assert os.path.splitext(raw)[0] == os.path.splitext(photo)[0] != f"{DAY}/IMG_1"
    assert set(contents(base, settings)) == set(before)
    if not settings:
        assert census(base) == before
    assert_rows_agree(services)
    with services.db.reading() as conn:
        made = batches.list_recent(conn, 100)
        assert [b.status for b in made] == [BatchStatus.SORTED] * len(made)
        assert sum(b.file_count for b in made) == len(LIBRARY)
        assert all(b.cleaned_at for b in made)
        assert conn.exec_driver_sql("SELECT COUNT(*) FROM moves WHERE state NOT IN ('DONE', 'ABORTED')").scalar() == 0
    for one in made:
        manifest = load_newest(archive, one)
        assert manifest is not None
        assert manifest.file_count == one.file_count
    assert read_tree(services.root(RootKind.BATCH).path) == read_tree(services.root(RootKind.STAGING).path) == {}
    places = [base, *settings.get("paths", {}).values()]
    leftovers = subprocess.run(["find", *places, "-name", ".mp-*.part"], capture_output=True, check=True).stdout
    assert leftovers == b""
    services.close()


def sweep(tmp_path: Path, mode: str, elsewhere: Path, tries: int) -> None:
    undisturbed = tmp_path / "undisturbed"
    total = count_moments(undisturbed, settings_of(mode, undisturbed, elsewhere))
    step = max(1, total // tries)
    killed = 0
    for number, moment in enumerate(range(1 + (total % step), total, step)):
        base = tmp_path / str(number)
        settings = settings_of(mode, base, elsewhere)
        before = prepare(base, settings)
        killed += run_and_die_at(base, moment, settings) == -signal.SIGKILL
        lost = set(before) - set(contents(base, settings))
        assert not lost, f"killed at {moment} of {total}"
        assert in_a_child(partial(go_on, base, settings)) == 0
        assert_whole(base, before, settings)
    assert killed >= tries * 0.9


@pytest.mark.parametrize("mode", MODES)
def test_stages_that_are_killed_at_any_moment_go_on_from_there(tmp_path: Path, mode: str, elsewhere: Path) -> None:
    """The predecessor wrote its rows last: a crash while a batch was built left files that nobody knew."""
    sweep(tmp_path, mode, elsewhere, FEW)


@pytest.mark.torture
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", MODES)
def test_stages_that_are_killed_at_hundreds_of_moments_go_on(tmp_path: Path, mode: str, elsewhere: Path) -> None:
    sweep(tmp_path, mode, elsewhere, MANY)
