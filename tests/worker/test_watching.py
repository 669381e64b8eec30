"""Runs that start because new files came: with a real worker each file is taken once, and none half-written."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app import jobs
from app.db import runs
from app.model import AssetStatus, Run, RunKind, RunStatus, Trigger
from app.services import Services
from tests.conftest import write_tree
from tests.worker.installation import Installation
from worker.watching import PATIENCE_SECONDS, Watcher

Install = Callable[..., Installation]
Opener = Callable[..., Services]


class Clock:
    """A monotonic clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watcher(clock: Clock) -> Watcher:
    return Watcher(threading.Event(), clock)


@pytest.fixture
def services(open_test_services: Opener) -> Services:
    """Watched every minute, files settle in ten seconds, and the first run has ended."""
    made = open_test_services(workflow={"watch": "poll"}, scan={"settle_seconds": 10})
    jobs.start_workflow(made, Trigger.CONTROL)
    end_all(made, "done")
    return made


def end_all(services: Services, status: str) -> None:
    with services.db.transaction() as conn:
        conn.exec_driver_sql("UPDATE runs SET status = ?, slot = NULL WHERE slot = 1", (status,))


def watch_for(seconds: int, watcher: Watcher, services: Services, clock: Clock) -> list[int]:
    """The runs that were started in so many seconds."""
    started = []
    for _ in range(seconds):
        clock.seconds += 1
        started.append(watcher.watch(services))
    return [run_id for run_id in started if run_id is not None]


def test_new_files_start_one_run_that_says_so(
    services: Services, tmp_path: Path, watcher: Watcher, clock: Clock
) -> None:
    assert watch_for(120, watcher, services, clock) == []
    write_tree(tmp_path / "ingest", {"a.jpg": "a", "sub/b.jpg": "b"})
    [run_id] = watch_for(120, watcher, services, clock)
    with services.db.reading() as conn:
        run = runs.get(conn, run_id)
    assert (run.kind, run.trigger, run.status) == (RunKind.WORKFLOW, Trigger.WATCH, RunStatus.QUEUED)


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_run_that_failed_is_not_repeated_until_something_changes(
    services: Services, tmp_path: Path, watcher: Watcher, clock: Clock, status: str
) -> None:
    write_tree(tmp_path / "ingest", {"a.jpg": "a"})
    assert len(watch_for(120, watcher, services, clock)) == 1
    end_all(services, status)
    assert watch_for(2 * 3_600, watcher, services, clock) == []
    write_tree(tmp_path / "ingest", {"b.jpg": "b"})
    assert len(watch_for(120, watcher, services, clock)) == 1


def test_files_that_stand_still_wait_for_one_that_grows_but_not_for_ever(
    services: Services, tmp_path: Path, watcher: Watcher, clock: Clock
) -> None:
    write_tree(tmp_path / "ingest", {"a.jpg": "a"})
    started: list[tuple[int, float]] = []
    for step in range(180):
        write_tree(tmp_path / "ingest", {"film.mp4": b"x" * (step + 1)})
        began = clock.seconds
        started += [(run_id, began) for run_id in watch_for(10, watcher, services, clock)]
        end_all(services, "done")
    assert len(started) == 1
    assert started[0][1] - 1_000 == pytest.approx(PATIENCE_SECONDS, abs=80)


def test_nothing_starts_while_it_is_off_or_another_run_is_at_work(
    services: Services, open_test_services: Opener, tmp_path: Path, watcher: Watcher, clock: Clock
) -> None:
    write_tree(tmp_path / "ingest", {"a.jpg": "a"})
    assert watch_for(120, watcher, open_test_services(scan={"settle_seconds": 10}), clock) == []
    jobs.start_cleanup(services, Trigger.API)
    assert watch_for(120, watcher, services, clock) == []
    end_all(services, "done")
    assert len(watch_for(120, watcher, services, clock)) == 1


def test_nothing_starts_before_a_person_has_started_the_first_run(
    open_test_services: Opener, tmp_path: Path, watcher: Watcher, clock: Clock
) -> None:
    services = open_test_services(workflow={"watch": "poll"})
    write_tree(tmp_path / "ingest", {"a.jpg": "a"})
    assert watch_for(120, watcher, services, clock) == []


def test_a_folder_that_is_not_mounted_starts_no_run_and_is_watched_again_when_it_is_back(
    services: Services, tmp_path: Path, watcher: Watcher, clock: Clock
) -> None:
    (tmp_path / "ingest").rename(tmp_path / "unmounted")
    (tmp_path / "ingest").mkdir()
    write_tree(tmp_path / "ingest", {"a.jpg": "a"})
    assert watch_for(120, watcher, services, clock) == []
    (tmp_path / "ingest" / "a.jpg").rename(tmp_path / "unmounted" / "a.jpg")
    (tmp_path / "ingest").rmdir()
    (tmp_path / "unmounted").rename(tmp_path / "ingest")
    assert len(watch_for(120, watcher, services, clock)) == 1


# --- with a real worker


@pytest.fixture
def site(install: Install) -> Iterator[Installation]:
    """A worker that watches; the first run has ended."""
    made = install(workflow={"watch": "poll", "watch_seconds": 1}, scan={"settle_seconds": 1})
    made.start_worker()
    made.ended(jobs.start_workflow(made.services, Trigger.CLI).id)
    return made


def watched(site: Installation) -> list[Run]:
    with site.services.db.reading() as conn:
        return [run for run in runs.list_recent(conn, 100) if run.trigger is Trigger.WATCH]


def test_files_dropped_while_watching_are_archived_once_each(site: Installation) -> None:
    for start in range(0, 40, 10):
        write_tree(site.folder("ingest"), {f"card/{n}.jpg": site.picture(n) for n in range(start, start + 10)})
    before = site.census()
    site.until(lambda: site.counts() == {AssetStatus.ARCHIVED: 40}, "all are archived")
    site.until(lambda: all(run.status is RunStatus.DONE for run in watched(site)), "the runs end")
    assert 1 <= len(watched(site)) <= 3
    assert site.census() == before
    assert {event.detail["trigger"] for event in site.events("run.requested")} == {"cli", "watch"}


def test_a_file_that_grows_is_taken_whole_and_not_before(site: Installation) -> None:
    whole = site.picture(1, 64_000)
    path = site.folder("ingest") / "slow.jpg"
    done = threading.Event()
    writer = threading.Thread(target=write_slowly, args=(path, whole, done))
    writer.start()
    write_tree(site.folder("ingest"), {"quick.jpg": site.picture(2)})
    site.until(lambda: done.is_set() or site.counts().get(AssetStatus.ARCHIVED), "one of the two is done")
    assert done.is_set(), "the quick one waits for the slow one"
    writer.join()
    site.until(lambda: site.counts() == {AssetStatus.ARCHIVED: 2}, "both are archived")
    contents = {file.read_bytes() for file in site.folder("archive").rglob("*.jpg") if ".media" not in str(file)}
    assert contents == {whole, site.picture(2)}


def write_slowly(path: Path, content: bytes, done: threading.Event) -> None:
    """In pieces, half a second apart, for five seconds."""
    piece = len(content) // 10 + 1
    for start in range(0, len(content), piece):
        with path.open("ab") as file:
            file.write(content[start : start + piece])
        done.wait(0.5)
    done.set()
