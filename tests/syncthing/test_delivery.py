"""Delivery between two real Syncthings: what a percentage would call done, and what really is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.db import assets, deliveries, journal
from app.db.clock import now
from app.model import AssetStatus, Batch, BatchStatus
from app.overview.delivery import delivery_status
from app.pipeline import sync
from app.services import Services
from app.syncthing import notes
from app.syncthing.notes import Notes
from tests.conftest import read_tree
from tests.syncthing.carrying import archived, drive, ingest, is_now, newest, pictures, start
from tests.syncthing.pair import FOLDER, Pair, make_pair, wait_for
from tests.syncthing.staging import look, look_until_synced, publish, reread, status_of

pytestmark = pytest.mark.syncthing


def percent(pair: Pair) -> float:
    """What a completion-based check would go by."""
    answer = pair.ours.rest("GET", "db/completion", params={"folder": FOLDER, "device": pair.peer.device_id})
    return float(answer["completion"])


def kinds(services: Services, batch: Batch) -> list[str]:
    with services.db.reading() as conn:
        return [event.kind for event in reversed(journal.list_events(conn, batch_id=batch.id, limit=1000))]


def test_every_file_is_proven_at_the_peer_before_a_batch_is_synced(module_pair: Pair, opened: Any) -> None:
    services = opened(module_pair)
    files = {f"2024/{n:03d}.jpg": os.urandom(2000 + n) for n in range(100)} | {"empty.jpg": b""}
    batch = publish(services, "arrives", files)

    reports = look_until_synced(services, batch)

    assert read_tree(module_pair.peer.folder / "arrives") == dict(sorted(files.items()))
    after = reread(services, batch)
    assert (after.confirmed_count, after.confirmed_bytes) == (101, batch.size_bytes)
    with services.db.reading() as conn:
        assert len(deliveries.confirmed_ids(conn, batch.id, module_pair.peer.device_id)) == 101
        assert len(assets.list_in_batch(conn, batch.id, AssetStatus.DELIVERED)) == 101
    assert [r.outcome for r in reports][-1] == "done"
    assert {"batch.sync_started", "batch.synced"} <= set(kinds(services, batch))


def test_a_batch_whose_files_syncthing_has_not_seen_is_not_synced(module_pair: Pair, opened: Any) -> None:
    services = opened(module_pair)
    batch = publish(services, "unseen", {"a.jpg": b"one", "b.jpg": b"two"})
    with services.db.transaction() as conn:
        notes.save(conn, batch.id, Notes(scanned_at=now()))

    report = look(services, batch)

    assert percent(module_pair) == 100
    assert (report.outcome, status_of(services, batch)) == ("waiting", BatchStatus.PENDING)
    assert reread(services, batch).confirmed_count == 0
    assert [missing["path"] for missing in _missing(services, batch)] == ["unseen/a.jpg", "unseen/b.jpg"]
    look_until_synced(services, batch)


def _missing(services: Services, batch: Batch) -> list[dict[str, Any]]:
    return list(delivery_status(services, batch.id)["missing"])


def test_a_file_that_an_ignore_pattern_hits_is_never_called_synced(module_pair: Pair, opened: Any) -> None:
    services = opened(module_pair)
    before = module_pair.ours.client().ignores(FOLDER)
    module_pair.ours.client().set_ignores(FOLDER, [*before, "*.png"])
    batch = publish(services, "ignored", {"a.jpg": b"photo", "b.png": b"picture"})

    look(services, batch)
    wait_for((module_pair.peer.folder / "ignored/a.jpg").exists, "the other file arrives")
    wait_for(lambda: percent(module_pair) == 100, "completion is 100")
    report = look(services, batch)
    report = look(services, batch)
    detail = reread(services, batch).sync_detail or ""

    assert report.outcome == "waiting" and "ignored/b.png" in detail and "ignore pattern" in detail
    assert "batch.sync_delayed" in kinds(services, batch)
    module_pair.ours.client().set_ignores(FOLDER, before)
    look_until_synced(services, batch)


def test_a_device_that_the_folder_is_not_shared_with_is_named(module_pair: Pair, opened: Any) -> None:
    stranger = "MFZWI3D-BONSGYC-YLTMRWG-C43ENR5-QXGZDMM-FZWI3DP-BONSGYY-LTMRWAD"
    services = opened(module_pair, syncthing={"device_id": stranger})
    batch = publish(services, "stranger", {"a.jpg": b"photo"})

    report = look(services, batch)

    assert (report.outcome, status_of(services, batch)) == ("waiting", BatchStatus.PENDING)
    assert stranger in report.message and module_pair.peer.device_id in report.message


def test_our_own_device_is_never_taken_for_the_peer(module_pair: Pair, opened: Any) -> None:
    services = opened(module_pair, syncthing={"device_id": module_pair.ours.device_id})
    batch = publish(services, "own", {"a.jpg": b"photo"})

    report = look(services, batch)

    assert (report.outcome, status_of(services, batch)) == ("waiting", BatchStatus.PENDING)
    assert "this Syncthing itself" in report.message


def test_an_empty_device_is_filled_in_when_there_is_only_one_peer(module_pair: Pair, opened: Any) -> None:
    services = opened(module_pair, syncthing={"device_id": ""})
    batch = publish(services, "only-peer", {"a.jpg": b"photo"})

    look_until_synced(services, batch)

    assert reread(services, batch).device_id == module_pair.peer.device_id
    assert "sync.device_chosen" in kinds(services, batch)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"api_key": "wrong"}, "does not accept the API key"),
        ({"api_key": ""}, "no Syncthing API key"),
        ({"folder_id": "other"}, "has no folder 'other'"),
        ({"api_url": "ftp://127.0.0.1"}, "must begin with http"),
        ({"api_url": "http://127.0.0.1:9"}, "connection is refused"),
    ],
)
def test_wrong_settings_leave_the_batch_waiting_with_clear_words(
    module_pair: Pair, opened: Any, changes: dict[str, str], words: str
) -> None:
    services = opened(module_pair, syncthing=changes)
    batch = publish(services, f"wrong-{abs(hash(words))}", {"a.jpg": b"photo"})

    reports = [look(services, batch) for _ in range(3)]

    assert {r.outcome for r in reports} == {"waiting"} and status_of(services, batch) is BatchStatus.PENDING
    assert words in (reread(services, batch).sync_detail or "") and reread(services, batch).next_look_at is not None
    assert kinds(services, batch).count("batch.sync_delayed") == 1


def test_the_peer_keeps_its_files_after_they_leave_the_batch_folder(module_pair: Pair, opened: Any) -> None:
    services = opened(module_pair)
    files = {"a.jpg": b"one", "sub/[b] {c},!*?.jpg": b"two", "empty.jpg": b""}
    batch = publish(services, "kept [1] {x,y}!", files)
    look_until_synced(services, batch)

    sync.retain_at_peer(services, reread(services, batch))
    sync.retain_at_peer(services, reread(services, batch))
    for path in files:
        os.unlink(module_pair.ours.folder / batch.name / path)
    module_pair.ours.scan()
    other = publish(services, "after-kept", {"z.jpg": b"three"})
    look_until_synced(services, other)

    assert read_tree(module_pair.peer.folder / batch.name) == dict(sorted(files.items()))
    lines = module_pair.ours.client().ignores(FOLDER)
    assert len(lines) == len(set(lines))


def test_under_mirror_the_peers_copies_go_with_ours(module_pair: Pair, opened: Any) -> None:
    services = opened(module_pair, sync={"peer_policy": "mirror"})
    batch = publish(services, "mirrored", {"a.jpg": b"one"})
    look_until_synced(services, batch)

    sync.retain_at_peer(services, reread(services, batch))
    os.unlink(module_pair.ours.folder / "mirrored/a.jpg")
    module_pair.ours.scan()

    wait_for(lambda: not (module_pair.peer.folder / "mirrored/a.jpg").exists(), "the peer removes its copy")


def test_a_peer_that_ignores_deletes_is_stuck_below_100_percent_and_the_next_batch_is_synced_all_the_same(
    module_pair: Pair, opened: Any
) -> None:
    services = opened(module_pair, sync={"peer_policy": "mirror"})
    module_pair.peer.change_folder(ignoreDelete=True)
    batch = publish(services, "deletes-ignored", {"a.jpg": b"one"})
    look_until_synced(services, batch)
    os.unlink(module_pair.ours.folder / "deletes-ignored/a.jpg")
    module_pair.ours.scan()
    wait_for(lambda: percent(module_pair) == 95, "the peer counts as out of date")

    other = publish(services, "after-deletes", {"b.jpg": b"two"})
    look_until_synced(services, other)

    assert percent(module_pair) < 100
    module_pair.peer.change_folder(ignoreDelete=False)


def test_the_programs_own_marker_is_not_sent_to_the_peer(module_pair: Pair, opened: Any) -> None:
    services = opened(module_pair)
    look_until_synced(services, publish(services, "no-marker", {"a.jpg": b"one"}))
    module_pair.ours.scan()
    look_until_synced(services, publish(services, "no-marker-2", {"a.jpg": b"one"}))

    assert ".media-pipeline-root" in os.listdir(module_pair.ours.folder)
    assert ".media-pipeline-root" not in os.listdir(module_pair.peer.folder)


def test_two_looks_at_the_same_time_do_not_disturb_each_other(module_pair: Pair, opened: Any) -> None:
    services = opened(module_pair)
    module_pair.peer.client().set_ignores(FOLDER, ["*"])
    batch = publish(services, "two-looks", {"a.jpg": b"one"})
    look(services, batch)
    module_pair.peer.client().set_ignores(FOLDER, [])
    module_pair.peer.scan()
    wait_for((module_pair.peer.folder / "two-looks/a.jpg").exists, "the file arrives")

    late = sync.look(services, batch)  # still knows the batch as PENDING

    assert late.outcome == "waiting" and status_of(services, batch) is BatchStatus.SYNCING
    look_until_synced(services, batch)
    assert sync.look(services, batch).outcome == "done"
    assert kinds(services, batch).count("batch.synced") == 1


def test_the_waits_before_the_scan_the_first_look_and_the_sort_are_kept(module_pair: Pair, opened: Any) -> None:
    delays = {"delays": {"syncthing_settle_sec": 60, "post_sync_sec": 60}}
    slow = opened(module_pair, syncthing={"rescan_delay_sec": 60}, workflow=delays)
    batch = publish(slow, "slowly", {"a.jpg": b"one"})
    assert look(slow, batch).outcome == "waiting" and status_of(slow, batch) is BatchStatus.PENDING
    assert kinds(slow, batch) == []

    settling = opened(module_pair, workflow=delays)
    assert look(settling, batch).outcome == "waiting" and status_of(settling, batch) is BatchStatus.SYNCING
    wait_for((module_pair.peer.folder / "slowly/a.jpg").exists, "the file arrives")
    assert look(settling, batch).outcome == "waiting" and reread(settling, batch).confirmed_count == 0

    pausing = opened(module_pair, workflow={"delays": {"syncthing_settle_sec": 0, "post_sync_sec": 60}})
    look_until_synced(pausing, batch)
    assert look(pausing, batch).outcome == "waiting" and reread(pausing, batch).next_look_at is not None


@pytest.fixture
def pair_of_its_own(tmp_path: Path) -> Iterator[Pair]:
    """A pair, and with it a database, that no other test has put a batch into."""
    pair = make_pair(tmp_path)
    yield pair
    pair.stop()


def test_a_named_device_without_a_folder_id_holds_photos_back_from_the_archive_until_they_arrived(
    pair_of_its_own: Pair, opened: Any
) -> None:
    only_device = {"target": "auto"}
    blind = opened(pair_of_its_own, sync=only_device, syncthing={"folder_id": "", "batch_dir": "/no/such/place"})
    files = pictures("by-device", 2)
    ingest(blind, files)

    start(blind)

    batch = newest(blind)
    assert (batch.target, batch.status) == ("syncthing", BatchStatus.PENDING) and not archived(blind)
    assert "syncthing.folder_id is empty" in str(batch.sync_detail)
    seeing = opened(pair_of_its_own, sync=only_device, syncthing={"folder_id": ""})
    drive(seeing, is_now(seeing, BatchStatus.SORTED), "the batch is archived")
    assert archived(seeing) >= set(files.values())
    assert set(files.values()) <= set(read_tree(pair_of_its_own.peer.folder / batch.name).values())
