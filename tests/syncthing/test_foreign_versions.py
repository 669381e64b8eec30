"""A folder that both sides write to: the peer's version counts only while our file still has its content."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db import assets, deliveries
from app.model import AssetStatus, Batch
from app.pipeline import sync
from app.pipeline.undelivered import settle_changed
from app.services import Services
from tests.conftest import read_tree
from tests.syncthing.pair import FOLDER, Pair, make_pair, wait_for
from tests.syncthing.staging import look_until_synced, publish, reread, services_for

pytestmark = pytest.mark.syncthing


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    made = make_pair(tmp_path_factory.mktemp("foreign"), "sendreceive", "sendreceive")
    yield made
    made.stop()


@pytest.fixture
def services(pair: Pair) -> Iterator[Services]:
    opened = services_for(pair)
    yield opened
    opened.close()


def send(pair: Pair, services: Services, name: str) -> Batch:
    """Publish two files and have them at the peer before anything is asked."""
    batch = publish(services, name, {"a.jpg": b"our photo", "b.jpg": b"another one"})
    pair.ours.scan(name)
    for file in ("a.jpg", "b.jpg"):
        wait_for((pair.peer.folder / name / file).exists, f"{file} arrives")
    return batch


def edit_keeping_size_and_time(path: Path, content: bytes) -> None:
    """What some editors of metadata do; only the permissions tell that the file is another one."""
    before = path.stat()
    path.write_bytes(content)
    path.chmod(0o600)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size


def wait_until_ours_is_theirs(pair: Pair, path: str) -> None:
    def is_theirs() -> bool:
        found = pair.ours.client().file(FOLDER, path)
        if found is None or found.version != found.global_version:
            return False
        return found.modified_by == pair.peer.device_id[:7]

    pair.peer.scan()
    wait_for(is_theirs, "the peer's version is here")


def test_an_edit_at_the_peer_that_keeps_size_and_time_is_never_called_delivered(
    pair: Pair, services: Services
) -> None:
    batch = send(pair, services, "edited")
    edit_keeping_size_and_time(pair.peer.folder / "edited/a.jpg", b"OUR PHOTO")
    wait_until_ours_is_theirs(pair, "edited/a.jpg")
    assert (pair.ours.folder / "edited/a.jpg").read_bytes() == b"OUR PHOTO"

    reports = look_until_synced(services, batch)

    assert [failure.path for failure in reports[-1].failures] == ["edited/a.jpg"]
    with services.db.reading() as conn:
        (failed,) = assets.list_in_batch(conn, batch.id, AssetStatus.FAILED)
        assert deliveries.versions(conn, batch.id, pair.peer.device_id).get(failed.id) is None
    assert reread(services, batch).file_count == 1
    assert read_tree(pair.ours.folder / "edited") == {"a.jpg": b"OUR PHOTO", "b.jpg": b"another one"}


def test_a_peer_that_only_changes_permissions_has_the_file(pair: Pair, services: Services) -> None:
    batch = send(pair, services, "permissions")
    (pair.peer.folder / "permissions/a.jpg").chmod(0o600)
    wait_until_ours_is_theirs(pair, "permissions/a.jpg")

    look_until_synced(services, batch)

    assert reread(services, batch).confirmed_count == 2
    with services.db.reading() as conn:
        versions = deliveries.versions(conn, batch.id, pair.peer.device_id).values()
    assert any(pair.peer.device_id[:7] in str(version) for version in versions)
    assert read_tree(pair.peer.folder / "permissions") == {"a.jpg": b"our photo", "b.jpg": b"another one"}


def test_an_original_that_was_put_back_is_read_by_syncthing_before_it_is_believed(
    pair: Pair, services: Services
) -> None:
    pair.peer.client().set_ignores(FOLDER, ["z.jpg"])
    original, edited = b"our photo" * 50, b"OUR PHOTO" * 50
    batch = publish(services, "put-back", {"a.jpg": original, "z.jpg": b"zzz" * 50})
    ours, theirs = (node.folder / "put-back/a.jpg" for node in (pair.ours, pair.peer))

    def is_confirmed() -> bool:
        sync.look(services, reread(services, batch))
        return reread(services, batch).confirmed_count == 1

    wait_for(is_confirmed, "a.jpg is confirmed")
    theirs.write_bytes(edited)
    wait_until_ours_is_theirs(pair, "put-back/a.jpg")
    assert ours.read_bytes() == edited

    # As a look does that is killed before it has the batch read again.
    settle_changed(services, reread(services, batch), None)

    assert ours.read_bytes() == original
    pair.peer.client().set_ignores(FOLDER, [])
    pair.peer.scan()
    look_until_synced(services, batch)
    assert theirs.read_bytes() == original
