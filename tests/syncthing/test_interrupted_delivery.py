"""Real Syncthings that are broken in mid-delivery: never a false SYNCED, always visible, always going on afterwards."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from app.db import assets
from app.model import AssetStatus, BatchStatus
from app.overview.delivery import delivery_status
from app.pipeline import sync
from app.services import Services
from tests.conftest import read_tree
from tests.syncthing.pair import FOLDER, Pair, make_pair, wait_for
from tests.syncthing.staging import look, look_until_synced, publish, reread, services_for, status_of

pytestmark = pytest.mark.syncthing

FILES = {f"{n:02d}.jpg": bytes([n]) * (n * 100) for n in range(20)}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    made = make_pair(tmp_path_factory.mktemp("interrupted"))
    yield made
    made.stop()


@pytest.fixture
def services(pair: Pair) -> Iterator[Services]:
    pair.bring_up()
    opened = services_for(pair)
    yield opened
    opened.close()


def percent(pair: Pair) -> float:
    answer = pair.ours.rest("GET", "db/completion", params={"folder": FOLDER, "device": pair.peer.device_id})
    return float(answer["completion"])


def test_an_offline_peer_is_waited_for_and_then_gets_everything(pair: Pair, services: Services) -> None:
    pair.peer.stop()
    wait_for(lambda: not pair.connected(), "the peer is gone")
    batch = publish(services, "offline", FILES)

    reports = [look(services, batch) for _ in range(3)]

    assert {r.outcome for r in reports} == {"waiting"} and status_of(services, batch) is BatchStatus.SYNCING
    assert "not connected, last seen" in (reread(services, batch).sync_detail or "")
    pair.peer.start()
    pair.wait_connected()
    look_until_synced(services, batch)
    assert read_tree(pair.peer.folder / "offline") == FILES


def test_zero_byte_files_pending_at_an_absent_peer_are_not_synced_at_100_percent(
    pair: Pair, services: Services
) -> None:
    (pair.ours.folder / "zero-bytes").mkdir()
    pair.ours.scan()
    wait_for((pair.peer.folder / "zero-bytes").exists, "the folder is there")
    wait_for(lambda: percent(pair) == 100, "the peer has told that it has everything")
    pair.peer.stop()
    wait_for(lambda: not pair.connected(), "the peer is gone")
    batch = publish(services, "zero-bytes", {"a.jpg": b"", "b.jpg": b""})

    reports = [look(services, batch) for _ in range(3)]

    assert percent(pair) == 100
    assert {r.outcome for r in reports} == {"waiting"} and status_of(services, batch) is BatchStatus.SYNCING
    pair.peer.start()
    pair.wait_connected()
    look_until_synced(services, batch)
    assert read_tree(pair.peer.folder / "zero-bytes") == {"a.jpg": b"", "b.jpg": b""}


def test_a_paused_folder_is_named_and_goes_on_after_it_is_resumed(pair: Pair, services: Services) -> None:
    pair.ours.change_folder(paused=True)
    batch = publish(services, "paused", FILES)

    report = look(services, batch)

    assert report.outcome == "waiting" and "is paused in Syncthing" in report.message
    pair.ours.change_folder(paused=False)
    look_until_synced(services, batch)
    assert delivery_status(services, batch.id)["trouble"] is None


def test_a_missing_folder_marker_stops_the_delivery_although_completion_says_100(
    pair: Pair, services: Services
) -> None:
    marker = pair.ours.folder / ".stfolder"
    os.rename(marker, pair.ours.home / "marker-away")
    batch = publish(services, "no-marker", FILES)

    reports = [look(services, batch) for _ in range(2)]

    assert percent(pair) == 100
    assert status_of(services, batch) is BatchStatus.PENDING and ".stfolder" in reports[-1].message
    os.rename(pair.ours.home / "marker-away", marker)
    look_until_synced(services, batch)
    assert read_tree(pair.peer.folder / "no-marker") == FILES


def test_a_peer_that_ignores_a_file_keeps_the_batch_waiting_at_100_percent(pair: Pair, services: Services) -> None:
    pair.peer.client().set_ignores(FOLDER, ["*.heic"])
    batch = publish(services, "peer-ignores", {"a.jpg": b"photo", "b.heic": b"picture"})
    look(services, batch)
    wait_for((pair.peer.folder / "peer-ignores/a.jpg").exists, "the other file arrives")
    wait_for(lambda: percent(pair) == 100, "completion is 100")

    reports = [look(services, batch) for _ in range(3)]

    assert {r.outcome for r in reports} == {"waiting"} and status_of(services, batch) is BatchStatus.SYNCING
    assert reread(services, batch).confirmed_count == 1
    pair.peer.client().set_ignores(FOLDER, [])
    pair.peer.scan()
    look_until_synced(services, batch)
    assert read_tree(pair.peer.folder / "peer-ignores") == {"a.jpg": b"photo", "b.heic": b"picture"}


def test_a_file_that_the_peer_deleted_before_it_was_confirmed_is_not_synced(pair: Pair, services: Services) -> None:
    batch = publish(services, "peer-deletes", {"a.jpg": b"one", "b.jpg": b"two"})
    pair.ours.scan("peer-deletes")
    gone = pair.peer.folder / "peer-deletes" / "b.jpg"
    wait_for(gone.exists, "both files arrive")
    gone.unlink()
    pair.peer.scan()
    wait_for(lambda: not _holds(pair, "peer-deletes/b.jpg"), "the peer's delete is known here")

    reports = [look(services, batch) for _ in range(3)]

    assert {r.outcome for r in reports} == {"waiting"} and status_of(services, batch) is BatchStatus.SYNCING
    assert reread(services, batch).confirmed_count == 1


def _holds(pair: Pair, path: str) -> bool:
    found = pair.ours.client().file(FOLDER, path)
    return found is not None and pair.peer.device_id in found.holders


def test_odd_names_that_cannot_travel_are_never_called_synced(pair: Pair, services: Services) -> None:
    nfd, raw = "a\u0308.jpg", os.fsdecode(b"\xff.jpg")
    batch = publish(services, "odd-names", {"fine.jpg": b"1", nfd: b"2", raw: b"3", ".syncthing.x.jpg": b"4"})

    look(services, batch)
    wait_for((pair.peer.folder / "odd-names/fine.jpg").exists, "the plain file arrives")
    # What the peer has on its disk, it tells of a moment later.
    wait_for(lambda: look(services, batch) and reread(services, batch).confirmed_count, "the plain file is confirmed")
    reports = [look(services, batch) for _ in range(3)]

    assert {r.outcome for r in reports} == {"waiting"} and status_of(services, batch) is BatchStatus.SYNCING
    assert reread(services, batch).confirmed_count == 1 and "1 more cannot be delivered" in reports[-1].message
    with services.db.reading() as conn:
        failed = [asset.path for asset in assets.list_in_batch(conn, batch.id, AssetStatus.FAILED)]
    # Syncthing renames it to composed letters, so it is gone under the name that we know.
    assert failed == [os.fsencode(f"odd-names/{nfd}")]


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGKILL])
def test_a_syncthing_that_dies_in_mid_delivery_is_waited_for(
    pair: Pair, services: Services, with_signal: signal.Signals
) -> None:
    pair.peer.stop()
    batch = publish(services, f"dies-{with_signal.name}", FILES)
    look(services, batch)
    pair.ours.kill(with_signal)

    while_down = [look(services, batch) for _ in range(2)]

    assert {r.outcome for r in while_down} == {"waiting"} and "does not answer" in while_down[0].message
    assert status_of(services, batch) is BatchStatus.SYNCING
    pair.ours.start()
    pair.peer.start()
    pair.wait_connected()
    look_until_synced(services, batch)
    assert read_tree(pair.peer.folder / batch.name) == FILES


def test_confirmations_stay_valid_when_the_peer_goes_away(pair: Pair, services: Services) -> None:
    pair.peer.client().set_ignores(FOLDER, ["late.jpg"])
    batch = publish(services, "partly", {"a.jpg": b"one", "late.jpg": b"two"})
    look(services, batch)
    wait_for((pair.peer.folder / "partly/a.jpg").exists, "the first file arrives")
    wait_for(lambda: look(services, batch) and reread(services, batch).confirmed_count == 1, "it is confirmed")
    pair.peer.stop()
    wait_for(lambda: not pair.connected(), "the peer is gone")

    look(services, batch)

    assert reread(services, batch).confirmed_count == 1
    pair.peer.start()
    pair.wait_connected()
    pair.peer.client().set_ignores(FOLDER, [])


def test_nothing_is_called_kept_while_syncthing_is_down(pair: Pair, services: Services) -> None:
    batch = publish(services, "kept-later", {"a.jpg": b"one"})
    look_until_synced(services, batch)
    pair.ours.stop()

    report = sync.retain_at_peer(services, reread(services, batch))

    assert report is not None and report.outcome == "waiting" and "does not answer" in report.message
    assert reread(services, batch).next_look_at is not None
    pair.ours.start()
    pair.wait_connected()
    assert sync.retain_at_peer(services, reread(services, batch)) is None
