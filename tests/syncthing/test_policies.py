"""keep and mirror, from ingest to archive over a real pair, and a policy that is changed on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from app import jobs
from app.db import policy_change
from app.model import BatchStatus, RunStatus, Trigger
from app.overview.batch_story import batch_story
from app.services import Services
from tests.conftest import read_tree
from tests.pipeline.running import go, make_due
from tests.syncthing.carrying import (
    archived,
    delete_at_peer,
    drive,
    events_of,
    ingest,
    is_now,
    newest,
    peer_photos,
    pictures,
    run_is,
    start,
    tick_once,
)
from tests.syncthing.pair import Pair, wait_for
from tests.syncthing.staging import reread

pytestmark = pytest.mark.syncthing
#: Ours and the peer's.
FOLDER_TYPES = ("sendonly", "sendreceive")

Opener = Callable[..., Services]
LATER = {"grace_seconds": 3600}


def story(services: Services) -> dict[str, object]:
    with services.db.reading() as conn:
        return dict(batch_story(conn, newest(services).id)["peer"])


def follow(services: Services) -> list[str]:
    """What every process does when it sees other settings."""
    with services.db.transaction() as conn:
        return [batch.name for batch in policy_change.follow(conn, services.config)]


def test_keep_leaves_the_peers_tree_as_it_was_when_the_files_are_archived(pair: Pair, under: Opener) -> None:
    services = under("keep")
    files = pictures("keep", 4)
    ingest(services, files)

    run_id = start(services)
    drive(services, lambda: run_is(services, run_id, RunStatus.DONE), "the run ends")

    batch = newest(services)
    before = read_tree(pair.peer.folder / batch.name)
    assert {name: before[name] for name in files} == files
    assert set(files.values()) <= archived(services) and not (pair.ours.folder / batch.name).exists()
    pair.ours.scan()
    pair.peer.scan()
    tick_once(services)
    assert read_tree(pair.peer.folder / batch.name) == before
    assert "keeps its copies" in str(story(services)["at_the_peer"])


def test_mirror_takes_the_peers_copies_when_the_files_are_archived(pair: Pair, under: Opener) -> None:
    services = under("mirror")
    files = pictures("mirror", 4)
    ingest(services, files)
    others = {name for name in read_tree(pair.peer.folder) if name.startswith("batch_")}

    run_id = start(services)
    batch = newest(services)
    drive(services, lambda: run_is(services, run_id, RunStatus.DONE), "the run ends")

    assert set(files.values()) <= archived(services)
    (told,) = events_of(services, "batch.mirrored", batch)
    assert told.detail == {"files": 4, "peers": ["peer"]} and "4 files have left the shared folder" in told.message
    wait_for(lambda: not (pair.peer.folder / batch.name).exists(), "the peer's copies and their folder go")
    assert {name for name in read_tree(pair.peer.folder) if name.startswith("batch_")} == others


def test_the_grace_of_mirror_is_seen_counting_and_the_peer_has_everything_until_then(
    pair: Pair, under: Opener
) -> None:
    services = under("mirror", sync=LATER)
    files = pictures("grace", 3)
    ingest(services, files)
    run_id = start(services)
    drive(services, is_now(services, BatchStatus.SYNCED), "the batch is delivered")

    first = story(services)
    for _ in range(3):
        tick_once(services)

    assert run_is(services, run_id, RunStatus.WAITING) and newest(services).status is BatchStatus.SYNCED
    assert first["removal_at"] == newest(services).next_look_at
    assert 0 < int(str(first["seconds_left"])) <= 3600
    assert {name: path.read_bytes() for name, path in peer_photos(pair, newest(services)).items()} == files
    make_due(services, newest(services).id)
    assert story(services)["seconds_left"] == 0
    drive(services, lambda: run_is(services, run_id, RunStatus.DONE), "the run ends")
    assert set(files.values()) <= archived(services)


def test_a_batch_can_be_held_back_within_the_grace_time(pair: Pair, under: Opener) -> None:
    services = under("mirror", sync=LATER)
    files = pictures("back", 2)
    ingest(services, files)
    start(services)
    drive(services, is_now(services, BatchStatus.SYNCED), "the batch is delivered")
    batch = newest(services)

    run = go(services, jobs.start_undo(services, batch.id, Trigger.API))

    assert run.status is RunStatus.DONE and reread(services, batch).status is BatchStatus.CANCELLED
    assert {n: c for n, c in read_tree(services.config.paths.source_dir).items() if n in files} == files
    assert not set(files.values()) & archived(services)


def test_a_change_to_keep_within_the_grace_time_saves_the_peers_copies(pair: Pair, under: Opener) -> None:
    services = under("mirror", sync=LATER)
    files = pictures("saved", 2)
    ingest(services, files)
    run_id = start(services)
    drive(services, is_now(services, BatchStatus.SYNCED), "the batch is delivered")
    batch = newest(services)

    keeping = replace(services, config=under("keep").config)
    assert follow(keeping) == [batch.name] and follow(keeping) == []
    drive(keeping, lambda: run_is(keeping, run_id, RunStatus.DONE), "the run ends")

    assert [event.detail for event in events_of(keeping, "batch.policy_changed", batch)] == [
        {"from": "mirror", "to": "keep"}
    ]
    assert set(files.values()) <= archived(keeping)
    pair.ours.scan()
    pair.peer.scan()
    assert {name: path.read_bytes() for name, path in peer_photos(pair, batch).items()} == files


def test_a_change_to_release_while_it_is_delivered_waits_for_the_peer(pair: Pair, under: Opener) -> None:
    services = under("keep")
    files = pictures("turned", 2)
    ingest(services, files)
    pair.peer.stop()
    wait_for(lambda: not pair.connected(), "the peer is gone")
    run_id = start(services)
    batch = newest(services)

    releasing = replace(services, config=under("release").config)
    assert follow(releasing) == [batch.name]
    pair.peer.start()
    pair.wait_connected()
    drive(releasing, is_now(releasing, BatchStatus.SYNCED), "the batch is delivered")
    tick_once(releasing)

    assert newest(releasing).status is BatchStatus.SYNCED and run_is(releasing, run_id, RunStatus.WAITING)
    delete_at_peer(pair, list(peer_photos(pair, batch).values()))
    drive(releasing, lambda: run_is(releasing, run_id, RunStatus.DONE), "the run ends")
    assert set(files.values()) <= archived(releasing)


def test_three_batches_pass_through_a_peer_with_room_for_one(pair: Pair, under: Opener) -> None:
    files = pictures("window", 6)
    room = 2.5 * max(map(len, files.values())) / 2**30
    services = under("release", sync={"peer_room_gb": room})
    ingest(services, files)
    run_id, seen = start(services), []
    for _ in range(3):
        drive(services, is_now(services, BatchStatus.SYNCED), "a batch is delivered")
        batch = newest(services)
        at_peer = peer_photos(pair, batch)
        seen.append(sorted(at_peer))
        assert sum(path.stat().st_size for path in at_peer.values()) <= room * 2**30
        delete_at_peer(pair, list(at_peer.values()))
        drive(services, lambda b=batch: reread(services, b).status is BatchStatus.SORTED, "it is archived")
        tick_once(services)

    assert seen == [sorted(files)[:2], sorted(files)[2:4], sorted(files)[4:]]
    drive(services, lambda: run_is(services, run_id, RunStatus.DONE), "the run ends")
    assert set(files.values()) <= archived(services)
