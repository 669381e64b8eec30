"""The set-up of Syncthing over HTTP, where no Syncthing answers: refusals in words, forms, scopes, no secret."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.syncthing.answers import FolderView
from app.syncthing.setup_state import Peer, SetupState
from app.syncthing.setup_steps import steps_of
from app.web.auth import ADMIN_ENDPOINTS
from tests.conftest import make_config
from tests.web.conftest import Site

DEVICE_ID = "MFZWI3D-BONSGYC-YLTMRWG-C43ENR5-QXGZDMM-FZWI3DP-BONSGYY-LTMRWAD"
KEY = "CANARY-0123456789-abcdef"
NOWHERE = {"api_url": "http://127.0.0.1:9", "api_key": KEY}
PAGE = {"Accept": "text/html", "HX-Request": "true"}


@pytest.fixture
def away(make_site: Callable[..., Site]) -> FlaskClient:
    """A client of an installation whose Syncthing does not answer."""
    return make_site(syncthing=NOWHERE, sync={"target": "syncthing"}).client()


def test_without_syncthing_the_state_says_what_to_do(away: FlaskClient) -> None:
    found = away.get("/api/syncthing").json
    assert (found["ready"], found["reachable"], found["state"]) == (False, False, "wrong")
    assert [step["name"] for step in found["steps"]] == ["syncthing"]
    assert "does not answer at http://127.0.0.1:9" in found["sentence"] and "Start Syncthing" in found["sentence"]
    assert found["key"]["looked_at"] == [{"source": "settings (syncthing.api_key)", "length": len(KEY), "fault": ""}]
    assert away.get("/api/syncthing/pending").json["fault"].startswith("Syncthing does not answer")


def test_without_a_key_the_state_says_so(client: FlaskClient) -> None:
    (step,) = client.get("/api/syncthing").json["steps"]
    assert (step["name"], step["state"]) == ("key", "wrong") and "no Syncthing API key" in step["cause"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("setup", {}),
        ("devices", {"device_id": DEVICE_ID}),
        ("devices/dismiss", {"device_id": DEVICE_ID}),
        ("folders/accept", {"device_id": DEVICE_ID, "folder_id": "x"}),
        ("folders/dismiss", {"device_id": DEVICE_ID, "folder_id": "x"}),
    ],
)
def test_a_write_without_syncthing_is_a_problem_and_leaves_no_trace(
    away: FlaskClient, tmp_path: Path, path: str, body: dict[str, str]
) -> None:
    before = (tmp_path / "config.yaml").read_bytes(), sorted((tmp_path / "batches").iterdir())
    answer = away.post(f"/api/syncthing/{path}", json=body)
    assert (answer.status_code, answer.json["type"]) == (502, "/problems/syncthing-unreachable")
    assert before == ((tmp_path / "config.yaml").read_bytes(), sorted((tmp_path / "batches").iterdir()))


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("devices", {}, 422),
        ("devices", {"device_id": 5}, 422),
        ("devices", {"device_id": DEVICE_ID, "evil": 1}, 422),
        ("devices", {"device_id": "A" * 500}, 422),
        ("devices", {"device_id": DEVICE_ID[:-1] + "A"}, 400),
        ("devices", {"device_id": "é" * 56}, 400),
        ("setup", {"change": ["everything"]}, 422),
        ("folders/accept", {"device_id": DEVICE_ID}, 422),
        ("folders/dismiss", {"device_id": "short", "folder_id": "x"}, 400),
    ],
)
def test_a_body_with_faults_is_refused_before_anything_is_asked(
    away: FlaskClient, path: str, body: dict[str, object], status: int
) -> None:
    assert away.post(f"/api/syncthing/{path}", json=body).status_code == status


def test_a_form_of_the_page_is_understood_and_answered_in_place(away: FlaskClient) -> None:
    answer = away.post("/api/syncthing/devices", data={"device_id": "abc", "name": ""}, headers=PAGE)
    assert answer.status_code == 400 and "56 letters" in answer.text and answer.headers["HX-Retarget"] == "#notices"
    answer = away.post("/api/syncthing/setup", data={"change": "type"}, headers=PAGE)
    assert answer.status_code == 502 and "does not answer" in answer.text


def test_the_page_tells_what_is_wrong_and_holds_no_secret(away: FlaskClient) -> None:
    page = away.get("/peer", headers={"Accept": "text/html"})
    assert page.status_code == 200 and "does not answer" in page.text and "Add this peer" not in page.text
    assert KEY not in page.text + json.dumps(away.get("/api/syncthing").json)


def test_the_live_part_is_sent_again_only_when_something_changed(away: FlaskClient) -> None:
    page = away.get("/partials/peer").text
    mark = page.partition("mark=")[2].partition('"')[0]
    assert away.get(f"/partials/peer?mark={mark}").status_code == 204


def test_pages_that_wait_for_a_silent_syncthing_take_one_thread_only(make_site: Callable[..., Site]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        site = make_site(syncthing={"api_url": url, "api_key": KEY}, sync={"target": "syncthing"})
        answers: list[int] = []
        first = threading.Thread(target=lambda: answers.append(site.client().get("/partials/peer").status_code))
        first.start()
        asked = silent.accept()[0]
        assert site.client().get("/partials/peer").status_code == 204
        asked.close()
        first.join(60)
    assert answers == [200]


def test_every_write_needs_an_administrator(site: Site) -> None:
    writes = {
        rule.endpoint
        for rule in site.app.url_map.iter_rules()
        if rule.rule.startswith("/api/syncthing") and "POST" in (rule.methods or set())
    }
    assert len(writes) == 5 and writes <= ADMIN_ENDPOINTS


@pytest.mark.parametrize(
    ("sync", "said"),
    [
        ({"target": "folder"}, "Batches are copied to USB; each copy is read again"),
        ({"target": "none"}, "Batches are delivered nowhere: their files go straight to the archive"),
    ],
)
def test_with_another_way_of_delivery_the_page_says_where_batches_go_and_how_to_switch(
    make_site: Callable[..., Site], tmp_path: Path, sync: dict[str, str], said: str
) -> None:
    usb = tmp_path / "usb"
    usb.mkdir()
    said = said.replace("USB", str(usb))
    client = make_site(sync={**sync, "folder_dir": str(usb)}, syncthing=NOWHERE).client()
    page = client.get("/peer").get_data(as_text=True)
    assert said in page and "sync.target: auto" in page and "http://127.0.0.1:9" in page
    assert "Add this peer" not in page and "wrong" not in page
    assert client.get("/api/syncthing").json["instead"].startswith(said)


def test_where_nobody_has_chosen_syncthing_and_none_is_here_nothing_is_wrong(
    make_site: Callable[..., Site],
) -> None:
    page = make_site(sync={"target": "auto"}, syncthing={"api_url": NOWHERE["api_url"]}).client().get("/peer").text
    assert "Nothing is delivered now" in page and 'href="/welcome/target"' in page
    assert "wrong" not in page and "Add this peer" not in page


def test_the_page_does_not_send_its_reader_to_itself(away: FlaskClient) -> None:
    page = away.get("/peer").get_data(as_text=True)
    assert "on the page Peer" not in page and "Start Syncthing" in page
    assert away.get("/api/syncthing").json["instead"] is None


def test_a_peer_that_was_only_just_added_is_given_its_minute(tmp_path: Path) -> None:
    def connection(last_seen: str) -> tuple[str, str]:
        folder = FolderView("media-pipeline", "/b", "sendonly", False, (DEVICE_ID,))
        peer = Peer(DEVICE_ID, "phone", is_connected=False, is_paused=False, is_shared=True, last_seen=last_seen)
        state = SetupState((), folder=folder, is_same_place=True, peers=(peer,))
        (step,) = [step for step in steps_of(state, make_config(tmp_path), ()) if step.name == "connection"]
        return step.state, step.cause

    assert connection("") == ("waiting", "phone was added and has not connected yet; that takes up to a minute.")
    away = connection("2026-05-06T09:08:09+02:00")
    assert away == ("waiting", "phone is not connected, last seen 2026-05-06 07:08:09 UTC.")
