"""sync.peer_room_gb: no batch is larger than what the peer has room for, and a full room is waited for and told."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from app import jobs
from app.db import batches, members, peer_room, releases
from app.db.peer_room import GIB
from app.db.waiting import WaitingGroup
from app.errors import Conflict
from app.model import AssetStatus, BatchStatus, RunStatus, Trigger
from app.overview.preview import list_batches, preview_summary
from app.pipeline import tick
from app.pipeline.batch import Budget, choose
from app.services import Services
from tests.conftest import write_tree
from tests.pipeline.running import count, deliver, fill, go, make_due, messages, the_batches, workflow

#: Nobody listens there: what is made for the peer stays with the peer's name on it.
UNREACHABLE = {"api_url": "http://127.0.0.1:9", "api_key": "key", "folder_id": "photos", "device_id": "",
               "rescan_delay_sec": 0, "poll_interval_sec": 1}  # fmt: skip

Open = Callable[..., Services]


def group(key: int, size_bytes: int, files: int = 1) -> WaitingGroup:
    return WaitingGroup(key, None, files, size_bytes)


def windowed(open_test_services: Open, room_files: float, **batch: Any) -> Services:
    """Services whose peer has room for so many of the files that `fill` makes, which are all of about one size."""
    services = open_test_services()
    fill(services, 5)
    largest = max(os.stat(entry.path).st_size for entry in os.scandir(services.config.paths.source_dir)
                  if entry.name.endswith(".jpg"))  # fmt: skip
    services.close()
    return open_test_services(
        sync={"target": "syncthing", "peer_policy": "release", "peer_room_gb": room_files * largest / GIB},
        syncthing=UNREACHABLE,
        batch={"selection_mode": "files", **batch},
    )


def test_a_batch_ends_where_the_room_at_the_peer_does() -> None:
    groups = [group(1, 4), group(2, 4), group(3, 4)]

    choice = choose(groups, Budget(free_bytes=9, room_bytes=20))

    assert choice.groups == (groups[0], groups[1]) and not choice.waits_for_room


def test_what_fits_when_the_room_is_empty_is_waited_for_in_its_order() -> None:
    choice = choose([group(1, 8), group(2, 1)], Budget(free_bytes=3, room_bytes=20))

    assert choice.groups == () and choice.waits_for_room and not choice.too_large


def test_what_never_fits_is_passed_over_and_the_others_go_on() -> None:
    large, small = group(1, 30), group(2, 1)

    choice = choose([large, small], Budget(free_bytes=20, room_bytes=20))

    assert choice.groups == (small,) and choice.too_large == (large,) and not choice.waits_for_room


def test_a_group_larger_than_the_budget_is_taken_alone_only_when_the_peer_has_room_for_it() -> None:
    large = group(1, 8)
    assert choose([large], Budget(max_bytes=5, free_bytes=9, room_bytes=9)).is_oversize
    assert choose([large], Budget(max_bytes=5, free_bytes=7, room_bytes=9)).waits_for_room
    assert choose([large], Budget(max_bytes=5, free_bytes=7, room_bytes=7)).too_large == (large,)


def test_a_run_makes_batches_until_the_room_is_full_and_says_what_it_waits_for(open_test_services: Open) -> None:
    services = windowed(open_test_services, 3, max_files=2, allow_parallel=True)

    run = workflow(services)

    assert [b.file_count for b in the_batches(services)] == [2, 1]
    assert run.status is RunStatus.WAITING and count(services, AssetStatus.UNIQUE) == 2
    words = messages(services, "run.waited")[-1]
    assert words.startswith("The room at the peer is full: ") and words.endswith("waiting until batch_001 is released.")


def test_what_the_peer_releases_gives_room_back_at_once(open_test_services: Open) -> None:
    services = windowed(open_test_services, 3, max_files=2, allow_parallel=True)
    workflow(services)
    first = the_batches(services)[0]
    with services.db.transaction() as conn:
        held = members.list_of(conn, first.id, [AssetStatus.BATCHED])
        used = peer_room.measure(conn, services.config).used_bytes
        batches.set_columns(conn, first.id, device_id="PEER")
        releases.note(conn, first.id, "OTHER", [(held[0].id, "v")])
        assert peer_room.measure(conn, services.config).used_bytes == used, "only the peer of the batch gives room back"
        releases.note(conn, first.id, "PEER", [(held[0].id, "v")])
        assert peer_room.measure(conn, services.config).used_bytes == used - held[0].size_bytes

    workflow(services)

    assert [b.file_count for b in the_batches(services)] == [2, 1, 1]


def test_without_parallel_batches_the_window_is_one_batch_that_fits_the_room(open_test_services: Open) -> None:
    services = windowed(open_test_services, 2, max_files=100)
    sizes = []
    run = workflow(services)
    while run.status is RunStatus.WAITING:
        current = the_batches(services)[-1]
        sizes.append(current.file_count)
        deliver(services, current.id)
        with services.db.transaction() as conn:
            batches.set_columns(conn, current.id, released_at="2025-01-01T00:00:00+00:00", target="none")
        run = workflow(services)

    assert sizes == [2, 2, 1] and run.status is RunStatus.DONE
    assert {b.status for b in the_batches(services)} == {BatchStatus.SORTED}


def test_a_full_room_that_only_a_person_can_empty_ends_the_run(open_test_services: Open) -> None:
    services = windowed(open_test_services, 1, max_files=1, allow_parallel=True)
    workflow(services)
    (only,) = the_batches(services)
    with services.db.transaction() as conn:
        batches.change(conn, batches.get(conn, only.id), BatchStatus.ERROR, error="no", error_from="PENDING")

    run = workflow(services)

    assert run.status is RunStatus.DONE and len(the_batches(services)) == 1
    assert "The room at the peer is full" in messages(services, "run.finished")[-1]


def test_a_batch_that_is_asked_for_is_refused_while_the_room_is_full(open_test_services: Open) -> None:
    services = windowed(open_test_services, 1, max_files=1, allow_parallel=True)
    workflow(services)
    with services.db.transaction() as conn:
        limit = peer_room.measure(conn, services.config).used_bytes
    full = open_test_services(
        sync={"target": "syncthing", "peer_policy": "mirror", "peer_room_gb": limit / GIB},
        syncthing=UNREACHABLE, batch={"allow_parallel": True},
    )  # fmt: skip

    with pytest.raises(Conflict, match="The room at the peer is full"):
        jobs.create_batch(full, Trigger.API)

    assert len(the_batches(full)) == 1


def test_a_batch_that_was_asked_for_and_finds_no_room_leaves_no_row(open_test_services: Open) -> None:
    services = windowed(open_test_services, 1.5, max_files=1, allow_parallel=True)
    workflow(services)

    batch, run = jobs.create_batch(services, Trigger.API)
    ended = go(services, run)

    assert ended.status is RunStatus.FAILED and "The room at the peer is full" in (ended.error or "")
    assert batch.id not in {b.id for b in the_batches(services)}


def test_a_file_larger_than_the_whole_room_stays_in_ingest_and_is_told_of_once(open_test_services: Open) -> None:
    services = windowed(open_test_services, 2, max_files=1, allow_parallel=True)
    film = os.path.join(services.config.paths.source_dir, "film.jpg")
    write_tree(services.config.paths.source_dir, {"film.jpg": os.urandom(20_000)})
    os.utime(film, (1_000_000_000, 1_000_000_000))

    workflow(services)

    assert [b.file_count for b in the_batches(services)] == [1, 1]
    (words,) = messages(services, "batch.room_exceeded")
    assert words.startswith("1 file stays in ingest") and "Raise it to have them delivered" in words
    assert os.stat(film).st_size == 20_000


def test_a_preview_makes_its_batches_no_larger_than_the_room(open_test_services: Open) -> None:
    services = windowed(open_test_services, 2, max_files=100)

    run = go(services, jobs.start_preview(services, Trigger.API))

    found = list_batches(services, run.id, limit=10)["batches"]
    assert [batch["file_count"] for batch in found] == [2, 2, 1]
    assert "removed its copies" in preview_summary(services, run.id)["at_the_peer"]


def test_a_run_that_waits_for_room_sleeps_while_no_batch_can_go_on(open_test_services: Open) -> None:
    services = windowed(open_test_services, 1, max_files=1, allow_parallel=True)
    run = workflow(services)
    make_due(services, the_batches(services)[0].id)

    assert run.status is RunStatus.WAITING and tick.wake_waiting(services) == []
