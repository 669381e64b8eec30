"""What was said of the peer's copies is what becomes of them, whatever changes while a batch is about to be sorted."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app import jobs
from app.config.schema import Config
from app.db import assets, facts, policy_change, releases
from app.model import AssetStatus, Batch, BatchStatus, Report, RootKind, Run, Trigger
from app.pipeline import sync
from app.services import Services
from tests.conftest import read_tree
from tests.pipeline.running import go, make_due
from tests.syncthing.carrying import (
    delete_at_peer,
    drive,
    events_of,
    ingest,
    is_now,
    newest,
    peer_photos,
    pictures,
    start,
)
from tests.syncthing.pair import FOLDER, Pair, wait_for
from tests.syncthing.staging import reread, status_of

pytestmark = pytest.mark.syncthing
#: Ours and the peer's.
FOLDER_TYPES = ("sendonly", "sendreceive")
#: They sort only when a person asks for it.
SETTINGS = {"syncthing": {"auto_sort_after_sync": False}}

Opener = Callable[..., Services]


def delivered(services: Services, name: str) -> Batch:
    """A batch of three files that the peer has, sorted by nobody yet."""
    ingest(services, pictures(name, 3))
    start(services)
    drive(services, is_now(services, BatchStatus.SYNCED), "the batch is delivered")
    return newest(services)


def sort(services: Services, batch: Batch) -> Run:
    return go(services, jobs.start_sort(services, batch.id, Trigger.API))


def end_runs(services: Services, run: Run) -> None:
    jobs.cancel(services, run.id)


def follow(services: Services, config: Config) -> None:
    with services.db.transaction() as conn:
        policy_change.follow(conn, config)


def settled(pair: Pair) -> None:
    """Whatever is announced on either side is known on the other: a file that is sent last has arrived."""
    probe = pair.ours.folder / f"probe-{len(list(pair.ours.folder.iterdir()))}-{id(object())}.txt"
    probe.write_bytes(b"probe")
    pair.ours.scan()
    wait_for((pair.peer.folder / probe.name).exists, "the probe arrives")


def test_a_batch_sent_through_another_folder_than_the_one_in_force_is_not_sorted_under_keep(
    pair: Pair, under: Opener, tmp_path: Path
) -> None:
    batch = delivered(under("keep"), "moved")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = {"id": "another", "path": str(elsewhere), "type": "sendonly", "fsWatcherEnabled": False}
    pair.ours.rest("POST", "config/folders", json={**folder, "devices": [{"deviceID": pair.peer.device_id}]})
    services = under("keep", syncthing={"folder_id": "another"})
    try:
        run = sort(services, batch)

        detail = reread(services, batch).sync_detail or ""
        assert status_of(services, batch) is BatchStatus.SYNCED
        assert f"through Syncthing's folder {FOLDER}, and another is in force" in detail and "mirror" in detail
        assert len(read_tree(pair.ours.folder / batch.name)) >= 3
        end_runs(services, run)
    finally:
        pair.ours.rest("DELETE", "config/folders/another")
    again = under("keep")
    make_due(again, batch.id)
    sort(again, batch)
    settled(pair)
    assert status_of(again, batch) is BatchStatus.SORTED and len(peer_photos(pair, batch)) == 3


@pytest.mark.parametrize("is_paused", [False, True])
def test_a_batch_whose_folder_is_not_remembered_is_not_sorted_while_another_folder_may_have_sent_it(
    pair: Pair, under: Opener, tmp_path: Path, is_paused: bool
) -> None:
    services = under("keep")
    batch = delivered(services, f"forgotten_{is_paused}")
    with services.db.transaction() as conn:
        facts.put(conn, f"announced:{batch.id}", "[]")
    # The files are known in the folder in force too, so that only the other one tells that it has sent them.
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(pair.ours.folder / batch.name, elsewhere / batch.name)
    (elsewhere / ".stfolder").mkdir()
    folder = {"id": "former", "path": str(elsewhere), "type": "sendonly", "fsWatcherEnabled": False}
    pair.ours.rest("POST", "config/folders", json={**folder, "devices": [{"deviceID": pair.peer.device_id}]})
    try:
        pair.ours.rest("POST", "db/scan", params={"folder": "former"})
        pair.ours.rest("PATCH", "config/folders/former", json={"paused": is_paused})

        end_runs(services, sort(services, batch))

        detail = reread(services, batch).sync_detail or ""
        assert status_of(services, batch) is BatchStatus.SYNCED
        assert f"through Syncthing's folder former, and {FOLDER} is in force" in detail
    finally:
        pair.ours.rest("DELETE", "config/folders/former")
    make_due(services, batch.id)
    sort(services, batch)
    settled(pair)
    assert status_of(services, batch) is BatchStatus.SORTED and len(peer_photos(pair, batch)) == 3


def test_a_confirmed_file_that_syncthing_does_not_know_stays_where_it_is(pair: Pair, under: Opener) -> None:
    services = under("keep")
    batch = delivered(services, "unknown")
    aside = under("keep", syncthing={"batch_dir": str(pair.ours.folder / "deeper")})

    run = sort(aside, batch)

    assert status_of(services, batch) is BatchStatus.SYNCED
    assert "does not know" in (reread(services, batch).sync_detail or "")
    end_runs(services, run)
    make_due(services, batch.id)
    sort(services, batch)
    settled(pair)
    assert status_of(services, batch) is BatchStatus.SORTED and len(peer_photos(pair, batch)) == 3


def test_a_change_to_keep_while_the_sorting_begins_is_kept_to(
    pair: Pair, under: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, keeping = under("mirror"), under("keep")
    batch = delivered(services, "turned")
    retain = sync.retain_at_peer

    def change_meanwhile(asked: Services, found: Batch) -> Report | None:
        report = retain(asked, found)
        follow(services, keeping.config)
        return report

    with monkeypatch.context() as patched:
        patched.setattr(sync, "retain_at_peer", change_meanwhile)
        run = sort(services, batch)
    assert status_of(services, batch) is BatchStatus.SYNCED

    end_runs(services, run)
    sort(keeping, batch)
    settled(pair)

    assert status_of(services, batch) is BatchStatus.SORTED and len(peer_photos(pair, batch)) == 3


def test_a_change_to_mirror_after_the_batch_was_hidden_says_that_the_peer_keeps_its_copies(
    pair: Pair, under: Opener
) -> None:
    services, mirroring = under("keep"), under("mirror")
    batch = delivered(services, "hidden")
    assert sync.retain_at_peer(services, batch) is None

    follow(services, mirroring.config)
    sort(replace(services, config=mirroring.config), batch)
    settled(pair)

    (event,) = events_of(services, "batch.policy_changed", batch)
    assert f"the peer keeps its copies of it while the line /{batch.name} is in the ignore list" in event.message
    assert status_of(services, batch) is BatchStatus.SORTED and len(peer_photos(pair, batch)) == 3


def test_after_the_batch_was_hidden_a_change_to_release_still_sees_what_the_peer_deletes(
    pair: Pair, under: Opener
) -> None:
    services, releasing = under("keep"), under("release")
    batch = delivered(services, "hidden_then_released")
    contents = {path.read_bytes() for path in (pair.ours.folder / batch.name).glob("*.jpg")}
    assert sync.retain_at_peer(services, batch) is None

    follow(services, releasing.config)
    sync.look(releasing, reread(releasing, batch))
    run = sort(releasing, batch)
    assert status_of(services, batch) is BatchStatus.SYNCED, "nothing is released yet"
    end_runs(services, run)
    photos = list(peer_photos(pair, batch).values())
    delete_at_peer(pair, photos[:1])
    drive(releasing, lambda: released(releasing, batch) == 1, "one is released")
    assert reread(releasing, batch).released_at is None
    delete_at_peer(pair, photos[1:])
    drive(releasing, lambda: reread(releasing, batch).released_at is not None, "all are released")
    sort(releasing, batch)

    assert status_of(releasing, batch) is BatchStatus.SORTED
    assert contents <= set(read_tree(services.config.paths.sorted_dir).values())


def released(services: Services, batch: Batch) -> int:
    with services.db.reading() as conn:
        return releases.count(conn, batch.id).file_count


def test_a_late_file_of_a_sorted_batch_leaves_only_when_the_peer_keeps_its_copy(
    pair: Pair, under: Opener, tmp_path: Path
) -> None:
    services = under("keep")
    batch = delivered(services, "late")
    late = next((pair.ours.folder / batch.name).glob("*.jpg"))
    content = late.read_bytes()
    late.rename(tmp_path / late.name)
    for hold in pair.ours.home.rglob(".mp-holds/**/*"):
        if hold.is_file():
            hold.unlink()
    sort(services, batch)
    (tmp_path / late.name).rename(late)
    client = pair.ours.client()
    client.set_ignores(FOLDER, [line for line in client.ignores(FOLDER) if batch.name not in line])
    pair.ours.scan()
    with services.db.reading() as conn:
        asset = assets.find_at(conn, services.root(RootKind.BATCH).id, f"{batch.name}/{late.name}".encode())
    assert asset is not None and jobs.retry_asset(services, asset.id).status is AssetStatus.DELIVERED

    sort(services, batch)
    settled(pair)

    assert content in read_tree(services.config.paths.sorted_dir).values()
    assert f"/{batch.name}" in client.ignores(FOLDER) and (pair.peer.folder / batch.name / late.name).exists()
