"""Folders that take changes from the peer: what it deletes or edits here is never called delivered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.model import AssetStatus
from app.services import Services
from tests.syncthing.pair import Pair, make_pair, wait_for
from tests.syncthing.raw import completion, status_of_asset
from tests.syncthing.staging import look_until_synced, publish, reread, services_for

pytestmark = pytest.mark.syncthing


@pytest.fixture(scope="module")
def both_ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pair, Services]]:
    pair = make_pair(tmp_path_factory.mktemp("both"), "sendreceive", "sendreceive")
    opened = services_for(pair)
    yield pair, opened
    opened.close()
    pair.stop()


def test_a_file_that_a_peer_deleted_here_too_is_not_called_delivered_at_100_percent(
    both_ways: tuple[Pair, Services],
) -> None:
    pair, services = both_ways
    batch = publish(services, "d12", {"a.jpg": b"one", "b.jpg": b"two"})
    spoil_at_peer(pair, "d12/b.jpg", lambda path: path.unlink())
    wait_for(lambda: not (pair.ours.folder / "d12/b.jpg").exists(), "the delete comes back")
    wait_for(lambda: completion(pair)["completion"] == 100, "completion is 100")

    look_until_synced(services, batch)

    assert status_of_asset(services, batch, "d12/b.jpg") is AssetStatus.FAILED
    assert (reread(services, batch).file_count, reread(services, batch).confirmed_count) == (1, 1)


def test_a_file_that_a_peer_edited_here_too_is_not_called_delivered_at_100_percent(
    both_ways: tuple[Pair, Services],
) -> None:
    pair, services = both_ways
    batch = publish(services, "d14", {"a.jpg": b"one", "b.jpg": b"two"})
    spoil_at_peer(pair, "d14/b.jpg", lambda path: path.write_bytes(b"TWO and more"))
    ours = pair.ours.folder / "d14/b.jpg"
    wait_for(lambda: ours.read_bytes() == b"TWO and more", "the edit comes back")
    wait_for(lambda: completion(pair)["completion"] == 100, "completion is 100")

    look_until_synced(services, batch)

    assert status_of_asset(services, batch, "d14/b.jpg") is AssetStatus.FAILED
    assert (reread(services, batch).file_count, ours.read_bytes()) == (1, b"TWO and more")


def spoil_at_peer(pair: Pair, path: str, change: Callable[[Path], object]) -> None:
    """A change at the peer of a file that it got, before we look for the first time."""
    pair.ours.scan()
    wait_for((pair.peer.folder / path).exists, "the file arrives")
    change(pair.peer.folder / path)
    pair.peer.scan()
