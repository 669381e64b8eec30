"""What holds deliveries up: the dashboard says it aloud, once, and never looks calm over it."""

from __future__ import annotations

import html
import re

import pytest
from flask.testing import FlaskClient

from app.db import batch_devices, batches, facts, runs
from app.db.clock import now
from app.model import WORKFLOW_STAGES, BatchStatus, RunKind, RunStatus, Trigger
from app.services import Services
from app.syncthing import notes, telling
from tests.browser import rows
from tests.web.conftest import Site

PHONE = "PHONE00-AAAAAAA"
PAUSED = "The folder photos is paused in Syncthing; resume it there."
REFUSED = "Syncthing at http://127.0.0.1:8384 does not accept the API key."


def shown(client: FlaskClient) -> str:
    """The dashboard's text as a person reads it."""
    page = re.sub(r"<[^>]+>", " ", client.get("/dashboard").get_data(as_text=True))
    return " ".join(html.unescape(page).split())


def hold_up(services: Services, batch_id: int, code: str, words: str, *, needs_person: bool = True) -> None:
    with services.db.transaction() as conn:
        remembered = notes.load(conn, batch_id)
        remembered.trouble, remembered.trouble_words, remembered.needs_person = code, words, needs_person
        notes.save(conn, batch_id, remembered)
        batches.set_columns(conn, batch_id, sync_detail=words)


@pytest.fixture
def batch_id(site: Site) -> int:
    """A delivery to the phone, which was connected and being sent to when it was looked at last."""
    made = rows.add_syncing_batch(site.services)
    with site.services.db.transaction() as conn:
        batch_devices.add(conn, made, [PHONE])
        batch_devices.note(conn, made, PHONE, name="phone", connected=True, code="sending", words="On their way.")
        facts.put(conn, "worker_heartbeat_at", now())
    return made


def wait_with(services: Services, batch_id: int) -> None:
    """A run that waits for this batch."""
    with services.db.transaction() as conn:
        run = runs.insert_queued(conn, RunKind.WORKFLOW, Trigger.API, WORKFLOW_STAGES)
        runs.change(conn, runs.change(conn, run, RunStatus.RUNNING), RunStatus.WAITING, batch_id=batch_id)


def deliver(services: Services, batch_id: int, policy: str) -> None:
    with services.db.transaction() as conn:
        batches.set_columns(conn, batch_id, peer_policy=policy)
        batches.change(conn, batches.get(conn, batch_id), BatchStatus.SYNCED)


def test_a_run_under_release_says_that_it_waits_for_the_person_at_the_peer(
    client: FlaskClient, site: Site, batch_id: int
) -> None:
    wait_with(site.services, batch_id)
    assert "Waiting until every file of batch_001 is proven at phone." in shown(client)
    deliver(site.services, batch_id, "release")

    page = shown(client)
    assert "Waiting for you at phone: upload or copy the files of batch_001 there, then delete them there." in page
    assert "to be proven" not in page and "0 of 640 files deleted there" in page
    assert client.get("/api/workflow/overview").json["waits_for"].startswith("Waiting for you at phone")


def test_a_run_that_waits_without_a_worker_is_a_warning(client: FlaskClient, site: Site, batch_id: int) -> None:
    wait_with(site.services, batch_id)
    assert client.get("/api/workflow/overview").json["warnings"] == []
    with site.services.db.transaction() as conn:
        facts.put(conn, "worker_heartbeat_at", "2026-05-06T07:08:09.000000+00:00")
    (warned,) = client.get("/api/workflow/overview").json["warnings"]
    assert (warned["level"], warned["message"]) == (
        "warning", "Run 1 waits, and no worker is running to go on with it."
    )  # fmt: skip


def test_a_run_that_waits_for_the_grace_time_says_until_when(client: FlaskClient, site: Site, batch_id: int) -> None:
    wait_with(site.services, batch_id)
    deliver(site.services, batch_id, "mirror")
    with site.services.db.transaction() as conn:
        batches.set_columns(conn, batch_id, next_look_at="2999-05-06T07:08:09.000000+00:00")
    assert "batch_001 is delivered, and is archived at 2999-05-06 07:08:09 UTC" in shown(client)


