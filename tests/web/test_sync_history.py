"""How deliveries went and how fast they go, over the API: pages, filters, and nothing that is not known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.db import assets, batch_devices, batches, deliveries, facts, sync_samples
from app.db.clock import later, now
from app.db.sync_samples import Moment
from app.model import BatchStatus, RootKind, Signature
from app.services import Services
from tests.browser import rows
from tests.browser.rows import SIZE_BYTES
from tests.web.conftest import Site

PHONE, LAPTOP = "PHONE00-AAAAAAA", "LAPTOP0-BBBBBBB"
TOTAL = 640 * SIZE_BYTES


def add_sample(services: Services, batch_id: int, device: str, moment: Moment, seconds_ago: float = 0) -> None:
    with services.db.transaction() as conn:
        sync_samples.add(conn, batch_id, device, moment, None)
        at = later(-seconds_ago)
        conn.exec_driver_sql("UPDATE sync_samples SET at = ? WHERE id = (SELECT MAX(id) FROM sync_samples)", (at,))


def moving(services: Services, batch_id: int, device: str = PHONE, *, connected: bool = True, pace: int = 1) -> None:
    """Five minutes of a transfer of so many million bytes a second, up to now."""
    for ago in range(300, -1, -30):
        need = 1_000_000_000 + ago * pace * 1_000_000
        add_sample(services, batch_id, device, Moment(0, 0, 600, need, connected), ago)


@pytest.fixture
def batch_id(site: Site) -> int:
    """A delivery under way, with a worker that is alive."""
    made = rows.add_syncing_batch(site.services, confirmed=0)
    with site.services.db.transaction() as conn:
        batch_devices.add(conn, made, [PHONE])
        facts.put(conn, "worker_heartbeat_at", now())
    return made


def transfer(client: FlaskClient, batch_id: int) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/sync/status/{batch_id}").json["transfer"]
    return found


def test_a_delivery_that_moves_has_a_rate_and_a_time(client: FlaskClient, site: Site, batch_id: int) -> None:
    moving(site.services, batch_id)
    found = transfer(client, batch_id)
    assert 900_000 < found["rate_bytes_per_second"] < 1_100_000
    assert 900 < found["remaining_seconds"] < 1_200 and "minutes left" in found["remaining_words"]
    assert [peer["device_id"] for peer in found["peers"]] == [PHONE]


def test_the_time_of_two_peers_is_that_of_the_slower_one(client: FlaskClient, site: Site, batch_id: int) -> None:
    with site.services.db.transaction() as conn:
        batch_devices.add(conn, batch_id, [LAPTOP])
    moving(site.services, batch_id, PHONE, pace=4)
    moving(site.services, batch_id, LAPTOP, pace=1)
    found = transfer(client, batch_id)
    times = {peer["device_id"]: peer["remaining_seconds"] for peer in found["peers"]}
    assert found["remaining_seconds"] == times[LAPTOP] > times[PHONE]


def test_no_time_is_named_while_one_of_the_peers_is_away(client: FlaskClient, site: Site, batch_id: int) -> None:
    with site.services.db.transaction() as conn:
        batch_devices.add(conn, batch_id, [LAPTOP])
    moving(site.services, batch_id, PHONE)
    moving(site.services, batch_id, LAPTOP, connected=False)
    found = transfer(client, batch_id)
    assert found["remaining_seconds"] is None
    assert "not connected" in found["remaining_words"]


def _without_worker(services: Services, _batch_id: int) -> None:
    with services.db.transaction() as conn:
        facts.put(conn, "worker_heartbeat_at", "")


def _synced(services: Services, batch_id: int) -> None:
    with services.db.transaction() as conn:
        batches.change(conn, batches.get(conn, batch_id), BatchStatus.SYNCED)


def _satisfied(services: Services, batch_id: int) -> None:
    with services.db.transaction() as conn:
        batch_devices.note(conn, batch_id, PHONE, code="sending", words="The files are on their way.")
    _unheard(services, batch_id)


def _unheard(services: Services, batch_id: int) -> None:
    add_sample(services, batch_id, PHONE, Moment(0, 0, 0, 0, connected=True))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_without_worker, "worker is not running"),
        (_synced, "delivered"),
        (_satisfied, "is being proven"),
        (_unheard, "has not told what it lacks"),
    ],
)
def test_a_time_that_is_not_known_is_null_with_its_reason(
    client: FlaskClient, site: Site, batch_id: int, change: Callable[[Services, int], None], words: str
) -> None:
    moving(site.services, batch_id)
    change(site.services, batch_id)
    found = transfer(client, batch_id)
    assert found["remaining_seconds"] is None
    assert words in found["remaining_words"]


def test_a_delivery_of_which_nothing_was_measured_says_so(client: FlaskClient, batch_id: int) -> None:
    found = transfer(client, batch_id)
    assert (found["rate_bytes_per_second"], found["remaining_seconds"]) == (None, None)
    assert "nothing has been measured" in found["remaining_words"]


def test_pages_of_the_history_hold_every_sample_once(client: FlaskClient, site: Site, batch_id: int) -> None:
    for n in range(25):
        add_sample(site.services, batch_id, PHONE if n % 2 else LAPTOP, Moment(n, n * 100))
    found, before = [], None
    while True:
        query: dict[str, Any] = {"batch_id": batch_id, "limit": 4, **({"before_id": before} if before else {})}
        page = client.get("/api/sync/history", query_string=query).json
        found += [sample["confirmed_files"] for sample in page["samples"]]
        before = page["next_before_id"]
        assert page["has_more"] == (before is not None)
        if before is None:
            break
    assert found == list(range(24, -1, -1))


def test_the_history_can_be_asked_for_one_device_and_from_an_instant_on(
    client: FlaskClient, site: Site, batch_id: int
) -> None:
    for ago in (300, 200, 100):
        for device in (PHONE, LAPTOP):
            add_sample(site.services, batch_id, device, Moment(0, 0), ago)
    answer = client.get("/api/sync/history", query_string={"device_id": PHONE, "since": later(-250)}).json
    assert {sample["device_id"] for sample in answer["samples"]} == {PHONE}
    assert len(answer["samples"]) == 2
    assert client.get("/api/sync/history", query_string={"since": "2024-13-45T99:00"}).status_code == 400
    assert client.get("/api/sync/history", query_string={"limit": 0}).status_code == 422


def test_what_a_peer_received_is_counted_by_day(client: FlaskClient, site: Site, batch_id: int) -> None:
    days = (later(0), later(0), later(-86_400), later(-86_400 * 30))
    root = site.services.root(RootKind.INGEST)
    with site.services.db.transaction() as conn:
        found = [(b"p%d.jpg" % n, Signature(1, n + 1, 100, 1, 1), None) for n in range(len(days))]
        assets.insert_discovered(conn, root.id, found)
        for n, day in enumerate(days):
            asset = assets.find_at(conn, root.id, b"p%d.jpg" % n)
            assert asset is not None
            deliveries.confirm(conn, batch_id, PHONE, [(asset.id, None)])
            conn.exec_driver_sql("UPDATE deliveries SET confirmed_at = ? WHERE asset_id = ?", (day, asset.id))
    daily = client.get("/api/sync/history").json["daily"]
    assert [(d["day"], d["device_id"], d["file_count"], d["size_bytes"]) for d in daily] == [
        (later(0)[:10], PHONE, 2, 200),
        (later(-86_400)[:10], PHONE, 1, 100),
    ]
    assert client.get("/api/sync/history?days=0").json["daily"] == []
    assert len(client.get("/api/sync/history?days=60").json["daily"]) == 3
    assert client.get("/api/sync/history", query_string={"device_id": LAPTOP}).json["daily"] == []


def test_a_refresh_makes_deliveries_due_and_says_what_happens(client: FlaskClient, site: Site, batch_id: int) -> None:
    with site.services.db.transaction() as conn:
        batches.set_columns(conn, batch_id, next_look_at=later(3600))
    answer = client.post("/api/sync/refresh")
    assert (answer.status_code, answer.json["count"], answer.json["worker_alive"]) == (202, 1, True)
    assert answer.json["batches"][0]["next_look_at"] <= now()
    _without_worker(site.services, batch_id)
    assert client.post("/api/sync/refresh").json["worker_alive"] is False
    shown = client.post("/api/sync/refresh", headers={"HX-Request": "true"}).text
    assert "The worker is not running" in shown


def test_the_pages_show_the_rate_and_the_refresh_button(client: FlaskClient, site: Site, batch_id: int) -> None:
    moving(site.services, batch_id)
    assert "minutes left." in client.get("/dashboard").text
    assert 'action="/api/sync/refresh"' in client.get("/dashboard").text
    control = client.get("/control").text
    assert 'action="/api/sync/refresh"' in control and "Refresh sync progress" in control
