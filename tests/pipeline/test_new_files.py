"""What is new in the ingest folders: each file once it stands still, at the price of a look at folders' times."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app import jobs
from app.errors import RootUnavailable
from app.model import Trigger
from app.pipeline import new_files
from app.pipeline.new_files import FULL_LOOK_SECONDS, Look, NewFiles
from app.services import Services
from tests.conftest import make_jpeg, write_tree
from tests.pipeline.running import go

Opener = Callable[..., Services]


class Clock:
    """A monotonic clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.seconds = 100_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def services(open_test_services: Opener) -> Services:
    return open_test_services(scan={"settle_seconds": 10})


def test_a_file_counts_once_two_looks_showed_the_same(services: Services, tmp_path: Path, clock: Clock) -> None:
    write_tree(tmp_path / "ingest", {"DCIM/a.jpg": "whole"})
    news = NewFiles(clock)
    assert news.look(services) == Look(changing=1)
    clock.seconds += 9
    assert news.look(services) == Look(changing=1)
    clock.seconds += 1
    assert news.look(services) == Look(still=1, longest_seconds=10)


def test_a_file_that_grows_never_counts(services: Services, tmp_path: Path, clock: Clock) -> None:
    news = NewFiles(clock)
    for length in range(1, 8):
        write_tree(tmp_path / "ingest", {"film.mp4": b"x" * length})
        assert news.look(services) == Look(changing=1)
        clock.seconds += 30


def test_what_no_scan_would_take_is_not_new(services: Services, tmp_path: Path, clock: Clock) -> None:
    left = {"note.txt": "n", ".hidden.jpg.part": "p", "a.jpg.crdownload": "c", "alone.xmp": "<x/>", "empty": {}}
    write_tree(tmp_path / "ingest", left)
    news = NewFiles(clock)
    assert news.look(services) == Look()


def test_what_a_run_was_started_for_is_new_again_only_when_it_changes(
    services: Services, tmp_path: Path, clock: Clock
) -> None:
    write_tree(tmp_path / "ingest", {"a.jpg": "a", "b.jpg": "b"})
    news = NewFiles(clock)
    look_twice(news, services, clock)
    news.answer(10)
    clock.seconds += FULL_LOOK_SECONDS
    assert look_twice(news, services, clock) == Look()
    write_tree(tmp_path / "ingest", {"b.jpg": "b changed", "c.jpg": "c"})
    # The name that came made the folder be listed, so what was overwritten in it is seen as well.
    assert look_twice(news, services, clock).still == 2


def look_twice(news: NewFiles, services: Services, clock: Clock) -> Look:
    news.look(services)
    clock.seconds += 10
    return news.look(services)


@pytest.mark.parametrize("mode", ["move", "copy"])
def test_what_a_run_has_taken_is_not_new(open_test_services: Opener, tmp_path: Path, clock: Clock, mode: str) -> None:
    services = open_test_services(batch={"transfer_mode": mode}, sorter={"transfer_mode": mode})
    jpeg = make_jpeg("2024:05:06 07:08:09")
    write_tree(tmp_path / "ingest", {"a.jpg": jpeg, "again.jpg": jpeg, "sub/b.jpg": make_jpeg(seed=2)})
    news = NewFiles(clock)
    assert news.look(services).still == 3
    go(services, jobs.start_workflow(services, Trigger.WATCH))
    assert (news.look(services), NewFiles(clock).look(services)) == (Look(), Look())


def test_a_folder_that_did_not_change_is_not_listed(
    services: Services, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(tmp_path / "ingest", {"old/one.txt": "1", "new": {}})
    listed: list[bytes] = []
    real = new_files.walk

    def recording(*arguments: object, **named: object) -> object:
        listed.extend(named["below"])  # type: ignore[call-overload]
        return real(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(new_files, "walk", recording)
    news = NewFiles(clock)
    news.look(services)
    news.look(services)
    listed.clear()
    assert (news.look(services), listed) == (Look(), [])
    write_tree(tmp_path / "ingest", {"new/two.jpg": "2"})
    assert (news.look(services), listed) == (Look(changing=1), [b"new"])


def test_a_file_that_came_within_the_step_of_a_coarse_clock_is_seen_at_the_next_look(
    services: Services, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No such file system is at hand: the folder's times are held fast instead."""
    write_tree(tmp_path / "ingest", {"one.txt": "1"})
    times = os.lstat(tmp_path / "ingest")
    monkeypatch.setattr(new_files.os, "lstat", lambda _path: times)
    news = NewFiles(clock)
    news.look(services)
    write_tree(tmp_path / "ingest", {"two.jpg": "2"})
    assert news.look(services) == Look(changing=1)


def test_a_file_overwritten_in_place_is_found_by_the_full_look(
    services: Services, tmp_path: Path, clock: Clock
) -> None:
    write_tree(tmp_path / "ingest", {"a.jpg": make_jpeg()})
    news = NewFiles(clock)
    go(services, jobs.start_dedup(services, Trigger.API))
    assert [news.look(services) for _ in range(3)] == [Look()] * 3
    write_tree(tmp_path / "ingest", {"a.jpg": make_jpeg(seed=5) + b"longer"})
    clock.seconds += FULL_LOOK_SECONDS
    assert look_twice(news, services, clock).still == 1


def test_a_folder_that_is_away_is_an_error_and_nothing_is_forgotten(
    services: Services, tmp_path: Path, clock: Clock
) -> None:
    write_tree(tmp_path / "ingest", {"a.jpg": "a"})
    news = NewFiles(clock)
    look_twice(news, services, clock)
    news.answer(10)
    (tmp_path / "ingest").rename(tmp_path / "away")
    with pytest.raises(RootUnavailable):
        news.look(services)
    (tmp_path / "away").rename(tmp_path / "ingest")
    assert news.look(services) == Look()


def test_of_very_many_new_files_only_so_many_are_held_in_memory(
    services: Services, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_files, "MAX_PENDING", 5)
    write_tree(tmp_path / "ingest", {f"{folder}/{name}.jpg": "x" for folder in range(3) for name in range(4)})
    assert look_twice(NewFiles(clock), services, clock).still == 5


def test_a_worker_that_stops_does_not_finish_its_look(services: Services, tmp_path: Path, clock: Clock) -> None:
    write_tree(tmp_path / "ingest", {"a.jpg": "a"})
    stopping = threading.Event()
    stopping.set()
    assert NewFiles(clock).look(services, stopping) == Look()
