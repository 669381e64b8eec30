"""A real Syncthing behind something that misbehaves: the batch says what is wrong, the worker works, and it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from app import jobs
from app.db import batches
from app.db.clock import now
from app.model import Batch, BatchStatus, RunStatus, Stage, Trigger
from tests.conftest import read_tree
from tests.syncthing.pair import FOLDER, KEY, Pair, wait_for
from tests.syncthing.proxy import Proxy, Spoil, endless, plain, slow, trickling
from tests.syncthing.staging import publish, reread
from tests.torture.conftest import SAMPLE
from tests.worker.installation import Installation

pytestmark = pytest.mark.syncthing

FILES = {"a.jpg": b"one", "b.jpg": b"two"}
HOUR = 3600


@pytest.fixture(scope="module")
def proxy(module_pair: Pair) -> Iterator[Proxy]:
    running = Proxy(module_pair.ours.gui_port)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def site(module_pair: Pair, proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation with a worker, whose Syncthing is reached through the proxy."""
    base = tmp_path_factory.mktemp("site")
    settings = {
        "paths": {
            "source_dir": str(base / "ingest"),
            "batch_dir": str(module_pair.ours.folder),
            "sorted_dir": str(base / "archive"),
            "duplicates_dir": str(base / "duplicates"),
        },
        "sync": {"target": "syncthing"},
        "syncthing": {
            "api_url": proxy.url,
            "api_key": KEY,
            "folder_id": FOLDER,
            "device_id": module_pair.peer.device_id,
            "poll_interval_sec": 1,
            "rescan_delay_sec": 0,
        },
    }
    with Installation(base, **settings) as made:
        made.start_worker()
        yield made


def under_way(site: Installation, name: str) -> Batch:
    """A batch whose delivery the worker looks at."""
    batch = publish(site.services, name, FILES)
    look_again(site, batch)
    return batch


def look_again(site: Installation, batch: Batch) -> None:
    with site.services.db.transaction() as conn:
        batches.set_columns(conn, batch.id, next_look_at=now())


def says(site: Installation, batch: Batch, words: str) -> None:
    """Wait until the batch says so."""
    wait_for(lambda: words in detail_of(site, batch), f"the batch says {words!r}")


def detail_of(site: Installation, batch: Batch) -> str:
    return reread(site.services, batch).sync_detail or ""


FAULTS = {
    "error": (plain(500, b"boom secret-of-another-service"), "failed (HTTP 500"),
    "error-of-its-own": (plain(500, b"disk broke", X_Syncthing_Version="v1.29.5"), "disk broke"),
    "busy": (plain(429, Retry_After=str(HOUR)), "overloaded or not ready (HTTP 429)"),
    "redirect": (plain(302, Location="http://127.0.0.1:1/"), "answers with a redirect"),
    "garbage": (plain(200, b"<html>a router's page</html>"), "does not speak as Syncthing does"),
    "endless": (endless, "longer than 8 MiB"),
    "slow": (slow, "no complete answer within"),
    "trickling": (trickling, "no complete answer within"),
}


#: It is cut off after half a minute: one day in so many it is tried without the `torture` marker too.
LONG = ("trickling",)
IS_ITS_DAY = datetime.now(UTC).date().toordinal() % SAMPLE == 0


def marks_of(fault: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.torture] if fault in LONG and not IS_ITS_DAY else []


@pytest.mark.parametrize("fault", [pytest.param(fault, marks=marks_of(fault)) for fault in FAULTS])
def test_a_fault_on_the_way_is_one_clear_state_and_blocks_nothing(
    module_pair: Pair, site: Installation, proxy: Proxy, fault: str
) -> None:
    spoil, words = FAULTS[fault]
    proxy.misbehave(spoil)
    batch = under_way(site, f"fault-{fault}")
    asked = proxy.asked.total()
    wait_for(lambda: proxy.asked.total() > asked, "the worker asks")

    works_meanwhile(site, proxy, spoil)
    says(site, batch, words)

    after = reread(site.services, batch)
    assert (after.status, after.confirmed_count) == (BatchStatus.PENDING, 0)
    assert "secret-of-another-service" not in detail_of(site, batch)
    if fault == "busy":
        assert seconds_until(after.next_look_at) > HOUR / 2
        look_again(site, batch)
    proxy.behave()
    wait_for(lambda: reread(site.services, batch).status is BatchStatus.SYNCED, "the delivery goes on")
    assert read_tree(module_pair.peer.folder / batch.name) == FILES


def seconds_until(instant: str | None) -> float:
    assert instant is not None
    return (datetime.fromisoformat(instant) - datetime.fromisoformat(now())).total_seconds()


def works_meanwhile(site: Installation, proxy: Proxy, spoil: Spoil) -> None:
    """While the fault lasts, the worker gives signs of life and executes another run."""
    before = site.heartbeat()
    run = jobs.start_stage(site.services, Stage.SCAN, Trigger.API)
    assert site.ended(run.id).status is RunStatus.DONE
    if spoil is slow:
        assert proxy.spoiling, "a request was held all the while"
    site.until(lambda: site.heartbeat() != before, "the worker gives a sign of life")


def test_faults_in_mid_delivery_lose_no_confirmation(module_pair: Pair, site: Installation, proxy: Proxy) -> None:
    module_pair.peer.client().set_ignores(FOLDER, ["b.jpg"])
    batch = under_way(site, "in-mid-delivery")
    wait_for(lambda: reread(site.services, batch).confirmed_count == 1, "one is confirmed")

    for spoil, words in (FAULTS["error"], FAULTS["garbage"], FAULTS["redirect"]):
        proxy.misbehave(spoil)
        says(site, batch, words)
        assert (reread(site.services, batch).status, reread(site.services, batch).confirmed_count) == (
            BatchStatus.SYNCING,
            1,
        )

    proxy.behave()
    module_pair.peer.client().set_ignores(FOLDER, [])
    module_pair.peer.scan()
    wait_for(lambda: reread(site.services, batch).status is BatchStatus.SYNCED, "the delivery goes on")
    assert read_tree(module_pair.peer.folder / batch.name) == FILES
