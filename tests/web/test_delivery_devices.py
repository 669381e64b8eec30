"""What the API, the command line and the dashboard tell of each peer of a delivery, and of the files that it lacks."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from app.db import assets, batch_devices, batches, deliveries, delivery_obstacles, facts
from app.db.clock import now
from app.db.delivery_obstacles import EVERYWHERE, Obstacle
from app.model import AssetStatus, RootKind, Signature
from app.services import Services
from tests.browser import rows
from tests.web.conftest import Site

PHONE, LAPTOP = "PHONE00-AAAAAAA", "LAPTOP0-BBBBBBB"
FILES = 30


def add_files(services: Services, batch_id: int) -> list[int]:
    """Thirty files of ten bytes in the batch folder; their ids."""
    root = services.root(RootKind.BATCH)
    with services.db.transaction() as conn:
        found = [(b"b/%02d.jpg" % n, Signature(1, 500 + n, 10, 4, 5), None) for n in range(FILES)]
        assets.insert_discovered(conn, root.id, found)
        made = [asset for path, _, _ in found if (asset := assets.find_at(conn, root.id, path)) is not None]
        assets.set_columns(conn, [(asset.id, {"batch_id": batch_id}) for asset in made])
        assets.mark(conn, made, AssetStatus.UNIQUE)
        assets.mark(conn, assets.list_in_batch(conn, batch_id), AssetStatus.BATCHED)
        batches.set_columns(conn, batch_id, file_count=FILES, size_bytes=FILES * 10)
        return [asset.id for asset in made]


@pytest.fixture
def batch_id(site: Site) -> int:
    """A delivery to two peers: phone has all but three files, laptop is away and has five."""
    made = rows.add_syncing_batch(site.services, confirmed=0)
    ids = add_files(site.services, made)
    with site.services.db.transaction() as conn:
        batch_devices.add(conn, made, [PHONE, LAPTOP])
        deliveries.confirm(conn, made, PHONE, [(asset_id, "US:1") for asset_id in ids[3:]])
        deliveries.confirm(conn, made, LAPTOP, [(asset_id, "US:1") for asset_id in ids[:5]])
        unreadable = Obstacle(ids[2], EVERYWHERE, "unreadable", "permission denied")
        delivery_obstacles.put(conn, made, [Obstacle(ids[1], PHONE, "not_taken"), unreadable])
        note = batch_devices.note
        note(conn, made, PHONE, name="phone", connected=True, code="sending", words="The files are on their way.")
        note(conn, made, LAPTOP, name="laptop", connected=False, code="peer_offline", last_seen_at=now(),
             words="Waiting for laptop: it is not connected, last seen long ago.")  # fmt: skip
        facts.put(conn, "worker_heartbeat_at", now())
    return made


def devices(client: FlaskClient, batch_id: int) -> dict[str, dict[str, Any]]:
    answer = client.get(f"/api/sync/status/{batch_id}").json
    return {device["name"]: device for device in answer["devices"]}


def test_each_peer_is_counted_by_its_own_proofs(client: FlaskClient, batch_id: int) -> None:
    found = devices(client, batch_id)

    assert [found[name]["sentence"] for name in ("phone", "laptop")] == [
        "27 of 30 confirmed on phone", "5 of 30 confirmed on laptop"
    ]  # fmt: skip
    assert (found["phone"]["progress"], found["laptop"]["progress"]) == (90.0, 16.7)
    assert (found["phone"]["confirmed_bytes"], found["laptop"]["missing_count"]) == (270, 25)
    assert (found["laptop"]["code"], found["laptop"]["connected"]) == ("peer_offline", False)


def test_a_missing_file_says_why_it_is_missing_what_needs_a_person_first(client: FlaskClient, batch_id: int) -> None:
    found = devices(client, batch_id)

    phone = [(file["path"], file["code"], file["reason"]) for file in found["phone"]["missing"]]
    assert [entry[:2] for entry in phone] == [
        ("b/01.jpg", "not_taken"), ("b/02.jpg", "unreadable"), ("b/00.jpg", "waiting")
    ]  # fmt: skip
    assert phone[1][2] == "permission denied"
    laptop = found["laptop"]["missing"]
    assert len(laptop) == 20 and {file["code"] for file in laptop} == {"peer_offline"}
    anywhere = client.get(f"/api/sync/status/{batch_id}").json["missing"]
    assert [file["code"] for file in anywhere[:3]] == ["not_taken", "unreadable", "waiting"]


def test_all_missing_files_of_a_peer_can_be_paged_through(client: FlaskClient, batch_id: int) -> None:
    address, query = f"/api/sync/status/{batch_id}/missing", {"device_id": LAPTOP, "limit": 10}
    pages = [client.get(address, query_string=query).json]
    while pages[-1]["next_after_id"] is not None:
        pages.append(client.get(address, query_string={**query, "after_id": pages[-1]["next_after_id"]}).json)

    assert [len(page["files"]) for page in pages] == [10, 10, 5]
    listed = [file["path"] for page in pages for file in page["files"]]
    assert listed == [f"b/{n:02d}.jpg" for n in range(5, FILES)]
    assert {page["name"] for page in pages} == {"laptop"}


def test_one_of_several_devices_has_to_be_named_and_an_unknown_one_is_not_found(
    client: FlaskClient, batch_id: int
) -> None:
    refused = client.get(f"/api/sync/status/{batch_id}/missing")
    assert refused.status_code == 400 and "name one of them: " in refused.json["detail"]
    unknown = client.get(f"/api/sync/status/{batch_id}/missing", query_string={"device_id": "NOBODY"})
    assert unknown.status_code == 404
    assert client.get("/api/sync/status/100000/missing").status_code == 404


def test_a_delivery_that_is_over_lacks_nothing(client: FlaskClient, site: Site, batch_id: int) -> None:
    with site.services.db.transaction() as conn:
        ids = [asset.id for asset in assets.list_in_batch(conn, batch_id)]
        for device in (PHONE, LAPTOP):
            deliveries.confirm(conn, batch_id, device, [(asset_id, "US:1") for asset_id in ids])

    found = devices(client, batch_id)

    assert {device["code"] for device in found.values()} == {"confirmed"}
    assert {device["progress"] for device in found.values()} == {100.0}
    assert {len(device["missing"]) for device in found.values()} == {0}


def test_the_dashboard_shows_each_peer_with_its_missing_files(client: FlaskClient, batch_id: int) -> None:
    page = client.get("/dashboard").get_data(as_text=True)

    assert "27 of 30 confirmed on phone" in page and "5 of 30 confirmed on laptop" in page
    assert "25 files are missing there" in page and "permission denied" in page
    assert f"/batches/{batch_id}/missing?device_id={LAPTOP}" in page


def test_a_batch_counts_as_delivered_at_several_peers_only_when_each_has_it(site: Site, batch_id: int) -> None:
    with site.services.db.reading() as conn:
        ids = [asset.id for asset in assets.list_in_batch(conn, batch_id)]
        delivered = [asset_id for asset_id in ids if deliveries.is_delivered(conn, batch_id, asset_id)]
        assert delivered == ids[3:5]
        assert deliveries.size_of_confirmed(conn, batch_id, PHONE, LAPTOP) == (2, 20)
        assert deliveries.count(conn, batch_id) == FILES
