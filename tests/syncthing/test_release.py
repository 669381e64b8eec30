"""sync.peer_policy: release, from ingest to archive over a real pair: only the peer's own deletions count."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.db import deliveries, releases
from app.diagnostics import diagnose
from app.model import BatchStatus, RunStatus
from app.overview.delivery import delivery_status
from app.pipeline import releasing
from app.services import Services
from tests.conftest import read_tree
from tests.syncthing.carrying import (
    archived,
    delete_at_peer,
    drive,
    events_of,
    ingest,
    is_now,
    look_now,
    newest,
    peer_photos,
    pictures,
    run_is,
    start,
    tick_once,
)
from tests.syncthing.pair import FOLDER, Pair, make_pair, wait_for
from tests.syncthing.staging import reread, services_for

pytestmark = pytest.mark.syncthing
#: Ours and the peer's.
FOLDER_TYPES = ("sendonly", "sendreceive")


@pytest.fixture
def services(under: Callable[..., Services]) -> Services:
    return under("release")


def deletion_is_known(pair: Pair, path: str) -> bool:
    view = pair.ours.client().file(FOLDER, path)
    return view is not None and view.global_deleted


def test_a_batch_is_archived_once_the_peer_has_deleted_all_of_it(pair: Pair, services: Services) -> None:
    files = pictures("all", 6)
    ingest(services, files)
    run_id = start(services)
    drive(services, is_now(services, BatchStatus.SYNCED), "the batch is delivered")
    batch = newest(services)
    at_peer = peer_photos(pair, batch)
    assert {name: path.read_bytes() for name, path in at_peer.items()} == files

    delete_at_peer(pair, list(at_peer.values())[:3])
    drive(services, lambda: "3 of 6 files released" in (newest(services).sync_detail or ""), "half is released")

    assert newest(services).status is BatchStatus.SYNCED and run_is(services, run_id, RunStatus.WAITING)
    assert read_tree(pair.ours.folder / batch.name).keys() >= files.keys(), "what was released stays here until then"
    assert not archived(services)
    delete_at_peer(pair, list(at_peer.values())[3:])
    drive(services, lambda: run_is(services, run_id, RunStatus.DONE), "the run ends")
    after = reread(services, batch)
    assert after.status is BatchStatus.SORTED and after.released_at is not None
    assert set(files.values()) <= archived(services)
    assert not read_tree(services.config.paths.source_dir)
    wait_for(lambda: not (pair.peer.folder / batch.name).exists(), "the emptied folder goes at the peer as well")
    assert len(events_of(services, "batch.released", batch)) == 1


def test_what_the_peer_deletes_before_it_was_ever_looked_at_is_delivered_and_released(
    pair: Pair, services: Services
) -> None:
    files = pictures("early", 3)
    ingest(services, files)
    pair.peer.stop()
    wait_for(lambda: not pair.connected(), "the peer is gone")
    run_id = start(services)
    batch = newest(services)
    pair.peer.start()
    pair.wait_connected()
    wait_for(lambda: len(peer_photos(pair, batch)) == 3, "the files arrive")
    delete_at_peer(pair, list(peer_photos(pair, batch).values()))
    wait_for(lambda: all(deletion_is_known(pair, f"{batch.name}/{name}") for name in files), "we know of it")

    drive(services, lambda: run_is(services, run_id, RunStatus.DONE), "the run ends")

    assert reread(services, batch).status is BatchStatus.SORTED
    assert set(files.values()) <= archived(services)
    with services.db.reading() as conn:
        assert deliveries.confirmed_ids(conn, batch.id, pair.peer.device_id) == releases.released_ids(conn, batch.id)
        assert releases.count(conn, batch.id).file_count == 3


def test_an_edit_at_the_peer_is_told_and_never_counts(pair: Pair, services: Services) -> None:
    files = pictures("edit", 2)
    ingest(services, files)
    run_id = start(services)
    drive(services, is_now(services, BatchStatus.SYNCED), "the batch is delivered")
    batch = newest(services)
    edited, other = peer_photos(pair, batch).values()
    edited.write_bytes(b"cropped at the peer")
    delete_at_peer(pair, [other])

    drive(services, lambda: "changed at peer instead of deleted" in (newest(services).sync_detail or ""), "it is told")

    look_now(services)
    assert newest(services).status is BatchStatus.SYNCED and newest(services).released_at is None
    with services.db.reading() as conn:
        assert releases.count(conn, batch.id).file_count == 1
    assert len(events_of(services, "batch.release_delayed", batch)) == 1
    delete_at_peer(pair, [edited])
    drive(services, lambda: run_is(services, run_id, RunStatus.DONE), "the run ends once it is deleted")
    assert set(files.values()) <= archived(services), "the archive has what was sent"


def test_a_release_counts_while_the_peer_is_offline_and_survives_it(pair: Pair, services: Services) -> None:
    files = pictures("offline", 4)
    ingest(services, files)
    run_id = start(services)
    drive(services, is_now(services, BatchStatus.SYNCED), "the batch is delivered")
    batch = newest(services)
    at_peer = list(peer_photos(pair, batch).values())
    delete_at_peer(pair, at_peer[:2])
    names = [str(path.relative_to(pair.peer.folder)) for path in at_peer[:2]]
    wait_for(lambda: all(deletion_is_known(pair, name) for name in names), "we know of two")
    pair.peer.stop()
    wait_for(lambda: not pair.connected(), "the peer is gone")

    look_now(services)

    after = reread(services, batch)
    assert "2 of 4 files released" in (after.sync_detail or "") and "not connected" in (after.sync_detail or "")
    assert after.status is BatchStatus.SYNCED
    for path in at_peer[2:]:
        path.unlink()
    pair.peer.start()
    pair.wait_connected()
    pair.peer.scan()
    drive(services, lambda: run_is(services, run_id, RunStatus.DONE), "the run ends")
    assert reread(services, batch).status is BatchStatus.SORTED
    assert set(files.values()) <= archived(services)


def test_what_leaves_our_own_folder_is_never_a_release(pair: Pair, services: Services) -> None:
    files = pictures("own", 2)
    ingest(services, files)
    run_id = start(services)
    drive(services, is_now(services, BatchStatus.SYNCED), "the batch is delivered")
    batch = newest(services)
    aside = pair.ours.home / "aside"
    (pair.ours.folder / batch.name).rename(aside)
    pair.ours.scan()
    wait_for(lambda: not peer_photos(pair, batch), "our removal takes the peer's copies")
    assert all(deletion_is_known(pair, f"{batch.name}/{name}") for name in files)

    report = releasing.look(services, newest(services), None)

    assert report.outcome == "waiting" and "0 of 2 files released" in report.message
    assert "deleted on this side, in the batch folder" in report.message and "keep or mirror" in report.message
    aside.rename(pair.ours.folder / batch.name)
    pair.ours.scan(batch.name)
    wait_for(lambda: len(peer_photos(pair, batch)) == 2, "the peer has them again")
    assert releasing.look(services, newest(services), None).outcome == "waiting"
    delete_at_peer(pair, list(peer_photos(pair, batch).values()))
    drive(services, lambda: run_is(services, run_id, RunStatus.DONE), "the run ends")
    assert set(files.values()) <= archived(services)


def test_a_receive_only_peer_is_told_that_it_sends_no_deletions(tmp_path_factory: pytest.TempPathFactory) -> None:
    pair = make_pair(tmp_path_factory.mktemp("receive-only"), "sendonly", "receiveonly")
    services = services_for(pair, sync={"target": "syncthing", "peer_policy": "release"})
    try:
        ingest(services, pictures("deaf", 2))
        start(services)
        drive(services, is_now(services, BatchStatus.SYNCED), "the batch is delivered")
        batch = newest(services)
        delete_at_peer(pair, list(peer_photos(pair, batch).values()))

        drive(services, lambda: "must be Send & Receive" in (newest(services).sync_detail or ""), "it is told")

        for _ in range(3):
            tick_once(services)
        assert newest(services).status is BatchStatus.SYNCED and not archived(services)
        with services.db.reading() as conn:
            assert releases.count(conn, batch.id).file_count == 0
        assert delivery_status(services, batch.id)["trouble"] == "peer_sends_no_deletes"
        told = [check for check in diagnose(services)["checks"] if check["name"] == "syncthing releases"]
        assert [(check["state"], "Receive Only" in check["cause"], bool(check["fix"])) for check in told] == [
            ("warning", True, True)
        ]
    finally:
        services.close()
        pair.stop()
