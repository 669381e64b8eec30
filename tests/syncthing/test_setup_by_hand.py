"""The set-up of Syncthing from the command line and over HTTP: the same acts, the same words, real Syncthings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cli import run
from app.model.pairing import PAIRING_TEST_NAME
from app.services import ServiceContainer
from app.web import create_app
from tests.syncthing.installing import empty, install, kinds_of, two_strangers
from tests.syncthing.pair import KEY, Node, wait_for
from tests.syncthing.proxy import Proxy

pytestmark = pytest.mark.syncthing
Call = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def pair_of_strangers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Node]]:
    with two_strangers(tmp_path_factory.mktemp("nodes")) as found:
        yield found


@pytest.fixture
def nodes(pair_of_strangers: tuple[Node, Node]) -> tuple[Node, Node]:
    """Two Syncthings that do not know each other."""
    for node in pair_of_strangers:
        empty(node)
    return pair_of_strangers


@pytest.fixture
def container(nodes: tuple[Node, Node], tmp_path: Path) -> Iterator[ServiceContainer]:
    made = install(tmp_path / "product", nodes[0])
    yield made
    made.close()


@pytest.fixture
def call(container: ServiceContainer, capsys: pytest.CaptureFixture[str]) -> Call:
    """`call("setup")`: (exit code, what was printed) of `media-pipeline syncthing setup`."""

    def caller(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        code = run(["--config", container.store.path, "syncthing", *words])
        said = capsys.readouterr()
        return code, said.out + said.err

    return caller


def knock(peer: Node, ours: Node) -> None:
    peer.add_device(ours)
    wait_for(lambda: peer.device_id in ours.rest("GET", "cluster/pending/devices"), "the peer has knocked")


def test_a_peer_is_connected_from_the_command_line(
    nodes: tuple[Node, Node], container: ServiceContainer, call: Call
) -> None:
    ours, phone = nodes
    code, said = call()
    assert code == 1 and "missing  folder: No folder in Syncthing is for the batches yet." in said
    assert ours.device_id in call("qr")[1] and json.loads(call("qr", "--json")[1]) == {"device_id": ours.device_id}

    assert call("setup")[0] == 0
    assert call("setup") == (0, "Nothing had to be changed.\n")
    code, said = call("status", "--json")
    assert code == 0 and json.loads(said)["folder"]["id"] == "media-pipeline"
    assert call("pending") == (0, "Nothing waits. `media-pipeline syncthing qr` shows what the peer has to scan.\n")

    knock(phone, ours)
    assert phone.device_id in call("pending")[1]
    code, said = call("accept", phone.device_id, "--name", "my phone")
    assert code == 0 and "The device my phone was added in Syncthing." in said
    assert "my phone is the peer that must have every file" in said
    assert KEY not in call("status", "--json")[1] + call("status")[1]
    assert kinds_of(container) == ["sync.folder_created", "sync.peer_added", "sync.folder_shared"]


def test_a_pairing_test_is_carried_to_its_end_by_the_command_that_asked_for_it(
    nodes: tuple[Node, Node], container: ServiceContainer, call: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, phone = nodes
    command = ["--config", container.store.path, "pairing-test"]
    file = Path(container.services.config.paths.batch_dir) / PAIRING_TEST_NAME
    knock(phone, ours)
    assert call("setup")[0] == call("accept", phone.device_id)[0] == 0
    wait_for(lambda: "media-pipeline" in phone.rest("GET", "cluster/pending/folders"), "the phone is offered it")

    assert run([*command, "--max-minutes", "0.05"]) == 1
    assert run([*command, "--status"]) == 0 and "passed" not in capsys.readouterr().out
    assert file.is_file()

    phone.add_folder("receiveonly", ours, folder_id="media-pipeline")
    assert run(command) == 0
    said = capsys.readouterr().out
    assert "is taken up again" in said and "The pairing test is passed: the file arrived at" in said
    assert not file.exists() and kinds_of(container, "pairing.") == ["pairing.passed"]


def test_what_is_refused_at_the_command_line_says_why(nodes: tuple[Node, Node], call: Call) -> None:
    ours, phone = nodes
    code, said = call("accept", "abc")
    assert code == 2 and "56 letters and digits" in said
    # Not the phone: on newer versions it may still knock from the test before.
    code, said = call("dismiss", ours.device_id)
    assert code == 2 and "There is no request of the device" in said
    knock(phone, ours)
    assert call("dismiss", phone.device_id)[0] == 0
    assert call("accept", phone.device_id, "--folder", "x")[0] == 2
    ours.rest("POST", "config/folders", json={"id": "media-pipeline", "path": "/nowhere/else", "type": "sendonly"})
    code, said = call("setup")
    assert code == 0 and "The folder media-pipeline-2 was made" in said
    ours.stop()
    code, said = call("setup")
    assert code == 1 and "does not answer" in said


def test_a_peer_is_connected_over_http(nodes: tuple[Node, Node], container: ServiceContainer) -> None:
    ours, phone = nodes
    client = create_app(container=container).test_client()
    picture = client.get("/api/syncthing/device/qr.svg")
    assert picture.content_type == "image/svg+xml" and b"<script" not in picture.data and b"style" not in picture.data
    assert client.post("/api/syncthing/setup").json["done"][0].startswith("The folder media-pipeline was made")
    knock(phone, ours)
    assert [d["device_id"] for d in client.get("/api/syncthing/pending").json["devices"]] == [phone.device_id]
    answer = client.post(
        "/api/syncthing/devices", json={"device_id": phone.device_id}, headers={"Idempotency-Key": "once"}
    )
    again = client.post(
        "/api/syncthing/devices", json={"device_id": phone.device_id}, headers={"Idempotency-Key": "once"}
    )
    assert answer.json == again.json and len(answer.json["done"]) == 3
    peer = client.get("/api/syncthing").json["peers"][0]
    assert (peer["device_id"], peer["shared"], peer["required"]) == (phone.device_id, True, True)
    _offers(client, phone, ours)


def _offers(client: Any, phone: Node, ours: Node) -> None:
    phone.add_folder("sendreceive", ours, folder_id="camera")
    wait_for(lambda: client.get("/api/syncthing/pending").json["folders"], "the folder is offered")
    offer = {"folder_id": "camera", "device_id": phone.device_id}
    assert client.post("/api/syncthing/folders/accept", json=offer).status_code == 409
    assert client.post("/api/syncthing/folders/dismiss", json=offer).status_code == 200
    assert client.post("/api/syncthing/folders/dismiss", json=offer).status_code == 404
    assert client.post("/api/syncthing/devices/dismiss", json={"device_id": phone.device_id}).status_code == 404


def test_a_hostile_name_of_a_peer_is_shown_as_text(nodes: tuple[Node, Node], container: ServiceContainer) -> None:
    ours, phone = nodes
    hostile = "<img src=x onerror=alert(1)>\x1b[31m\n" + "x" * 300
    me = {"deviceID": phone.device_id, "name": hostile}
    phone.rest("PATCH", f"config/devices/{phone.device_id}", json=me)
    knock(phone, ours)
    client = create_app(container=container).test_client()
    page = client.get("/peer", headers={"Accept": "text/html"}).text
    assert "<img src=x" not in page and "\x1b" not in page and "&lt;img src=x" in page
    (device,) = client.get("/api/syncthing/pending").json["devices"]
    assert device["name"].startswith("<img src=x onerror=alert(1)>\\x1b[31m\\n") and len(device["name"]) < 200


def test_naming_our_own_device_as_the_peer_is_saved_with_a_warning(
    nodes: tuple[Node, Node], container: ServiceContainer, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, phone = nodes
    capsys.readouterr()
    config = ["--config", container.store.path, "config", "set"]
    assert run([*config, f"syncthing.device_id={ours.device_id}", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["warnings"]
    assert [(w["path"], "is this Syncthing itself" in w["message"]) for w in told] == [("syncthing.device_id", True)]
    assert run([*config, f"syncthing.device_id={phone.device_id}"]) == 0
    assert "warning" not in capsys.readouterr().out


def test_naming_our_own_device_is_told_of_wherever_settings_are_checked_saved_or_shown(
    nodes: tuple[Node, Node], container: ServiceContainer, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, phone = nodes
    client = create_app(container=container).test_client()
    before = Path(container.store.path).read_text()

    def doubted(answer: dict[str, Any]) -> list[str]:
        return [told["path"] for told in answer["warnings"] if "is this Syncthing itself" in told["message"]]

    named = {"syncthing": {"device_id": ours.device_id}}
    other = {"syncthing": {"device_id": phone.device_id, "device_ids": []}}
    second = {"syncthing": {"device_id": phone.device_id, "device_ids": [ours.device_id]}}
    for wanted, expected in ((named, ["syncthing.device_id"]), (second, ["syncthing.device_ids"]), (other, [])):
        assert doubted(client.post("/api/config/validate", json=wanted).json) == expected
        assert doubted(client.put("/api/config", json=wanted).json) == expected
    text = before.replace("device_id: ''", f"device_id: {ours.device_id}", 1)
    body = {"data": text, "content_type": "text/yaml"}
    assert doubted(client.post("/api/config/validate", **body).json) == ["syncthing.device_id"]
    assert doubted(client.put("/api/config/raw", **body).json) == ["syncthing.device_id"]
    assert doubted(client.put("/api/config", json={"batch": {"max_files": 9}}).json) == []
    capsys.readouterr()
    assert run(["--config", container.store.path, "config", "validate"]) == 0
    assert "is this Syncthing itself" in capsys.readouterr().out

    page = client.get("/peer").get_data(as_text=True)
    assert "The device that must have every file (syncthing.device_id) is Syncthing here itself." in page
    assert client.post("/api/syncthing/devices", json={"device_id": ours.device_id}).status_code == 400


def test_a_check_of_settings_asks_no_other_server_than_the_one_in_force(
    nodes: tuple[Node, Node], container: ServiceContainer
) -> None:
    ours, _ = nodes
    client = create_app(container=container).test_client()
    proxy = Proxy(ours.gui_port)
    try:
        elsewhere = {"syncthing": {"api_url": proxy.url, "device_id": ours.device_id}}
        checked = client.post("/api/config/validate", json=elsewhere).json
    finally:
        proxy.stop()
    assert checked["valid"] is True and proxy.asked == {}
