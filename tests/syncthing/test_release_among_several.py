"""release with three Syncthings: only the one peer of a batch releases it, and what others do is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from app import jobs
from app.config.schema import Config
from app.db import policy_change, releases
from app.model import Batch, BatchStatus, RunStatus, Trigger
from app.pipeline import sync
from app.services import Services
from tests.conftest import read_tree
from tests.pipeline.running import go
from tests.syncthing.pair import FOLDER, Node, Trio, make_trio, wait_for
from tests.syncthing.staging import publish, reread, services_for, status_of

pytestmark = pytest.mark.syncthing

FILES = {f"{n}.jpg": bytes([n]) * 500 for n in range(1, 4)}


@pytest.fixture(scope="module")
def trio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trio]:
    made = make_trio(tmp_path_factory.mktemp("release-trio"), "sendonly", "sendreceive")
    yield made
    made.stop()


def delivering(trio: Trio, policy: str, *others: Node) -> Services:
    return services_for(
        trio,
        sync={"target": "syncthing", "peer_policy": policy},
        syncthing={"device_id": trio.peer.device_id, "device_ids": [other.device_id for other in others]},
    )


def delivering_config(trio: Trio, policy: str) -> Config:
    opened = delivering(trio, policy, trio.other)
    opened.close()
    return opened.config


def keeping(trio: Trio) -> Config:
    opened = delivering(trio, "keep")
    opened.close()
    return opened.config


def connect_peers(trio: Trio) -> None:
    """The two peers share the folder with each other as well."""
    for node, other in ((trio.peer, trio.other), (trio.other, trio.peer)):
        node.add_device(other)
        folder = node.rest("GET", f"config/folders/{FOLDER}")
        folder["devices"].append({"deviceID": other.device_id})
        node.rest("PUT", f"config/folders/{FOLDER}", json=folder)


def delete_all(node: Node, batch: Batch) -> None:
    for name in FILES:
        (node.folder / batch.name / name).unlink()
    node.scan()


def is_deleted(trio: Trio, batch: Batch) -> bool:
    views = [trio.ours.client().file(FOLDER, f"{batch.name}/{name}") for name in FILES]
    return all(view is not None and view.global_deleted for view in views)


def is_delivered(services: Services, batch: Batch) -> bool:
    sync.look(services, reread(services, batch))
    return status_of(services, batch) is BatchStatus.SYNCED


def released(services: Services, batch: Batch) -> int:
    with services.db.reading() as conn:
        return releases.count(conn, batch.id).file_count


def test_several_required_devices_under_release_are_waited_with_until_it_is_changed(trio: Trio) -> None:
    services = delivering(trio, "release", trio.other)
    try:
        batch = publish(services, "announced", FILES)

        report = sync.look(services, batch)

        assert report.outcome == "waiting" and "phone and laptop must all have this batch" in report.message
        assert "keep or mirror" in (reread(services, batch).sync_detail or "")
        changed = replace(services, config=delivering_config(trio, "keep"))
        with services.db.transaction() as conn:
            policy_change.follow(conn, changed.config)
        wait_for(lambda: is_delivered(changed, batch), "the batch is delivered")
    finally:
        services.close()


def test_what_one_device_deletes_is_no_release_of_a_batch_that_two_must_have(trio: Trio) -> None:
    services = delivering(trio, "keep", trio.other)
    try:
        batch = publish(services, "both", FILES)
        wait_for(lambda: is_delivered(services, batch), "the batch is delivered")
        with services.db.transaction() as conn:
            policy_change.follow(conn, delivering_config(trio, "release"))
        delete_all(trio.other, batch)
        wait_for(lambda: is_deleted(trio, batch), "we know of the deletions")

        report = sync.look(services, reread(services, batch))

        after = reread(services, batch)
        assert after.status is BatchStatus.SYNCED and after.released_at is None
        assert "0 of 3 files released" in report.message and "must all have" in report.message
        assert "phone" in report.message and "laptop" in report.message
        assert released(services, batch) == 0
        assert read_tree(trio.peer.folder / batch.name) == FILES
    finally:
        services.close()


def test_a_release_that_another_device_of_the_mesh_forestalls_is_told_with_its_name_and_the_way_on(trio: Trio) -> None:
    services = delivering(trio, "release")
    connect_peers(trio)
    try:
        batch = publish(services, "mesh", FILES)
        wait_for(lambda: is_delivered(services, batch), "the batch is delivered")
        wait_for(lambda: FILES.items() <= read_tree(trio.other.folder / batch.name).items(), "the laptop has all")
        delete_all(trio.other, batch)
        wait_for(lambda: not list((trio.peer.folder / batch.name).glob("*.jpg")), "the phone follows")
        wait_for(lambda: is_deleted(trio, batch), "we know of the deletions")

        report = sync.look(services, reread(services, batch))

        assert "0 of 3 files released by phone" in report.message and "deleted by laptop" in report.message
        assert "sync.peer_policy to keep or mirror" in (reread(services, batch).sync_detail or "")
        with services.db.transaction() as conn:
            policy_change.follow(conn, keeping(trio))
        assert go(services, jobs.start_sort(services, batch.id, Trigger.API)).status is RunStatus.DONE
        assert set(FILES.values()) <= set(read_tree(services.config.paths.sorted_dir).values())
    finally:
        services.close()
