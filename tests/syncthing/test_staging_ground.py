"""Before files are prepared for Syncthing: staging is hidden, one folder reaches them, and holds can be made."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from app.files import publish
from app.model import BatchStatus, RootKind, RunStatus
from app.pipeline import staging_ground, sync
from app.services import Services
from app.syncthing import ignores
from tests.conftest import read_tree
from tests.pipeline.running import the_batches, workflow
from tests.syncthing.carrying import ingest, pictures, run_is, tick_once
from tests.syncthing.pair import FOLDER, Pair, make_pair, wait_for
from tests.syncthing.staging import reread, services_for

pytestmark = pytest.mark.syncthing


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    made = make_pair(tmp_path, "sendreceive", "sendreceive")
    yield made
    made.stop()


def services_below(pair: Pair) -> Services:
    """The batch folder lies in the user's shared folder, and staging beside it; nothing looks at deliveries."""
    inner = pair.ours.folder / "upload"
    inner.mkdir()
    return services_for(
        pair, paths={"batch_dir": str(inner)}, sync={"peer_policy": "keep"}, syncthing={"rescan_delay_sec": 600}
    )


def test_staging_in_a_shared_folder_is_hidden_before_anything_enters_it(pair: Pair) -> None:
    services = services_below(pair)
    assert services.root(RootKind.STAGING).path == os.fsencode(pair.ours.folder / ".mp-staging")
    files = pictures("hidden", 2)
    ingest(services, files)

    workflow(services)

    (batch,) = the_batches(services)
    held = [name for name in read_tree(pair.ours.folder / ".mp-staging", own_names=True) if ".mp-holds" in name]
    assert batch.published_at is not None and len(held) == 2
    pair.ours.scan()
    wait_for(lambda: len(list(pair.peer.folder.rglob("*.jpg"))) >= 2, "the peer has the batch")
    assert all(pair.ours.client().file(FOLDER, f".mp-staging/{name}") is None for name in held)
    assert {path.parent.name for path in pair.peer.folder.rglob("*.jpg")} == {batch.name}
    services.close()


def test_nothing_is_prepared_while_a_line_of_the_user_has_staging_announced(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging_ground, "ASK_SECONDS", 0)
    services = services_below(pair)
    files = pictures("announced", 1)
    ingest(services, files)
    pair.ours.client().set_ignores(FOLDER, ["!/.mp-staging", *ignores.own_lines(b"upload/")])

    run = workflow(services)

    assert run.status is RunStatus.WAITING and not the_batches(services)
    assert read_tree(services.config.paths.source_dir) == files
    tick_once(services)
    assert run_is(services, run.id, RunStatus.WAITING) and not the_batches(services), "a tick alone changes nothing"
    pair.ours.client().set_ignores(FOLDER, [])
    tick_once(services)
    assert the_batches(services)[0].published_at is not None
    services.close()


def share_inner(pair: Pair, inner: Path) -> None:
    """A second folder in Syncthing, in the first one."""
    folder = {"id": "inner", "path": str(inner), "type": "sendreceive", "devices": [{"deviceID": pair.ours.device_id}]}
    pair.ours.rest("POST", "config/folders", json={**folder, "fsWatcherEnabled": False, "rescanIntervalS": 3600})


def test_nothing_is_prepared_or_delivered_while_two_folders_of_syncthing_reach_the_batch_folder(pair: Pair) -> None:
    services = services_below(pair)
    files = pictures("twice", 1)
    ingest(services, files)
    share_inner(pair, pair.ours.folder / "upload")

    run = workflow(services)

    assert run.status is RunStatus.WAITING and not the_batches(services)
    assert read_tree(services.config.paths.source_dir) == files
    services.close()
    pair.ours.rest("DELETE", "config/folders/inner")
    due = services_for(pair, paths={"batch_dir": str(pair.ours.folder / "upload")}, sync={"peer_policy": "keep"})
    # a quick peer would have everything at the first look
    pair.peer.change_folder(paused=True)
    workflow(due)
    (batch,) = the_batches(due)
    assert batch.published_at is not None
    share_inner(pair, pair.ours.folder / "upload" / batch.name)
    for words in (sync.look(due, reread(due, batch)), sync.retain_at_peer(due, reread(due, batch))):
        assert words is not None and words.outcome == "waiting"
        assert "Two folders of Syncthing" in words.message and "inner" in words.message
    due.close()


def no_hard_links(*_: Any) -> None:
    """What some network shares answer."""
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


@pytest.mark.parametrize("policy", ["keep", "mirror"])
def test_without_hard_links_nothing_is_published_into_a_send_and_receive_folder(pair: Pair, policy: str) -> None:
    services = services_for(pair, sync={"peer_policy": policy})
    ingest(services, pictures("linkless", 2))

    with mock.patch.object(publish, "add_name", no_hard_links):
        run = workflow(services)

    (batch,) = the_batches(services)
    assert run.status is RunStatus.FAILED and batch.status is BatchStatus.ERROR and batch.published_at is None
    assert "make it Send Only in Syncthing, or set batch.transfer_mode to copy" in (batch.error or "")
    assert not list(pair.ours.folder.rglob("*.jpg"))
    services.close()


def test_without_hard_links_a_delivery_waits_when_its_folder_becomes_send_and_receive(pair: Pair) -> None:
    pair.ours.change_folder(type="sendonly")
    services = services_for(pair, sync={"peer_policy": "keep"})
    ingest(services, pictures("turned", 1))
    pair.peer.stop()
    with mock.patch.object(publish, "add_name", no_hard_links):
        workflow(services)
        (batch,) = the_batches(services)
        assert batch.published_at is not None and "1 file has no hold" in (batch.hold or "")

        pair.ours.change_folder(type="sendreceive")
        report = sync.look(services, reread(services, batch))

    assert report.outcome == "waiting" and "make it Send Only in Syncthing" in report.message
    services.close()
