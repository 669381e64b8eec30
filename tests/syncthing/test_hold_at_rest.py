"""A batch that is delivered and not archived yet: no look reaches it, and its only copy is protected all the same."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from app import jobs
from app.files import publish as publishing
from app.model import HELD, Batch, BatchStatus, RootKind, RunStatus, Trigger
from app.pipeline import protecting, sync, tick
from app.services import Services
from tests.pipeline.running import go
from tests.syncthing.carrying import (
    archived,
    delete_at_peer,
    drive,
    events_of,
    ingest,
    is_now,
    newest,
    peer_photos,
    pictures,
    start,
    tick_once,
)
from tests.syncthing.pair import Pair, wait_for
from tests.syncthing.staging import publish, reread, status_of

pytestmark = pytest.mark.syncthing
#: Ours and the peer's.
FOLDER_TYPES = ("sendonly", "sendreceive")
#: They sort only when a person asks for it.
SETTINGS = {"syncthing": {"auto_sort_after_sync": False}}

Opener = Callable[..., Services]


@pytest.fixture(autouse=True)
def _send_only(pair: Pair) -> None:
    """An earlier test may have changed the folder."""
    pair.bring_up()
    pair.ours.change_folder(type="sendonly")


def no_hard_links(*_: Any) -> None:
    """What some network shares answer."""
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def ours(pair: Pair, batch: Batch, name: str) -> Path:
    return pair.ours.folder / batch.name / name


def is_delivered(services: Services, batch: Batch) -> bool:
    sync.look(services, reread(services, batch))
    return status_of(services, batch) is BatchStatus.SYNCED


def all_deleted_by_peer(pair: Pair, batch: Batch, files: dict[str, bytes]) -> None:
    """In a folder that became Send & Receive, the peer's deletes come here."""
    pair.ours.change_folder(type="sendreceive")
    delete_at_peer(pair, list(peer_photos(pair, batch).values()))
    wait_for(lambda: not any(ours(pair, batch, name).exists() for name in files), "they are deleted here as well")


@pytest.mark.parametrize("policy", ["keep", "mirror", "release"])
def test_a_delivered_batch_from_before_there_were_holds_gets_them_at_the_next_tick(
    pair: Pair, under: Opener, policy: str
) -> None:
    services = under(policy)
    files = pictures(f"older_{policy}", 3)
    batch = publish(services, f"older_{policy}", files)
    wait_for(lambda: is_delivered(services, batch), "the batch is delivered")
    assert reread(services, batch).hold is None

    tick_once(services)

    assert reread(services, batch).hold == HELD
    all_deleted_by_peer(pair, batch, files)
    if policy == "release":
        drive(services, lambda: reread(services, batch).released_at is not None, "everything is released")
    run = go(services, jobs.start_sort(services, batch.id, Trigger.API))
    assert run.status is RunStatus.DONE and reread(services, batch).status is BatchStatus.SORTED
    assert set(files.values()) <= archived(services) and not events_of(services, "asset.failed", batch)


def delivered_without_links(services: Services, name: str) -> tuple[Batch, dict[str, bytes]]:
    """A batch whose files could get no second name when it was made, and that the peer has."""
    files = pictures(name, 2)
    ingest(services, files)
    with mock.patch.object(publishing, "add_name", no_hard_links):
        start(services)
        drive(services, is_now(services, BatchStatus.SYNCED), "the batch is delivered")
    batch = newest(services)
    assert "2 files have no hold" in (batch.hold or "")
    return batch, files


def test_a_delivered_batch_without_holds_gets_them_when_its_folder_becomes_send_and_receive(
    pair: Pair, under: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = under("mirror")
    monkeypatch.setattr(protecting, "ASK_SECONDS", 0)
    batch, files = delivered_without_links(services, "turned")
    tick.look_at_deliveries(services)
    assert reread(services, batch).hold == batch.hold, "in a Send Only folder nothing presses"

    pair.ours.change_folder(type="sendreceive")
    tick.look_at_deliveries(services)

    assert reread(services, batch).hold == HELD
    all_deleted_by_peer(pair, batch, files)
    go(services, jobs.start_sort(services, batch.id, Trigger.API))
    assert set(files.values()) <= archived(services)


def test_it_is_told_once_that_a_peer_can_delete_an_only_copy_that_can_have_no_hold(
    pair: Pair, under: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = under("keep")
    monkeypatch.setattr(protecting, "ASK_SECONDS", 0)
    batch, _ = delivered_without_links(services, "linkless")
    told_before = len(events_of(services, "batch.unprotected", batch))
    pair.ours.change_folder(type="sendreceive")

    with mock.patch.object(publishing, "add_name", no_hard_links):
        for _ in range(3):
            tick.look_at_deliveries(services)

    told = events_of(services, "batch.unprotected", batch)
    assert len(told) == told_before + 1 and "make it Send Only in Syncthing" in told[-1].message
    assert reread(services, batch).hold == batch.hold
    go(services, jobs.start_sort(services, batch.id, Trigger.API))
    assert reread(services, batch).status is BatchStatus.SORTED


@pytest.fixture
def mounted(pair: Pair) -> Iterator[Path]:
    """A folder of a batch that is a mount of its own, so that nothing in it can have a second name elsewhere."""
    folder = pair.ours.folder / "crossed"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_holds_that_would_cross_a_mount_are_a_clear_state_and_never_protection(
    pair: Pair, under: Opener, mounted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = under("keep")
    monkeypatch.setattr(protecting, "ASK_SECONDS", 0)
    files = pictures("crossed", 2)
    batch = publish(services, mounted.name, files)
    assert os.stat(mounted).st_dev != os.stat(services.root(RootKind.STAGING).path).st_dev
    pair.ours.change_folder(type="sendreceive")

    report = sync.look(services, batch)

    assert report.outcome == "waiting" and "it would cross a mount" in report.message
    assert "make it Send Only in Syncthing" in report.message
    assert (reread(services, batch).hold or "").startswith("2 files have no hold")
    pair.ours.change_folder(type="sendonly")
    wait_for(lambda: is_delivered(services, batch), "in a Send Only folder it is delivered all the same")
    pair.ours.change_folder(type="sendreceive")
    tick.look_at_deliveries(services)
    assert "make it Send Only in Syncthing" in events_of(services, "batch.unprotected", batch)[-1].message
    run = go(services, jobs.start_sort(services, batch.id, Trigger.API))
    assert run.status is RunStatus.DONE and set(files.values()) <= archived(services)
