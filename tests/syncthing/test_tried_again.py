"""Files that failed in a delivery and are tried again: nothing of before counts, and nothing is done without them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app import jobs
from app.db import assets, deliveries, kept_copies
from app.errors import Conflict
from app.model import Asset, AssetStatus, Batch, BatchStatus, RootKind
from app.pipeline import sync
from app.pipeline.delivered import finish
from app.pipeline.holding import protect
from app.pipeline.undelivered import settle_changed
from app.services import Services
from tests.syncthing.pair import FOLDER, Pair, wait_for
from tests.syncthing.staging import look_until_synced, publish, reread, services_for, status_of

pytestmark = pytest.mark.syncthing


@pytest.fixture
def services(module_pair: Pair) -> Iterator[Services]:
    opened = services_for(module_pair)
    yield opened
    opened.close()
    module_pair.peer.client().set_ignores(FOLDER, [])


def file_at(services: Services, path: str) -> Asset:
    with services.db.reading() as conn:
        found = assets.find_at(conn, services.root(RootKind.BATCH).id, path.encode())
    assert found is not None
    return found


def look_until(services: Services, batch: Batch, condition: Callable[[], bool], what: str) -> None:
    def seen() -> bool:
        sync.look(services, reread(services, batch))
        return condition()

    wait_for(seen, what)


def confirmed(services: Services, pair: Pair, batch: Batch) -> set[int]:
    with services.db.reading() as conn:
        return deliveries.confirmed_ids(conn, batch.id, pair.peer.device_id)


def test_a_file_that_is_tried_again_while_a_look_ends_is_not_delivered_unproven(
    module_pair: Pair, services: Services
) -> None:
    module_pair.peer.client().set_ignores(FOLDER, ["b.jpg"])
    batch = publish(services, "ends", {"a.jpg": b"one" * 100, "b.jpg": b"two" * 100})
    proven = {file_at(services, "ends/a.jpg").id}
    look_until(services, batch, lambda: confirmed(services, module_pair, batch) == proven, "a.jpg is confirmed")

    report = finish(services, reread(services, batch), None, "Every file is confirmed.")

    assert (report.outcome, "1 file is not confirmed yet" in report.message) == ("waiting", True)
    assert status_of(services, batch) is BatchStatus.SYNCING
    assert file_at(services, "ends/b.jpg").status is AssetStatus.BATCHED
    module_pair.peer.client().set_ignores(FOLDER, [])
    module_pair.peer.scan()
    look_until_synced(services, batch)
    assert (module_pair.peer.folder / "ends/b.jpg").read_bytes() == b"two" * 100


def test_a_look_that_began_before_the_last_file_was_tried_again_goes_on_with_it(
    module_pair: Pair, services: Services, tmp_path: Path
) -> None:
    module_pair.peer.client().set_ignores(FOLDER, ["b.jpg"])
    batch = publish(services, "stale", {"b.jpg": b"two" * 100})
    look_until(services, batch, lambda: status_of(services, batch) is BatchStatus.SYNCING, "it is announced")
    ours = module_pair.ours.folder / "stale/b.jpg"
    os.rename(ours, tmp_path / "b.jpg")
    settle_changed(services, reread(services, batch), None)
    stale = reread(services, batch)
    assert (stale.file_count, file_at(services, "stale/b.jpg").status) == (0, AssetStatus.FAILED)
    os.rename(tmp_path / "b.jpg", ours)
    jobs.retry_asset(services, file_at(services, "stale/b.jpg").id)

    sync.look(services, stale)

    assert status_of(services, batch) is BatchStatus.SYNCING
    assert file_at(services, "stale/b.jpg").status is AssetStatus.BATCHED
    module_pair.peer.client().set_ignores(FOLDER, [])
    module_pair.peer.scan()
    look_until_synced(services, batch)
    assert (module_pair.peer.folder / "stale/b.jpg").read_bytes() == b"two" * 100


def damage_until_it_fails(services: Services, pair: Pair, batch: Batch, name: str) -> None:
    """The file is confirmed at the peer, then damaged here, and the peer takes the damaged one."""
    path = f"{batch.name}/{name}"
    ours, theirs = (node.folder / path for node in (pair.ours, pair.peer))
    proven = file_at(services, path).id
    look_until(services, batch, lambda: proven in confirmed(services, pair, batch), "it is confirmed")
    ours.write_bytes(b"damaged by a program here")
    look_until(services, batch, lambda: file_at(services, path).status is AssetStatus.FAILED, "it is given up")
    pair.ours.scan(batch.name)
    wait_for(lambda: theirs.read_bytes() == b"damaged by a program here", "the peer follows")


def test_a_file_that_failed_and_is_tried_again_has_to_be_proven_again(module_pair: Pair, services: Services) -> None:
    module_pair.peer.client().set_ignores(FOLDER, ["z.jpg"])
    original = b"original" * 50
    batch = publish(services, "again", {"a.jpg": original, "z.jpg": b"zzz" * 50})
    ours = module_pair.ours.folder / "again/a.jpg"
    before = ours.stat()
    damage_until_it_fails(services, module_pair, batch, "a.jpg")
    assert confirmed(services, module_pair, batch) == set()
    ours.write_bytes(original)
    os.utime(ours, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert jobs.retry_asset(services, file_at(services, "again/a.jpg").id).status is AssetStatus.BATCHED

    module_pair.peer.client().set_ignores(FOLDER, [])
    module_pair.peer.scan()
    look_until_synced(services, batch)
    assert (module_pair.peer.folder / "again/a.jpg").read_bytes() == original


def test_a_file_that_failed_after_it_was_confirmed_has_no_part_in_the_delivery(
    module_pair: Pair, services: Services
) -> None:
    module_pair.peer.client().set_ignores(FOLDER, ["z.jpg"])
    original = b"original" * 50
    batch = publish(services, "without", {"a.jpg": original, "z.jpg": b"zzz" * 50})
    damage_until_it_fails(services, module_pair, batch, "a.jpg")
    module_pair.peer.client().set_ignores(FOLDER, [])
    module_pair.peer.scan()
    look_until_synced(services, batch)
    (module_pair.ours.folder / "without/a.jpg").write_bytes(original)

    with pytest.raises(Conflict, match="was not delivered with its batch"):
        jobs.retry_asset(services, file_at(services, "without/a.jpg").id)

    assert file_at(services, "without/a.jpg").status is AssetStatus.FAILED


def test_a_file_that_was_changed_again_and_again_is_named_with_the_hold_where_its_original_lies(
    module_pair: Pair, services: Services, tmp_path: Path
) -> None:
    module_pair.peer.client().set_ignores(FOLDER, ["z.jpg"])
    original = b"original" * 50
    batch = publish(services, "held", {"a.jpg": original, "z.jpg": b"zzz" * 50})
    protect(services, batch, None)
    asset = file_at(services, "held/a.jpg")
    for turn in range(3):
        # As Syncthing brings a peer's edit: another file under the same name.
        (tmp_path / "edit").write_bytes(b"edit %d" % turn)
        os.replace(tmp_path / "edit", module_pair.ours.folder / "held/a.jpg")
        sync.look(services, reread(services, batch))
    assert file_at(services, "held/a.jpg").status is AssetStatus.FAILED
    module_pair.peer.client().set_ignores(FOLDER, [])
    module_pair.peer.scan()
    look_until_synced(services, batch)
    with services.db.reading() as conn:
        ((_, path, _),) = kept_copies.list_of(conn, asset.id)
    hold = Path(os.fsdecode(services.root(RootKind.STAGING).path)) / os.fsdecode(path)

    with pytest.raises(Conflict, match=re.escape(f"Copy its original, which is kept at {hold}, into the ingest")):
        jobs.retry_asset(services, asset.id)

    assert hold.read_bytes() == original
