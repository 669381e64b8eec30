"""Taking a batch back that a real peer has: under keep its copies stay, under mirror they go with the files."""

from __future__ import annotations

from typing import Any

import pytest

from app import jobs
from app.db import batches, deliveries
from app.model import Batch, BatchStatus, RunStatus, Stage, Trigger
from app.pipeline import batch
from app.services import Services
from tests.conftest import read_tree
from tests.pipeline.library import a_step
from tests.pipeline.running import go
from tests.pipeline.stages import run_dedup, run_inspect
from tests.pipeline.undoing import FILES, end_runs, events_of, make, media_tree
from tests.syncthing.pair import Pair, wait_for
from tests.syncthing.staging import look_until_synced, reread

pytestmark = pytest.mark.syncthing


def deliver(services: Services, folder: str) -> Batch:
    """A batch of files below this folder, proven at the peer."""
    make(services, {f"{folder}/{name!s}": f"{folder} ".encode() + content for name, content in FILES.items()})
    made = batch.run(services, a_step(services, Stage.BATCH)).batch_id
    assert made is not None
    end_runs(services)
    with services.db.reading() as conn:
        found = batches.get(conn, made)
    look_until_synced(services, found)
    end_runs(services)
    return reread(services, found)


def contents_at_peer(pair: Pair, found: Batch) -> set[bytes]:
    tree = read_tree(pair.peer.folder / found.name)
    return {content for path, content in tree.items() if not path.endswith(("SHA256SUMS", "manifest.json"))}


def before_of(services: Services, folder: str) -> dict[str, Any]:
    return {k: v for k, v in media_tree(services).items() if k.startswith(f"ingest/{folder}/")}


def test_under_keep_the_peer_keeps_every_copy_when_the_files_go_back(module_pair: Pair, opened: Any) -> None:
    services = opened(module_pair, sync={"target": "syncthing", "peer_policy": "keep"})
    before = media_tree(services)
    found = deliver(services, "keep")
    held = contents_at_peer(module_pair, found)
    assert len(held) == len(FILES)
    assert jobs.look_at_undo(services, found.id).in_batch_folder == len(FILES)

    run = go(services, jobs.start_undo(services, found.id, Trigger.CLI))

    assert (run.status, run.error) == (RunStatus.DONE, None)
    assert "The peer keeps the copies that it has." in events_of(services, "batch.undone")[-1].message
    others = ("batch/.st", "batch/.mp-place-")
    new = {name for name in media_tree(services) if name not in before and not name.startswith(others)}
    assert new == {f"ingest/keep/{name!s}" for name in FILES}
    module_pair.ours.scan()
    module_pair.ours.scan(found.name)
    assert contents_at_peer(module_pair, found) == held
    again = deliver_again(services, found)
    assert contents_at_peer(module_pair, again) == held == contents_at_peer(module_pair, found)


def deliver_again(services: Services, undone: Batch) -> Batch:
    """The same files, taken in again, in their next batch: every one is proven anew."""
    jobs.take_in_again(services, undone.id)
    run_dedup(services)
    run_inspect(services)
    made = batch.run(services, a_step(services, Stage.BATCH)).batch_id
    assert made is not None
    with services.db.reading() as conn:
        found = batches.get(conn, made)
    look_until_synced(services, found)
    end_runs(services)
    with services.db.reading() as conn:
        assert (deliveries.count(conn, undone.id), deliveries.count(conn, made)) == (0, len(FILES))
    return found


def test_under_mirror_the_peers_copies_go_with_the_files(module_pair: Pair, opened: Any) -> None:
    mirror = {"target": "syncthing", "peer_policy": "mirror"}
    services = opened(module_pair, sync=mirror, batch={"allow_parallel": True})
    found = deliver(services, "mirror")
    assert len(contents_at_peer(module_pair, found)) == len(FILES)

    run = go(services, jobs.start_undo(services, found.id, Trigger.CLI))

    assert run.status is RunStatus.DONE
    words = events_of(services, "batch.undone")[-1].message
    assert "The peer's copies of 5 files in the batch folder go with them." in words
    assert set(before_of(services, "mirror")) == {f"ingest/mirror/{name!s}" for name in FILES}
    module_pair.ours.scan()
    wait_for(lambda: not (module_pair.peer.folder / found.name).exists(), "the peer's copies are gone")


def test_while_syncthing_is_away_nothing_leaves_the_folder_and_the_run_waits(module_pair: Pair, opened: Any) -> None:
    services = opened(module_pair, sync={"target": "syncthing", "peer_policy": "keep"}, batch={"allow_parallel": True})
    found = deliver(services, "away")
    held = media_tree(services)
    away = opened(module_pair, syncthing={"api_url": "http://127.0.0.1:1"}, batch={"allow_parallel": True})

    run = go(away, jobs.start_undo(away, found.id, Trigger.CLI))

    assert (run.status, reread(services, found).status) == (RunStatus.WAITING, BatchStatus.UNDOING)
    assert media_tree(services) == held
    run = go(services, jobs.start_undo(services, found.id, Trigger.CLI))
    assert run.status is RunStatus.DONE
    assert set(before_of(services, "away")) == {f"ingest/away/{name!s}" for name in FILES}
    assert reread(services, found).status is BatchStatus.CANCELLED
