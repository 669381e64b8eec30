"""Three real Syncthings: a batch is delivered when every file is proven at both peers, whatever stands in the way."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from app.db import batch_devices, config_revisions, deliveries, journal
from app.model import Batch, BatchStatus
from app.overview.delivery import delivery_status
from app.services import Services
from app.syncthing import needs
from app.syncthing.answers import FileView
from app.syncthing.client import SyncthingClient
from tests.conftest import read_tree
from tests.syncthing.pair import FOLDER, Node, Trio, make_trio, wait_for
from tests.syncthing.staging import look, look_until_synced, publish, reread, services_for, status_of

pytestmark = pytest.mark.syncthing

FILES = {f"{n:02d}.jpg": bytes([n]) * (n * 100) for n in range(12)}


@pytest.fixture(scope="module")
def made_trio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trio]:
    trio = make_trio(tmp_path_factory.mktemp("trio"))
    yield trio
    trio.stop()


@pytest.fixture
def trio(made_trio: Trio) -> Trio:
    for peer in (made_trio.peer, made_trio.other):
        if peer.process is not None:
            peer.client().set_ignores(FOLDER, [])
    made_trio.bring_up()
    return made_trio


@pytest.fixture
def opened(trio: Trio) -> Iterator[Callable[..., Services]]:
    """`opened("phone", "laptop")`: services that deliver to these peers."""
    kept: list[Services] = []

    def opener(*names: str) -> Services:
        ids = [ids_of(trio)[name] for name in names]
        kept.append(services_for(trio, syncthing={"device_id": ids[0] if ids else "", "device_ids": ids[1:]}))
        return kept[-1]

    yield opener
    for services in kept:
        services.close()


def ids_of(trio: Trio) -> dict[str, str]:
    return {node.name: node.device_id for node in (trio.peer, trio.other)}


def confirmed_at(services: Services, batch: Batch, peer: Node) -> int:
    with services.db.reading() as conn:
        return deliveries.size_of_confirmed(conn, batch.id, peer.device_id).file_count


def versions_at(services: Services, batch: Batch, peer: Node) -> dict[int, str | None]:
    with services.db.reading() as conn:
        return deliveries.versions(conn, batch.id, peer.device_id)


def shown(services: Services, batch: Batch) -> dict[str, dict[str, Any]]:
    """What GET /api/sync/status tells of each device, by its name."""
    return {device["name"]: device for device in delivery_status(services, batch.id)["devices"]}


def told(services: Services, batch: Batch, kind: str) -> list[str]:
    with services.db.reading() as conn:
        return [event.message for event in journal.list_events(conn, batch_id=batch.id, kind_prefix=kind, limit=100)]


def look_until(services: Services, batch: Batch, condition: Callable[[], bool], what: str) -> None:
    wait_for(lambda: bool(look(services, batch)) and condition(), what)


def take_away(trio: Trio, peer: Node) -> None:
    peer.stop()
    wait_for(lambda: not trio.is_connected(peer), f"{peer.name} is gone")


def test_both_peers_must_have_every_file_before_a_batch_is_synced(trio: Trio, opened: Any) -> None:
    services = opened("phone", "laptop")
    batch = publish(services, "both", FILES)

    reports = look_until_synced(services, batch)

    for peer in (trio.peer, trio.other):
        assert read_tree(peer.folder / "both") == FILES
        found = versions_at(services, batch, peer)
        assert len(found) == len(FILES)
        assert {str(version)[:7] for version in found.values()} == {trio.ours.device_id[:7]}
    assert "phone and laptop" in reports[-1].message
    devices = shown(services, batch)
    assert {name: device["sentence"] for name, device in devices.items()} == {
        "phone": "12 of 12 confirmed on phone", "laptop": "12 of 12 confirmed on laptop"
    }  # fmt: skip
    assert {device["code"] for device in devices.values()} == {"confirmed"}
    after = reread(services, batch)
    assert (after.confirmed_count, after.confirmed_bytes) == (batch.file_count, batch.size_bytes)


def test_one_answer_serves_both_peers(trio: Trio, opened: Any, requests_of_files: list[str]) -> None:
    services = opened("phone", "laptop")
    batch = publish(services, "thrifty", {f"{n:03d}.jpg": os.urandom(50) for n in range(200)})
    look(services, batch)
    for peer in (trio.peer, trio.other):
        wait_for(lambda p=peer: len(list(p.folder.glob("thrifty/[0-9]*"))) == 200, f"all arrives at {peer.name}")

    look_until_synced(services, batch)

    assert 200 <= len(requests_of_files) <= 240


@pytest.fixture
def requests_of_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The path of every file that our client asks the real Syncthing for."""
    asked: list[str] = []
    ask = SyncthingClient.files

    def note(client: SyncthingClient, folder_id: str, paths: Iterable[str]) -> Iterator[FileView | None]:
        return ask(client, folder_id, (asked.append(path) or path for path in paths))  # type: ignore[func-returns-value]

    monkeypatch.setattr(SyncthingClient, "files", note)
    return asked


