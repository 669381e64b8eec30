"""What breaks at either side while a batch is half delivered: said, never taken for the end, and gone on from."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator

import pytest
import requests

from app.model import Batch
from app.services import Services
from tests.conftest import read_tree
from tests.syncthing.pair import FOLDER, KEY, Pair, wait_for
from tests.syncthing.raw import completion, never_synced, pause_device, said_of_completion
from tests.syncthing.staging import look, look_until_synced, publish, reread, services_for

pytestmark = pytest.mark.syncthing


@pytest.fixture
def services(module_pair: Pair) -> Iterator[Services]:
    module_pair.bring_up()
    opened = services_for(module_pair)
    yield opened
    opened.close()


KEYS = (KEY, "another-key-for-tests")


def half_delivered(pair: Pair, services: Services, name: str) -> Batch:
    """A batch with one file confirmed and one that the peer holds back for now; completion says 100."""
    pair.peer.client().set_ignores(FOLDER, ["late.jpg"])
    batch = publish(services, name, {"a.jpg": b"one", "late.jpg": b"two"})
    wait_for(lambda: look(services, batch) and reread(services, batch).confirmed_count == 1, "one is confirmed")
    wait_for(lambda: completion(pair)["completion"] == 100, "completion is 100")
    return batch


def let_go(pair: Pair) -> None:
    """The peer takes what it held back."""
    pair.peer.client().set_ignores(FOLDER, [])
    pair.peer.scan()


def change_key(pair: Pair, old: str, new: str) -> None:
    headers = {"X-API-Key": old}
    requests.patch(f"{pair.ours.url}/rest/config/gui", json={"apiKey": new}, headers=headers, timeout=60)
    ping = f"{pair.ours.url}/rest/system/ping"

    def answers() -> bool:
        try:
            return requests.get(ping, headers={"X-API-Key": new}, timeout=60).status_code == 200
        except requests.ConnectionError:
            return False

    wait_for(answers, "the new key is in force")


def change_folder_id(pair: Pair, away: bool) -> None:
    """Take the folder out of our Syncthing, or put it back."""
    if away:
        pair.ours.rest("DELETE", f"config/folders/{FOLDER}")
    else:
        pair.ours.add_folder("sendonly", pair.peer)


def hide_marker(pair: Pair, away: bool) -> None:
    there, here = pair.ours.home / "marker-away", pair.ours.folder / ".stfolder"
    os.rename(*((here, there) if away else (there, here)))
    if away:
        # until it looks again, Syncthing itself does not know
        requests.post(f"{pair.ours.url}/rest/db/scan?folder={FOLDER}", headers={"X-API-Key": KEY}, timeout=60)


@pytest.mark.parametrize(
    ("name", "spoil", "said", "words"),
    [
        (
            "key",
            lambda pair, on: change_key(pair, *KEYS[:: 1 if on else -1]),
            (403, "CSRF Error"),
            "accept the API key",
        ),
        ("folder", lambda pair, on: pair.ours.change_folder(paused=on), (404, "folder is paused"), "paused in Syncth"),
        ("device", pause_device, (200, "100"), "paused in Syncthing"),
        ("there", lambda pair, on: pair.peer.change_folder(paused=on), (200, "100"), "1 of 2 files|has paused the f"),
        ("marker", hide_marker, (200, "100"), ".stfolder"),
        ("id", change_folder_id, (404, "no such folder"), "has no folder 'photos'"),
    ],
)
def test_what_breaks_in_mid_delivery_is_said_and_the_delivery_goes_on_afterwards(
    module_pair: Pair,
    services: Services,
    name: str,
    spoil: Callable[[Pair, bool], None],
    said: tuple[int, str],
    words: str,
) -> None:
    batch = half_delivered(module_pair, services, f"half-{name}")

    spoil(module_pair, True)
    try:
        detail = never_synced(services, batch)
        assert said_of_completion(module_pair) == said
    finally:
        spoil(module_pair, False)

    assert re.search(words, detail), detail
    assert reread(services, batch).confirmed_count == 1
    let_go(module_pair)
    look_until_synced(services, batch)
    assert read_tree(module_pair.peer.folder / batch.name) == {"a.jpg": b"one", "late.jpg": b"two"}


def test_a_full_disk_at_the_peer_is_waited_out_and_the_delivery_goes_on_when_there_is_room(
    module_pair: Pair, services: Services
) -> None:
    disk = module_pair.peer.folder / "full"
    disk.mkdir()
    module_pair.peer.change_folder(pullerPauseS=10)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=True)
    try:
        films = {"a.mp4": os.urandom(3_000_000), "b.jpg": b"small"}
        batch = publish(services, "full", films)
        look(services, batch)
        wait_for(lambda: module_pair.peer.client().folder_errors(FOLDER), "the peer's disk is full")

        detail = never_synced(services, batch)

        assert "of 2 files confirmed" in detail and completion(module_pair)["needItems"] >= 1
        subprocess.run(["mount", "-o", "remount,size=16m", str(disk)], check=True)
        # Syncthing tries again by itself after a pause that grows; a changed setting ends the pause.
        module_pair.peer.change_folder(pullerPauseS=0)
        look_until_synced(services, batch)
        assert read_tree(disk) == films
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
