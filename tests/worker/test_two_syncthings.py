"""The whole job between two real Syncthings: three batches, one after the other, with a worker that is killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from app import jobs
from app.model import AssetStatus, BatchStatus, RunStatus, Trigger
from tests.conftest import read_tree
from tests.syncthing.pair import FOLDER, KEY, Pair, make_pair
from tests.worker.installation import Installation

pytestmark = pytest.mark.syncthing


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    made = make_pair(tmp_path / "pair")
    yield made
    made.stop()


def pictures(folder: Path | str) -> Counter[bytes]:
    """How often each picture lies under a folder."""
    return Counter(content for path, content in read_tree(folder).items() if path.endswith(".jpg"))


def stand(site: Installation, statuses: list[BatchStatus]) -> bool:
    return [batch.status for batch in site.batches()] == statuses


def test_300_files_in_3_batches_arrive_proven_and_are_archived_although_the_worker_is_killed(
    pair: Pair, tmp_path: Path
) -> None:
    settings = {
        "paths": {
            "source_dir": str(tmp_path / "site" / "ingest"),
            "batch_dir": str(pair.ours.folder),
            "sorted_dir": str(tmp_path / "site" / "archive"),
            "duplicates_dir": str(tmp_path / "site" / "duplicates"),
        },
        "batch": {"max_files": 100, "selection_mode": "files"},
        "sync": {"target": "syncthing"},
        "syncthing": {
            "api_url": pair.ours.url, "api_key": KEY, "folder_id": FOLDER, "device_id": pair.peer.device_id,
            "poll_interval_sec": 1, "rescan_delay_sec": 0,
        },
    }  # fmt: skip
    (tmp_path / "site").mkdir()
    with Installation(tmp_path / "site", **settings) as site:
        site.fill_ingest(300)
        before = pictures(site.folder("ingest"))
        worker = site.start_worker()
        run = jobs.start_workflow(site.services, Trigger.API)
        for statuses in ([BatchStatus.SYNCING], [BatchStatus.SORTED, BatchStatus.SYNCING]):
            site.until(partial(stand, site, statuses), f"the batches are {statuses}", 120)
            site.kill(worker)
            worker = site.start_worker()
        assert site.ended(run.id, 240).status is RunStatus.DONE, site.run(run.id).error
        assert [(b.status, b.confirmed_count) for b in site.batches()] == [(BatchStatus.SORTED, 100)] * 3
        assert site.counts() == {AssetStatus.ARCHIVED: 300}
        assert pictures(pair.peer.folder) == pictures(site.folder("archive")) == before
        assert pictures(pair.ours.folder) == pictures(site.folder("ingest")) == Counter()
        assert site.terminate(worker) == 0
