"""A Send & Receive folder whose peer deletes and edits: our copy survives, and the archive has what came in."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app import jobs
from app.db import batches, kept_copies
from app.files.holds import FOLDER
from app.model import HELD, Batch, BatchStatus, RootKind, RunStatus, Trigger
from app.pipeline import sync
from app.services import Services
from tests.conftest import read_tree
from tests.pipeline.running import go
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
)
from tests.syncthing.pair import FOLDER as FOLDER_ID
from tests.syncthing.pair import Pair, wait_for
from tests.syncthing.staging import publish, reread, services_for

pytestmark = pytest.mark.syncthing
#: Ours and the peer's.
FOLDER_TYPES = ("sendreceive", "sendreceive")


@pytest.fixture
def services(under: Callable[..., Services]) -> Services:
    return under("keep")


def holds(services: Services) -> list[Path]:
    folder = Path(os.fsdecode(services.root(RootKind.STAGING).path)) / FOLDER.decode()
    return sorted(path for path in folder.rglob("*") if path.is_file())


def ours(pair: Pair, batch: Batch, name: str) -> Path:
    return pair.ours.folder / batch.name / name


def is_done(services: Services, run_id: int) -> None:
    drive(services, lambda: run_is(services, run_id, RunStatus.DONE), "the run ends")


def nothing_is_left_of(services: Services) -> None:
    """No hold, no row of one, and no empty folder."""
    staging = services.root(RootKind.STAGING)
    assert not holds(services) and FOLDER not in os.listdir(staging.path)
    with services.db.reading() as conn:
        assert not list(kept_copies.list_places(conn, staging.id))


def test_files_are_held_while_they_are_delivered_and_no_longer(pair: Pair, services: Services) -> None:
    files = pictures("held", 3)
    ingest(services, files)
    # a quick peer would have everything before it is looked at
    pair.peer.change_folder(paused=True)

    run_id = start(services)

    batch = newest(services)
    assert batch.hold == HELD and len(events_of(services, "batch.held", batch)) == 1
    assert sorted(path.stat().st_ino for path in holds(services)) == sorted(
        ours(pair, batch, name).stat().st_ino for name in files
    )
    pair.peer.change_folder(paused=False)
    is_done(services, run_id)
    assert set(files.values()) <= archived(services)
    assert {name: path.read_bytes() for name, path in peer_photos(pair, batch).items()} == files
    nothing_is_left_of(services)


def test_what_the_peer_deletes_after_the_delivery_is_archived_from_its_hold(pair: Pair, services: Services) -> None:
    files = pictures("late", 3)
    unsorted = services_for(pair, sync={"target": "syncthing"}, syncthing={"auto_sort_after_sync": False})
    ingest(unsorted, files)
    start(unsorted)
    drive(unsorted, is_now(unsorted, BatchStatus.SYNCED), "the batch is delivered")
    batch = newest(unsorted)
    at_peer = peer_photos(pair, batch)
    edited, gone = sorted(files)[:2]
    at_peer[edited].write_bytes(b"cropped at the peer")
    delete_at_peer(pair, [at_peer[gone]])
    wait_for(lambda: not ours(pair, batch, gone).exists(), "the delete comes here")
    wait_for(lambda: ours(pair, batch, edited).read_bytes() == b"cropped at the peer", "the edit comes here")

    run = go(services, jobs.start_sort(services, batch.id, Trigger.API))

    unsorted.close()
    assert run.status is RunStatus.DONE and reread(services, batch).status is BatchStatus.SORTED
    assert set(files.values()) <= archived(services) and b"cropped at the peer" not in archived(services)
    assert ours(pair, batch, edited).read_bytes() == b"cropped at the peer", "the edit is nobody's to throw away"
    nothing_is_left_of(services)


def test_what_the_peer_deletes_and_edits_before_the_proof_is_put_right_from_its_hold(
    pair: Pair, services: Services
) -> None:
    files = pictures("early", 3)
    # What the peer ignores is never confirmed, so the delivery goes on while it edits and deletes.
    kept_back, edited, gone = sorted(files)
    pair.peer.client().set_ignores(FOLDER_ID, [kept_back])
    ingest(services, files)
    run_id = start(services)
    batch = newest(services)
    wait_for(lambda: len(peer_photos(pair, batch)) == 2, "two files arrive")
    at_peer = peer_photos(pair, batch)
    at_peer[edited].write_bytes(b"cropped at the peer, before it was told")
    delete_at_peer(pair, [at_peer[gone]])
    wait_for(lambda: not ours(pair, batch, gone).exists(), "the delete comes here")
    wait_for(lambda: b"cropped" in ours(pair, batch, edited).read_bytes(), "the edit comes here")

    drive(services, lambda: ours(pair, batch, gone).exists() and ours(pair, batch, edited).exists(), "both are back")
    pair.peer.client().set_ignores(FOLDER_ID, [])
    pair.peer.scan()
    is_done(services, run_id)

    assert set(files.values()) <= archived(services)
    assert reread(services, batch).file_count == 3 and not events_of(services, "asset.failed", batch)
    (aside,) = [path for path in (pair.ours.folder / batch.name).iterdir() if ".edit-" in path.name]
    assert aside.read_bytes() == b"cropped at the peer, before it was told"
    assert len(events_of(services, "asset.edit_set_aside", batch)) == 1
    nothing_is_left_of(services)


def test_under_release_a_peer_may_delete_our_copies_too_and_the_archive_still_gets_them(
    pair: Pair, services: Services
) -> None:
    release = services_for(pair, sync={"target": "syncthing", "peer_policy": "release"})
    files = pictures("release", 3)
    ingest(release, files)
    run_id = start(release)
    drive(release, is_now(release, BatchStatus.SYNCED), "the batch is delivered")
    batch = newest(release)

    delete_at_peer(pair, list(peer_photos(pair, batch).values()))
    wait_for(lambda: not any(ours(pair, batch, name).exists() for name in files), "they are deleted here as well")
    is_done(release, run_id)

    assert reread(release, batch).released_at is not None
    assert set(files.values()) <= archived(release)
    nothing_is_left_of(release)
    release.close()


def test_a_batch_that_is_taken_back_after_the_peer_deleted_it_returns_from_its_holds(
    pair: Pair, services: Services
) -> None:
    files = pictures("back", 2)
    unsorted = services_for(pair, sync={"target": "syncthing"}, syncthing={"auto_sort_after_sync": False})
    ingest(unsorted, files)
    start(unsorted)
    drive(unsorted, is_now(unsorted, BatchStatus.SYNCED), "the batch is delivered")
    batch = newest(unsorted)
    first = sorted(files)[0]
    delete_at_peer(pair, [peer_photos(pair, batch)[first]])
    wait_for(lambda: not ours(pair, batch, first).exists(), "the delete comes here")

    run = go(unsorted, jobs.start_undo(unsorted, batch.id, Trigger.API))

    assert run.status is RunStatus.DONE and reread(unsorted, batch).status is BatchStatus.CANCELLED
    assert {n: c for n, c in read_tree(unsorted.config.paths.source_dir).items() if n in files} == files
    nothing_is_left_of(unsorted)
    unsorted.close()


@pytest.mark.parametrize("policy", ["keep", "release"])
def test_what_the_peer_deleted_before_the_folder_became_send_and_receive_is_archived(pair: Pair, policy: str) -> None:
    pair.bring_up()
    pair.ours.change_folder(type="sendonly")
    services = services_for(
        pair, sync={"target": "syncthing", "peer_policy": policy}, syncthing={"auto_sort_after_sync": False}
    )
    files = pictures(f"pending_{policy}", 3)
    ingest(services, files)
    start(services)
    drive(services, is_now(services, BatchStatus.SYNCED), "the batch is delivered")
    batch = newest(services)
    at_peer = peer_photos(pair, batch)
    first, *others = sorted(files)
    delete_at_peer(pair, [at_peer[name] for name in others])
    wait_for(lambda: all(is_deleted_there(pair, batch, name) for name in others), "the peer has told of its deletes")

    pair.ours.change_folder(type="sendreceive")
    wait_for(lambda: not any(ours(pair, batch, name).exists() for name in others), "they are deleted here as well")
    if policy == "release":
        delete_at_peer(pair, [at_peer[first]])
        drive(services, lambda: reread(services, batch).released_at is not None, "everything is released")
    run = go(services, jobs.start_sort(services, batch.id, Trigger.API))

    assert run.status is RunStatus.DONE and reread(services, batch).status is BatchStatus.SORTED
    assert set(files.values()) <= archived(services)
    nothing_is_left_of(services)
    services.close()


def is_deleted_there(pair: Pair, batch: Batch, name: str) -> bool:
    view = pair.ours.client().file(FOLDER_ID, f"{batch.name}/{name}")
    return view is not None and view.global_deleted


def test_a_batch_without_holds_gets_them_at_the_next_look_when_its_folder_is_send_and_receive(
    pair: Pair, services: Services
) -> None:
    files = pictures("turned", 2)
    pair.ours.change_folder(type="sendonly")
    pair.peer.stop()
    batch = publish(services, "turned", files)
    sync.look(services, batch)
    assert reread(services, batch).hold is None and not holds(services)

    pair.ours.change_folder(type="sendreceive")
    sync.look(services, reread(services, batch))

    assert reread(services, batch).hold == HELD and len(holds(services)) == 2
    pair.peer.start()
    pair.wait_connected()
    wait_for(lambda: sync.look(services, reread(services, batch)).outcome == "done", "the batch is delivered")
    go(services, jobs.start_sort(services, batch.id, Trigger.API))
    assert set(files.values()) <= archived(services)
    nothing_is_left_of(services)


def test_holds_that_no_row_knows_are_adopted_before_the_archive_asks_for_them(pair: Pair, services: Services) -> None:
    unsorted = services_for(pair, sync={"target": "syncthing"}, syncthing={"auto_sort_after_sync": False})
    files = pictures("older", 2)
    ingest(unsorted, files)
    start(unsorted)
    drive(unsorted, is_now(unsorted, BatchStatus.SYNCED), "the batch is delivered")
    batch = newest(unsorted)
    with unsorted.db.transaction() as conn:
        rows = [row for row, _ in kept_copies.list_places(conn, unsorted.root(RootKind.STAGING).id)]
        kept_copies.remove(conn, rows)
        batches.set_columns(conn, batch.id, hold=None)
    delete_at_peer(pair, list(peer_photos(pair, batch).values()))
    wait_for(lambda: not any(ours(pair, batch, name).exists() for name in files), "they are deleted here as well")

    go(unsorted, jobs.start_sort(unsorted, batch.id, Trigger.API))

    assert len(rows) == 2 and reread(unsorted, batch).status is BatchStatus.SORTED
    assert set(files.values()) <= archived(unsorted) and not events_of(unsorted, "asset.failed", batch)
    nothing_is_left_of(unsorted)
    unsorted.close()