@pytest.mark.parametrize(
    ("code", "words", "level"), [("folder_paused", PAUSED, "warning"), ("syncthing_key", REFUSED, "error")]
)
def test_what_holds_a_delivery_up_is_a_warning_and_no_peer_looks_busy(
    client: FlaskClient, site: Site, batch_id: int, code: str, words: str, level: str
) -> None:
    hold_up(site.services, batch_id, code, words)
    wait_with(site.services, batch_id)

    warned = client.get("/api/workflow/overview").json["warnings"]
    assert [(w["level"], w["message"]) for w in warned] == [(level, f"The delivery of batch_001 is held up: {words}")]
    page = shown(client)
    assert "batch_001 is held up at the other side" in page
    assert page.count(words) == 1 and "held up" in page and "connected" not in page and "sending" not in page
    status = client.get(f"/api/sync/status/{batch_id}").json
    assert (status["devices"][0]["code"], status["devices"][0]["connected"]) == (code, None)
    assert status["devices"][0]["words"] == words and status["waits_for"] == words


def test_a_refused_key_is_an_error_also_while_nothing_is_delivered(client: FlaskClient, site: Site) -> None:
    with site.services.db.transaction() as conn:
        telling.tell_lost(conn, REFUSED, 30)
    assert site.services.config.sync_target == "none"
    assert client.get("/api/workflow/overview").json["hindrances"] == []


def test_a_syncthing_that_cannot_be_listened_to_is_told_while_it_is_used(make_site) -> None:  # type: ignore[no-untyped-def]
    site = make_site(sync={"target": "syncthing"}, syncthing={"folder_id": "photos"})
    with site.services.db.transaction() as conn:
        facts.put(conn, "worker_heartbeat_at", now())
        telling.tell_lost(conn, REFUSED, 30)
    client = site.client()
    found = client.get("/api/workflow/overview").json["warnings"]
    assert [(w["level"], w["message"]) for w in found] == [("error", f"Nothing can be delivered: {REFUSED}")]
    assert "page Peer" in found[0]["remedy"]
    with site.services.db.transaction() as conn:
        telling.tell_heard(conn)
    assert client.get("/api/workflow/overview").json["warnings"] == []


def test_waiting_for_a_peer_that_is_away_is_no_warning(client: FlaskClient, site: Site, batch_id: int) -> None:
    words = "Waiting for phone: it is not connected, last seen 2026-05-06 07:08 UTC."
    with site.services.db.transaction() as conn:
        batch_devices.note(conn, batch_id, PHONE, connected=False, code="peer_offline", words=words)
    hold_up(site.services, batch_id, "peer_offline", words, needs_person=False)

    assert client.get("/api/workflow/overview").json["warnings"] == []
    page = shown(client)
    assert page.count("it is not connected") == 1
    assert client.get(f"/api/sync/status/{batch_id}").json["devices"][0]["code"] == "peer_offline"


def test_of_several_peers_that_are_away_each_is_told_once(client: FlaskClient, site: Site, batch_id: int) -> None:
    words = [f"Waiting for {name}: it is not connected, never seen yet." for name in ("phone", "tablet")]
    with site.services.db.transaction() as conn:
        batch_devices.add(conn, batch_id, ["TABLET0-BBBBBBB"])
        for device, name, each in zip((PHONE, "TABLET0-BBBBBBB"), ("phone", "tablet"), words, strict=True):
            batch_devices.note(conn, batch_id, device, name=name, connected=False, code="peer_offline", words=each)
    hold_up(site.services, batch_id, "peer_offline", " ".join(words), needs_person=False)
    page = shown(client)
    assert [page.count(each) for each in words] == [1, 1]


def test_a_delivery_says_each_fact_once(client: FlaskClient, batch_id: int) -> None:
    page = shown(client)
    assert len(re.findall(r"\b250 of 640", page)) == 1
    assert page.count("phone") == 1
    assert page.count("keeps its copies when the files go to the archive") == 1


def test_a_delivery_and_a_run_that_waits_offer_one_look_now(client: FlaskClient, site: Site, batch_id: int) -> None:
    assert shown(client).count("Look now") == 1
    wait_with(site.services, batch_id)
    assert shown(client).count("Look now") == 1


def test_a_batch_that_is_archived_has_no_next_look(client: FlaskClient, site: Site, batch_id: int) -> None:
    deliver(site.services, batch_id, "mirror")
    at = now()
    with site.services.db.transaction() as conn:
        batches.set_columns(conn, batch_id, next_look_at=at)
    assert client.get(f"/api/sync/status/{batch_id}").json["next_look_at"] == at
    with site.services.db.transaction() as conn:
        batch = batches.change(conn, batches.get(conn, batch_id), BatchStatus.SORTING)
        batches.change(conn, batch, BatchStatus.SORTED)
    assert client.get(f"/api/sync/status/{batch_id}").json["next_look_at"] is None
    assert client.get(f"/api/batches/{batch_id}").json["sync"]["next_look_at"] is None