def test_what_the_peers_lack_may_take_more_pages_than_one_look_reads(
    trio: Trio, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(needs, "PER_PAGE", 2)
    monkeypatch.setattr(needs, "MAX_PAGES", 2)
    services = opened("phone", "laptop")
    take_away(trio, trio.other)
    batch = publish(services, "paged", FILES)
    look(services, batch)
    trio.other.start()

    look_until_synced(services, batch)

    assert read_tree(trio.other.folder / "paged") == FILES


def test_what_one_peer_has_is_stored_while_the_other_is_away(trio: Trio, opened: Any) -> None:
    services = opened("phone", "laptop")
    take_away(trio, trio.other)
    batch = publish(services, "one-away", FILES)

    look_until(services, batch, lambda: confirmed_at(services, batch, trio.peer) == len(FILES), "phone is confirmed")

    assert status_of(services, batch) is BatchStatus.SYNCING and reread(services, batch).confirmed_count == 0
    devices = shown(services, batch)
    assert (devices["phone"]["code"], devices["phone"]["progress"]) == ("confirmed", 100.0)
    away = devices["laptop"]
    assert (away["code"], away["connected"], away["confirmed_count"]) == ("peer_offline", False, 0)
    assert away["words"].startswith("Waiting for laptop: it is not connected, last seen 20")
    assert away["last_seen_at"].startswith("20") and away["missing_count"] == len(FILES)
    assert {entry["code"] for entry in away["missing"]} == {"peer_offline"}
    assert "Waiting for laptop" in (reread(services, batch).sync_detail or "")

    proven = versions_at(services, batch, trio.peer)
    take_away(trio, trio.peer)
    trio.other.start()
    look_until_synced(services, batch)

    assert versions_at(services, batch, trio.peer) == proven
    for peer in (trio.peer, trio.other):
        assert read_tree(peer.folder / "one-away") == FILES


def test_a_peer_that_ignores_a_file_is_named_with_the_file_and_holds_the_batch_up(trio: Trio, opened: Any) -> None:
    services = opened("phone", "laptop")
    trio.other.client().set_ignores(FOLDER, ["*.heic"])
    batch = publish(services, "one-ignores", {"a.jpg": b"photo", "b.heic": b"picture"})

    look_until(services, batch, lambda: confirmed_at(services, batch, trio.peer) == 2, "phone has everything")
    look_until(services, batch, lambda: shown(services, batch)["laptop"]["code"] == "not_taken", "it is seen")

    assert status_of(services, batch) is BatchStatus.SYNCING
    devices = shown(services, batch)
    assert (devices["phone"]["code"], devices["laptop"]["confirmed_count"]) == ("confirmed", 1)
    missing = [(entry["path"], entry["code"]) for entry in devices["laptop"]["missing"]]
    assert missing == [("one-ignores/b.heic", "not_taken")]
    words = "laptop needs nothing more, but does not hold one-ignores/b.heic"
    look_until(services, batch, lambda: words in (reread(services, batch).sync_detail or ""), "it is said")
    assert len(told(services, batch, "batch.sync_delayed")) == 1
    trio.other.client().set_ignores(FOLDER, [])
    trio.other.scan()
    look_until_synced(services, batch)
    assert read_tree(trio.other.folder / "one-ignores") == {"a.jpg": b"photo", "b.heic": b"picture"}


def test_a_device_added_to_the_settings_in_mid_delivery_must_have_the_batch_too(trio: Trio, opened: Any) -> None:
    services = opened("phone")
    trio.peer.client().set_ignores(FOLDER, ["late.jpg"])
    batch = publish(services, "added", {**FILES, "late.jpg": b"late"})
    look_until(services, batch, lambda: confirmed_at(services, batch, trio.peer) == len(FILES), "most is confirmed")
    take_away(trio, trio.other)

    both = opened("phone", "laptop")
    trio.peer.client().set_ignores(FOLDER, [])
    trio.peer.scan()
    look_until(both, batch, lambda: confirmed_at(both, batch, trio.peer) == len(FILES) + 1, "phone has everything")

    assert status_of(both, batch) is BatchStatus.SYNCING
    assert "also has to arrive at laptop" in told(both, batch, "batch.devices_changed")[0]
    trio.other.start()
    look_until_synced(both, batch)
    assert read_tree(trio.other.folder / "added") == {**FILES, "late.jpg": b"late"}


def test_a_device_is_required_no_more_only_when_the_settings_name_others(trio: Trio, opened: Any) -> None:
    services = opened("phone", "laptop")
    take_away(trio, trio.other)
    batch = publish(services, "taken-out", FILES)
    look_until(services, batch, lambda: confirmed_at(services, batch, trio.peer) == len(FILES), "phone is confirmed")

    emptied = opened()
    look(emptied, batch)
    assert status_of(emptied, batch) is BatchStatus.SYNCING and set(shown(emptied, batch)) == {"phone", "laptop"}

    one = opened("phone")
    look_until_synced(one, batch)

    assert set(shown(one, batch)) == {"phone"}
    words = told(one, batch, "batch.devices_changed")
    assert len(words) == 1 and "no longer has to arrive at laptop" in words[0] and "0 of 12 files" in words[0]


def test_older_settings_of_another_process_take_no_device_away(trio: Trio, opened: Any) -> None:
    services = opened("phone", "laptop")
    take_away(trio, trio.other)
    batch = publish(services, "older-settings", FILES)
    look(services, batch)
    older = opened("phone")
    note_revision(older, "newer than what this process has")

    look_until(older, batch, lambda: confirmed_at(older, batch, trio.peer) == len(FILES), "phone is confirmed")
    look(older, batch)

    assert status_of(older, batch) is BatchStatus.SYNCING and set(shown(older, batch)) == {"phone", "laptop"}
    note_revision(older, older.revision)
    look_until_synced(older, batch)


def note_revision(services: Services, revision: str) -> None:
    """Write down that these settings are in force from now on."""
    with services.db.transaction() as conn:
        config_revisions.add(conn, revision, "file", [])


def test_a_device_that_the_folder_is_not_shared_with_delays_only_its_own_part(trio: Trio, opened: Any) -> None:
    stranger = "AIR6LPZ-7K4PTTV-UXQSMUU-CPQ5YWH-OEDFIIQ-JUG777G-2YQXXR5-YD6AWQR"
    with_stranger = services_for(trio, syncthing={"device_ids": [stranger]})
    batch = publish(with_stranger, "stranger", FILES)

    look_until(
        with_stranger, batch, lambda: confirmed_at(with_stranger, batch, trio.peer) == len(FILES), "phone is confirmed"
    )

    device = shown(with_stranger, batch)["AIR6LPZ"]
    assert status_of(with_stranger, batch) is BatchStatus.SYNCING
    assert (device["code"], device["missing"][0]["code"]) == ("device_not_shared", "device_not_shared")
    with_stranger.close()


def test_a_restart_of_ours_in_mid_delivery_keeps_what_is_proven_and_what_is_required(trio: Trio, opened: Any) -> None:
    services = opened("phone", "laptop")
    take_away(trio, trio.other)
    batch = publish(services, "restarted", FILES)
    look_until(services, batch, lambda: confirmed_at(services, batch, trio.peer) == len(FILES), "phone is confirmed")
    proven = versions_at(services, batch, trio.peer)
    services.close()

    again = opened("phone", "laptop")
    report = look(again, batch)

    assert report.outcome == "waiting" and status_of(again, batch) is BatchStatus.SYNCING
    with again.db.reading() as conn:
        assert {device.name for device in batch_devices.list_of(conn, batch.id)} == {"phone", "laptop"}
    assert versions_at(again, batch, trio.peer) == proven
    trio.other.start()
    look_until_synced(again, batch)
    assert read_tree(trio.other.folder / "restarted") == FILES


def test_our_syncthing_restarted_in_mid_delivery_ends_at_both_peers(trio: Trio, opened: Any) -> None:
    services = opened("phone", "laptop")
    take_away(trio, trio.other)
    batch = publish(services, "syncthing-restarts", FILES)
    look(services, batch)
    trio.ours.stop()

    assert look(services, batch).outcome == "waiting"
    trio.bring_up()
    look_until_synced(services, batch)
    for peer in (trio.peer, trio.other):
        assert read_tree(peer.folder / "syncthing-restarts") == FILES


def test_what_is_proven_of_an_older_version_does_not_count_for_a_newer_one(trio: Trio, opened: Any) -> None:
    services = opened("phone", "laptop")
    take_away(trio, trio.other)
    batch = publish(services, "newer", {"a.jpg": b"one", "b.jpg": b"two", "c.jpg": b"three"})
    look_until(services, batch, lambda: confirmed_at(services, batch, trio.peer) == 3, "phone is confirmed")
    before = versions_at(services, batch, trio.peer)
    touched, restricted = trio.ours.folder / "newer/a.jpg", trio.ours.folder / "newer/b.jpg"
    os.utime(touched, (1_600_000_000, 1_600_000_000))
    restricted.chmod(0o600)
    take_away(trio, trio.peer)

    look(services, batch)
    # Both files tell of a change until Syncthing has looked at them.
    assert confirmed_at(services, batch, trio.peer) == 1
    trio.bring_up()
    look_until_synced(services, batch)

    phone, laptop = versions_at(services, batch, trio.peer), versions_at(services, batch, trio.other)
    assert phone == laptop
    assert sorted(before[asset_id] == phone[asset_id] for asset_id in before) == [False, False, True]
