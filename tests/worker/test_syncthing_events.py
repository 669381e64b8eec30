"""A worker that listens to a real Syncthing notices at once what happens there; deaf, it goes on by the clock."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests

from app import jobs
from app.db import sync_samples
from app.model import BatchStatus, Event, RunStatus, Trigger
from app.overview.transfer import transfer_of
from app.syncthing import known
from tests.syncthing.pair import FOLDER, KEY, Pair, make_pair
from tests.worker.installation import Installation

pytestmark = pytest.mark.syncthing

#: No test of this module waits for a look at its time.
NEVER_SECONDS = 3600


@contextmanager
def installed(pair: Pair, base: Path, **syncthing: Any) -> Iterator[Installation]:
    """An installation that delivers from our side of a pair, with a running worker."""
    base.mkdir()
    with Installation(base, **settings(pair, base, **syncthing)) as site:
        site.start_worker()
        yield site


def settings(pair: Pair, base: Path, **syncthing: Any) -> dict[str, dict[str, Any]]:
    return {
        "paths": {
            "source_dir": str(base / "ingest"),
            "batch_dir": str(pair.ours.folder),
            "sorted_dir": str(base / "archive"),
            "duplicates_dir": str(base / "duplicates"),
        },
        "scan": {"settle_seconds": 0},
        "sync": {"target": "syncthing"},
        "syncthing": {
            "api_url": pair.ours.url, "api_key": KEY, "folder_id": FOLDER, "device_id": pair.peer.device_id,
            "poll_interval_sec": NEVER_SECONDS, "rescan_delay_sec": 0, **syncthing,
        },
        "workflow": {"delays": {"syncthing_settle_sec": 0, "post_sync_sec": 0}},
    }  # fmt: skip


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    made = make_pair(tmp_path_factory.mktemp("pair"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def site(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installed(pair, tmp_path_factory.mktemp("base") / "site") as made:
        made.until(lambda: is_known(made), "the peer is known")
        yield made


def is_known(site: Installation) -> bool:
    with site.services.db.reading() as conn:
        return conn.exec_driver_sql("SELECT 1 FROM facts WHERE name = 'sync_told'").first() is not None


def told(site: Installation, since: int = 0) -> list[Event]:
    """What the journal tells of Syncthing after this id, the oldest first."""
    found = [e for e in site.events() if e.kind.split(".")[0] in ("peer", "folder", "syncthing")]
    return [event for event in reversed(found) if event.id > since]


def kinds(site: Installation, since: int = 0) -> list[str]:
    return [event.kind for event in told(site, since)]


def now_told(site: Installation) -> int:
    return max((event.id for event in site.events()), default=0)


def add_pictures(site: Installation, first: int, count: int, size: int = 0) -> None:
    for n in range(first, first + count):
        path = site.folder("ingest") / f"img_{n:05d}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(site.picture(n, size))


def newest_batch(site: Installation) -> Any:
    return site.batches()[-1]


def test_a_delivery_is_noticed_although_the_next_look_is_an_hour_away(pair: Pair, site: Installation) -> None:
    since = now_told(site)
    pair.peer.stop()
    site.until(lambda: kinds(site, since) == ["peer.disconnected"], "the peer is away")
    with site.services.db.reading() as conn:
        told_to_pages = known.load(conn)
    away = told_to_pages.peers[pair.peer.device_id]
    assert told_to_pages.version.startswith("v1.") and not away.connected and away.last_seen_at
    add_pictures(site, 0, 20)
    run = jobs.start_workflow(site.services, Trigger.API)
    site.until(
        lambda: site.batches() and newest_batch(site).status is BatchStatus.SYNCING and newest_batch(site).sync_detail,
        "the delivery waits",
    )
    with site.services.db.reading() as conn:
        waiting = transfer_of(conn, newest_batch(site))
    assert (waiting["remaining_seconds"], waiting["rate_bytes_per_second"]) == (None, None)
    assert "not known" in waiting["remaining_words"]

    pair.peer.start()

    assert site.ended(run.id).status is RunStatus.DONE, site.run(run.id).error
    batch = newest_batch(site)
    assert (batch.status, batch.confirmed_count) == (BatchStatus.SORTED, 20)
    assert len(list((pair.peer.folder / batch.name).rglob("*.jpg"))) == 20
    found = kinds(site, since)
    assert [k for k in found if k in ("peer.connected", "peer.disconnected")] == ["peer.disconnected", "peer.connected"]
    assert set(found) <= {"peer.connected", "peer.disconnected", "peer.caught_up"} and len(found) <= 3


def test_what_a_delivery_was_like_is_sampled_to_its_end(pair: Pair, site: Installation) -> None:
    add_pictures(site, 100, 10, 100_000)
    run = jobs.start_workflow(site.services, Trigger.API)
    assert site.ended(run.id).status is RunStatus.DONE, site.run(run.id).error
    batch = newest_batch(site)

    def samples() -> list[sync_samples.Sample]:
        with site.services.db.reading() as conn:
            return sync_samples.newest(conn, batch.id, pair.peer.device_id)

    site.until(lambda: samples() and samples()[-1].confirmed_files == 10, "the end is sampled")
    assert samples()[-1].confirmed_bytes == batch.size_bytes
    with site.services.db.reading() as conn:
        after = transfer_of(conn, batch)
        day = sync_samples.delivered_by_day(conn, "2000-01-01")[0]
    assert (after["remaining_seconds"], after["remaining_words"]) == (None, "It is delivered.")
    assert day.device_id == pair.peer.device_id and day.file_count >= 10


def limit(pair: Pair, kilobytes_per_second: int) -> None:
    """Let no more than this through between the pair; 0 is no limit."""
    options = {"maxSendKbps": kilobytes_per_second, "limitBandwidthInLan": True}
    pair.ours.rest("PATCH", "config/options", json=options)


def test_a_delivery_under_way_has_a_rate_a_time_and_the_files_that_the_peer_is_fetching(
    pair: Pair, site: Installation
) -> None:
    limit(pair, 1000)
    add_pictures(site, 200, 1, 40_000_000)
    run = jobs.start_workflow(site.services, Trigger.API)

    def transfer() -> dict[str, Any]:
        with site.services.db.reading() as conn:
            return transfer_of(conn, newest_batch(site))

    site.until(lambda: newest_batch(site).status is BatchStatus.SYNCING, "the delivery begins")
    site.until(lambda: transfer()["files_under_way"] and transfer()["remaining_seconds"], "the delivery is measured")
    found = transfer()
    limit(pair, 0)
    assert found["rate_bytes_per_second"] > 0 and found["remaining_words"].endswith("left.")
    (under_way,) = found["files_under_way"]
    assert under_way["device_id"] == pair.peer.device_id and under_way["path"].endswith("img_00200.jpg")
    assert 0 < under_way["bytes"] <= under_way["size_bytes"]
    assert site.ended(run.id).status is RunStatus.DONE, site.run(run.id).error
    site.until(lambda: transfer()["files_under_way"] == [], "nothing is being fetched any more")


def test_a_peer_and_a_folder_that_are_paused_are_told_of_once_each(pair: Pair, site: Installation) -> None:
    device = f"config/devices/{pair.peer.device_id}"
    steps = [
        (lambda: pair.ours.change_folder(paused=True), "folder.paused"),
        (lambda: pair.ours.change_folder(paused=False), "folder.resumed"),
        (lambda: pair.ours.rest("PATCH", device, json={"paused": True}), "peer.paused"),
        (lambda: pair.ours.rest("PATCH", device, json={"paused": False}), "peer.resumed"),
    ]
    since = now_told(site)
    for number, (change, kind) in enumerate(steps):
        change()
        site.until(lambda n=number, k=kind: kinds(site, since)[n : n + 1] == [k], f"{kind} is told")
    site.until(lambda: "peer.connected" in kinds(site, since), "the peer is back")
    assert kinds(site, since) == [kind for _, kind in steps] + ["peer.connected"]


def test_events_go_on_when_syncthing_was_started_again(pair: Pair, site: Installation) -> None:
    pair.ours.stop()
    pair.ours.start()
    pair.wait_connected()
    since = now_told(site)
    for change, kind in ((True, "folder.paused"), (False, "folder.resumed")):
        pair.ours.change_folder(paused=change)
        site.until(lambda k=kind: k in kinds(site, since), f"{kind} is told")
    assert [k for k in kinds(site, since) if k.startswith("folder.")] == ["folder.paused", "folder.resumed"]
    pair.wait_connected()


def test_a_key_that_is_refused_is_told_once_and_events_go_on_with_the_right_one(
    pair: Pair, site: Installation
) -> None:
    since = now_told(site)
    site.write_config(**settings(pair, site.base, api_key="not-the-key"))
    site.until(lambda: kinds(site, since) == ["syncthing.lost"], "it is told that Syncthing refuses")
    assert "key" in told(site, since)[0].message and "not-the-key" not in told(site, since)[0].message
    pair.ours.change_folder(paused=True)
    site.write_config(**settings(pair, site.base))
    site.until(lambda: "syncthing.found" in kinds(site, since), "it is listened to again")
    pair.ours.change_folder(paused=False)
    site.until(lambda: "folder.resumed" in kinds(site, since), "events come again")
    found = kinds(site, since)
    assert sorted(found) == sorted(["syncthing.lost", "syncthing.found", "folder.paused", "folder.resumed"])


def test_a_worker_that_listens_stops_when_it_is_told_to(site: Installation) -> None:
    before = site.workers[-1]
    assert site.terminate(before) == 0
    assert "the worker has stopped" in site.output()
    site.start_worker()


class WithoutEvents(http.server.BaseHTTPRequestHandler):
    """Hands everything on to a Syncthing but the question for events, which it does not know."""

    upstream = ""
    refused: ClassVar[list[str]] = []

    def _hand_on(self) -> None:
        if self.path.startswith("/rest/events"):
            self.refused.append(self.path)
            self.send_error(404)
            return
        length = int(self.headers.get("Content-Length") or 0)
        answer = requests.request(
            self.command, self.upstream + self.path, data=self.rfile.read(length),
            headers={"X-API-Key": self.headers["X-API-Key"]}, timeout=60,
        )  # fmt: skip
        self.send_response(answer.status_code)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def do_GET(self) -> None:
        self._hand_on()

    def do_POST(self) -> None:
        self._hand_on()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def without_events(url: str, refused: list[str]) -> Iterator[str]:
    handler = type("Handler", (WithoutEvents,), {"upstream": url, "refused": refused})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_deliveries_go_on_by_the_clock_when_no_event_can_be_heard(tmp_path: Path) -> None:
    pair, refused = make_pair(tmp_path / "pair"), list[str]()
    try:
        with (
            without_events(pair.ours.url, refused) as url,
            installed(pair, tmp_path / "site", api_url=url, poll_interval_sec=1) as site,
        ):
            add_pictures(site, 0, 5)
            run = jobs.start_workflow(site.services, Trigger.API)
            assert site.ended(run.id).status is RunStatus.DONE, site.run(run.id).error
            assert newest_batch(site).confirmed_count == 5
            assert refused and "syncthing-events" not in site.output()
    finally:
        pair.stop()
