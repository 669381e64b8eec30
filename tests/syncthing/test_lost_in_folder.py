"""Files that vanish or change in the folder that Syncthing sends, before the peer was proven to have them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.db import assets, deliveries, journal, kept_copies
from app.files.walk import signature_at
from app.model import Asset, AssetStatus, Batch, BatchStatus, RootKind
from app.pipeline import deliver_syncthing, sync
from app.pipeline.delivery_look import Look
from app.services import Services
from app.syncthing.client import SyncthingClient
from app.syncthing.troubles import Trouble
from tests.conftest import read_tree, write_tree
from tests.syncthing.pair import Pair, make_pair, wait_for
from tests.syncthing.staging import look, look_until_synced, publish, reread, services_for, status_of

pytestmark = pytest.mark.syncthing

FILES = {"a.jpg": b"one", "b.jpg": b"two"}


@pytest.fixture
def services(module_pair: Pair) -> Iterator[Services]:
    opened = services_for(module_pair)
    yield opened
    opened.close()


def assets_of(services: Services, batch: Batch) -> dict[str, Asset]:
    with services.db.reading() as conn:
        found = assets.list_in_batch(conn, batch.id)
        assert {a.size_bytes for a in found}
        return {os.path.basename(os.fsdecode(a.path)): a for a in found}


def events(services: Services, batch: Batch, kind: str) -> list[str]:
    with services.db.reading() as conn:
        return [e.message for e in journal.list_events(conn, batch_id=batch.id, limit=1000) if e.kind == kind]


def keep_copies(services: Services, batch: Batch) -> None:
    """What copy mode leaves behind: the files are in ingest as well."""
    root = services.root(RootKind.INGEST)
    for name, asset in assets_of(services, batch).items():
        write_tree(root.path, {f"{batch.name}-{name}": FILES[name]})
        path = os.fsencode(f"{batch.name}-{name}")
        signature = signature_at(root, path)
        assert signature is not None
        with services.db.transaction() as conn:
            kept_copies.add(conn, [(asset.id, root.id, path, signature)])


def test_a_file_that_vanished_fails_and_the_rest_is_delivered(module_pair: Pair, services: Services) -> None:
    batch = publish(services, "vanished", FILES)
    (module_pair.ours.folder / "vanished/b.jpg").unlink()

    look_until_synced(services, batch)

    assert {n: a.status for n, a in assets_of(services, batch).items()} == {
        "a.jpg": AssetStatus.DELIVERED,
        "b.jpg": AssetStatus.FAILED,
    }
    after = reread(services, batch)
    assert (after.file_count, after.confirmed_count, after.size_bytes) == (1, 1, 3)
    assert "1 more failed" in events(services, batch, "batch.synced")[0]
    assert "not in the batch folder any more" in events(services, batch, "asset.failed")[0]


def test_a_file_that_changed_fails_and_its_bytes_stay(module_pair: Pair, services: Services) -> None:
    batch = publish(services, "changed", FILES)
    (module_pair.ours.folder / "changed/b.jpg").write_bytes(b"TWO")

    look_until_synced(services, batch)

    assert assets_of(services, batch)["b.jpg"].status is AssetStatus.FAILED
    assert "changed in the batch folder after it was checked" in events(services, batch, "asset.failed")[0]
    assert (module_pair.ours.folder / "changed/b.jpg").read_bytes() == b"TWO"


def test_a_file_that_changed_fails_although_its_size_and_time_are_the_same(
    module_pair: Pair, services: Services
) -> None:
    batch = publish(services, "changed-unseen", FILES)
    ours = module_pair.ours.folder / "changed-unseen/b.jpg"
    before = ours.stat()
    ours.write_bytes(b"TWO")
    os.utime(ours, ns=(before.st_atime_ns, before.st_mtime_ns))

    look_until_synced(services, batch)

    assert assets_of(services, batch)["b.jpg"].status is AssetStatus.FAILED
    assert reread(services, batch).file_count == 1
    assert ours.read_bytes() == b"TWO"


def test_a_file_of_which_only_the_permissions_changed_is_delivered_and_known_as_it_is_now(
    module_pair: Pair, services: Services
) -> None:
    batch = publish(services, "permissions", FILES)
    ours = module_pair.ours.folder / "permissions/b.jpg"
    ours.chmod(0o600)

    look_until_synced(services, batch)

    found = assets_of(services, batch)["b.jpg"]
    assert (found.status, found.ctime_ns) == (AssetStatus.DELIVERED, ours.stat().st_ctime_ns)


def test_a_file_that_has_another_inode_is_read_and_known_by_that(module_pair: Pair, services: Services) -> None:
    batch = publish(services, "renumbered", FILES)
    asset = assets_of(services, batch)["b.jpg"]
    with services.db.transaction() as conn:
        assets.set_columns(conn, [(asset.id, {"inode": asset.inode + 1})])

    look_until_synced(services, batch)

    found = assets_of(services, batch)["b.jpg"]
    assert (found.status, found.inode) == (AssetStatus.DELIVERED, asset.inode)


def test_a_file_of_which_only_the_times_changed_is_delivered(module_pair: Pair, services: Services) -> None:
    batch = publish(services, "touched", FILES)
    os.utime(module_pair.ours.folder / "touched/b.jpg", (1, 1))

    look_until_synced(services, batch)

    assert {a.status for a in assets_of(services, batch).values()} == {AssetStatus.DELIVERED}


def test_a_file_that_vanished_is_put_back_from_its_kept_copy(module_pair: Pair, services: Services) -> None:
    batch = publish(services, "restored", FILES)
    keep_copies(services, batch)
    (module_pair.ours.folder / "restored/b.jpg").unlink()

    look_until_synced(services, batch)

    assert read_tree(module_pair.peer.folder / "restored") == FILES
    assert {a.status for a in assets_of(services, batch).values()} == {AssetStatus.DELIVERED}
    assert read_tree(services.root(RootKind.INGEST).path)["restored-b.jpg"] == b"two"
    assert len(events(services, batch, "asset.restored")) == 1


def test_a_changed_file_with_a_kept_copy_fails_there_and_can_start_afresh(
    module_pair: Pair, services: Services
) -> None:
    batch = publish(services, "changed-kept", FILES)
    keep_copies(services, batch)
    (module_pair.ours.folder / "changed-kept/b.jpg").write_bytes(b"TWO")
    by_name = assets_of(services, batch)

    look_until_synced(services, batch)

    with services.db.reading() as conn:
        asset = assets.get(conn, by_name["b.jpg"].id)
    assert (asset.status, asset.root_id) == (AssetStatus.FAILED, services.root(RootKind.INGEST).id)
    assert asset.path == b"changed-kept-b.jpg"
    assert (module_pair.ours.folder / "changed-kept/b.jpg").read_bytes() == b"TWO"


def test_nothing_is_given_up_while_the_batch_folders_marker_is_missing(module_pair: Pair, services: Services) -> None:
    batch = publish(services, "no-root", FILES)
    marker = module_pair.ours.folder / ".media-pipeline-root"
    (module_pair.ours.folder / "no-root/b.jpg").unlink()
    marker.rename(module_pair.ours.home / "marker-away")

    reports = [look(services, batch) for _ in range(4)]

    (module_pair.ours.home / "marker-away").rename(marker)
    assert {r.outcome for r in reports} == {"waiting"} and "marker" in reports[-1].message
    assert {a.status for a in assets_of(services, batch).values()} == {AssetStatus.BATCHED}
    look_until_synced(services, batch)


def test_a_batch_of_which_nothing_is_left_is_cancelled(module_pair: Pair, services: Services) -> None:
    batch = publish(services, "nothing-left", FILES)
    for name in FILES:
        (module_pair.ours.folder / "nothing-left" / name).unlink()

    report = sync.look(services, batch)

    assert (report.outcome, status_of(services, batch)) == ("done", BatchStatus.CANCELLED)
    assert events(services, batch, "batch.synced") == []


def test_a_folder_at_another_place_delivers_nothing_although_an_older_file_there_has_the_same_name_and_size(
    tmp_path: Path,
) -> None:
    pair = make_pair(tmp_path)
    elsewhere = tmp_path / "batches"
    elsewhere.mkdir()
    services = services_for(pair, paths={"batch_dir": str(elsewhere)})
    write_tree(pair.ours.folder, {"batch_1/IMG_0001.JPG": b"OLD" * 100})
    batch = publish(services, "batch_1", {"IMG_0001.JPG": b"NEW" * 100})

    reports = [look(services, batch) for _ in range(3)]

    after = status_of(services, batch)
    services.close()
    pair.stop()
    assert {r.outcome for r in reports} == {"waiting"} and after is BatchStatus.PENDING
    assert str(elsewhere) in reports[-1].message and str(pair.ours.folder) in reports[-1].message


@pytest.fixture
def both_ways(tmp_path: Path) -> Iterator[tuple[Pair, Services]]:
    pair = make_pair(tmp_path, "sendreceive", "sendreceive")
    opened = services_for(pair)
    yield pair, opened
    opened.close()
    pair.stop()


@pytest.fixture
def peer_deletes(both_ways: tuple[Pair, Services]) -> Callable[[Batch, str], None]:
    pair, _ = both_ways

    def delete(batch: Batch, name: str) -> None:
        theirs, ours = (node.folder / batch.name / name for node in (pair.peer, pair.ours))
        wait_for(theirs.exists, "the file arrives")
        theirs.unlink()
        pair.peer.scan()
        wait_for(lambda: not ours.exists(), "the delete comes back")

    return delete


def test_what_a_peer_deletes_in_a_send_receive_folder_is_never_called_synced(
    both_ways: tuple[Pair, Services], peer_deletes: Callable[[Batch, str], None]
) -> None:
    pair, services = both_ways
    batch = publish(services, "deleted", FILES)
    pair.ours.scan()
    peer_deletes(batch, "b.jpg")
    look_until_synced(services, batch)
    assert assets_of(services, batch)["b.jpg"].status is AssetStatus.FAILED
    assert reread(services, batch).file_count == 1

    kept = publish(services, "deleted-kept", FILES)
    keep_copies(services, kept)
    pair.ours.scan()
    peer_deletes(kept, "b.jpg")
    look_until_synced(services, kept)
    assert {a.status for a in assets_of(services, kept).values()} == {AssetStatus.DELIVERED}
    assert read_tree(pair.peer.folder / "deleted-kept") == FILES


def test_new_permissions_of_a_file_during_a_look_are_no_change_of_it(
    module_pair: Pair, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = publish(services, "new-mode", FILES)
    examine = deliver_syncthing.examine
    touched: list[bool] = []

    def then_touch(this: Look, client: SyncthingClient) -> Trouble | None:
        found = examine(this, client)
        with services.db.reading() as conn:
            if not touched and deliveries.count_unproven(conn, batch.id) == 0:
                (module_pair.ours.folder / "new-mode/a.jpg").chmod(0o640)
                touched.append(True)
        return found

    monkeypatch.setattr(deliver_syncthing, "examine", then_touch)
    wait_for(lambda: sync.look(services, reread(services, batch)) and touched, "it is touched at the end of a look")
    assert status_of(services, batch) is not BatchStatus.SYNCED

    wait_for(lambda: sync.look(services, reread(services, batch)).outcome == "done", "it is proven again")
    assert not [words for words in events(services, batch, "batch.sync_delayed") if "not as put there" in words]
    assert read_tree(module_pair.peer.folder / "new-mode") == FILES
