"""Setting Syncthing up by itself: from nothing to a delivered batch, over real Syncthings, and never twice."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.db import confirmation, journal
from app.db.clock import now
from app.diagnostics import diagnose
from app.errors import BadRequest, Conflict, NotFound
from app.jobs import peer as jobs
from app.model import BatchStatus
from app.overview.peer import peer_state
from app.services import ServiceContainer
from app.syncthing.setup_steps import RESUME, SEND_ONLY
from tests.conftest import read_tree
from tests.syncthing.installing import config_text, empty, install, kinds_of, two_strangers
from tests.syncthing.pair import Node, wait_for
from tests.syncthing.staging import look_until_synced, publish, status_of

pytestmark = pytest.mark.syncthing

OWN_LINES = ["/.media-pipeline-root", "/.mp-*"]
Installer = Callable[..., ServiceContainer]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Node]]:
    """Two Syncthings that do not know each other; tests leave them as they found them."""
    with two_strangers(tmp_path_factory.mktemp("fresh")) as found:
        yield found


@pytest.fixture
def ours(nodes: tuple[Node, Node]) -> Iterator[Node]:
    yield nodes[0]
    for node in nodes:
        empty(node)


@pytest.fixture
def peer(nodes: tuple[Node, Node], ours: Node) -> Node:
    return nodes[1]


@pytest.fixture
def installed(tmp_path: Path, ours: Node) -> Iterator[Installer]:
    made: list[ServiceContainer] = []

    def installer(**changes: Any) -> ServiceContainer:
        made.append(install(tmp_path / "product", ours, **changes))
        return made[-1]

    yield installer
    for container in made:
        container.close()


def folder_of(node: Node, folder_id: str = "media-pipeline") -> dict[str, Any]:
    found: dict[str, Any] = node.rest("GET", f"config/folders/{folder_id}")
    return found


def ignored(node: Node, folder_id: str = "media-pipeline") -> list[str]:
    return list(node.rest("GET", "db/ignores", params={"folder": folder_id})["ignore"] or [])


def steps(container: ServiceContainer) -> dict[str, str]:
    return {step["name"]: step["state"] for step in peer_state(container.services)["steps"]}


def knock(peer: Node, ours: Node) -> None:
    """The peer adds our device; ours hears of an unknown one."""
    peer.add_device(ours)
    wait_for(lambda: peer.device_id in ours.rest("GET", "cluster/pending/devices"), "the peer has knocked")


def test_a_fresh_syncthing_gets_its_folder_by_one_act(ours: Node, installed: Installer) -> None:
    container = installed()
    assert steps(container)["folder"] == "missing" and container.services.config.sync_target == "none"

    done = jobs.set_up_syncthing(container, "anna")

    made = folder_of(ours)
    assert made["path"] == container.services.config.paths.batch_dir
    assert (made["type"], made["paused"], made["fsWatcherEnabled"]) == ("sendonly", False, False)
    assert [device["deviceID"] for device in made["devices"]] == [ours.device_id]
    assert ignored(ours) == OWN_LINES
    assert container.services.config.syncthing.folder_id == "media-pipeline"
    assert container.services.config.sync_target == "syncthing"
    assert len(done) == 2 and "was made in Syncthing" in done[0]
    found = peer_state(container.services)
    assert {step["name"]: step["state"] for step in found["steps"]} == {
        "syncthing": "ok", "key": "ok", "target": "ok", "folder": "ok", "place": "ok", "type": "ok", "running": "ok",
        "ignore list": "ok", "peer": "waiting",
    }  # fmt: skip
    assert found["device_id"] == ours.device_id and "add the device ID that is shown here" in found["sentence"]
    assert kinds_of(container) == ["sync.folder_created"]


def test_nothing_of_our_own_is_announced(ours: Node, installed: Installer) -> None:
    container = installed()
    batch_dir = container.services.config.paths.batch_dir
    Path(batch_dir, "old.jpg").write_bytes(b"there before")
    jobs.set_up_syncthing(container, "anna")
    listed = {"folder": "media-pipeline"}
    wait_for(lambda: ours.rest("GET", "db/browse", params=listed), "the first scan is done")
    assert [entry["name"] for entry in ours.rest("GET", "db/browse", params=listed)] == ["old.jpg"]


def test_a_second_set_up_changes_nothing(ours: Node, peer: Node, installed: Installer) -> None:
    container = installed()
    jobs.accept_device(container, "anna", peer.device_id, "phone")
    before = config_text(ours), ignored(ours), Path(container.store.path).read_bytes(), kinds_of(container)

    assert jobs.set_up_syncthing(container, "anna") == []
    assert jobs.accept_device(container, "anna", peer.device_id, "another name") == []

    assert before == (config_text(ours), ignored(ours), Path(container.store.path).read_bytes(), kinds_of(container))


def test_an_unknown_device_that_knocks_is_accepted_and_gets_a_batch(
    ours: Node, peer: Node, installed: Installer
) -> None:
    container = installed()
    jobs.set_up_syncthing(container, "anna")
    knock(peer, ours)
    waiting = peer_state(container.services)
    assert [device["device_id"] for device in waiting["pending"]["devices"]] == [peer.device_id]
    assert waiting["sentence"] == "A request waits for your word. Accept it below."

    jobs.accept_device(container, "anna", peer.device_id.lower())

    assert container.services.config.syncthing.device_id == peer.device_id
    assert {device["deviceID"] for device in folder_of(ours)["devices"]} == {ours.device_id, peer.device_id}
    assert kinds_of(container)[-2:] == ["sync.peer_added", "sync.folder_shared"]
    wait_for(lambda: "media-pipeline" in peer.rest("GET", "cluster/pending/folders"), "the peer is offered the folder")
    peer.add_folder("receiveonly", ours, folder_id="media-pipeline")
    batch = publish(container.services, "batch_001", {"a.jpg": b"one", "sub/b.jpg": b"two"})
    look_until_synced(container.services, batch)

    assert status_of(container.services, batch) is BatchStatus.SYNCED
    there = {name: content for name, content in read_tree(peer.folder).items() if name.startswith("batch_001/")}
    assert there == {"batch_001/a.jpg": b"one", "batch_001/sub/b.jpg": b"two"}
    assert not any(name.startswith((".mp-", ".media-pipeline")) for name in os.listdir(peer.folder))
    wait_for(lambda: peer_state(container.services)["ready"], "everything is set up")
    shown = peer_state(container.services)["peers"]
    assert [(p["device_id"], p["connected"], p["shared"], p["required"]) for p in shown] == [
        (peer.device_id, True, True, True)
    ]


def test_a_folder_that_a_peer_offers_is_accepted_as_ours(ours: Node, peer: Node, installed: Installer) -> None:
    container = installed()
    ours.add_device(peer)
    peer.add_device(ours)
    peer.add_folder("receiveonly", ours, folder_id="from-phone")
    wait_for(lambda: "from-phone" in ours.rest("GET", "cluster/pending/folders"), "the folder is offered")
    with pytest.raises(NotFound):
        jobs.accept_folder(container, "anna", "never-offered", peer.device_id)

    jobs.accept_folder(container, "anna", "from-phone", peer.device_id)

    assert folder_of(ours, "from-phone")["type"] == "sendonly"
    assert container.services.config.syncthing.folder_id == "from-phone"
    assert container.services.config.syncthing.device_id == peer.device_id
    wait_for(lambda: peer_state(container.services)["ready"], "everything is set up")


def test_our_folder_is_shared_with_a_known_device_that_offers_it(ours: Node, peer: Node, installed: Installer) -> None:
    container = installed()
    jobs.set_up_syncthing(container, "anna")
    ours.add_device(peer)
    peer.add_device(ours)
    peer.add_folder("receiveonly", ours, folder_id="media-pipeline")
    wait_for(lambda: "media-pipeline" in ours.rest("GET", "cluster/pending/folders"), "the folder is offered")

    jobs.accept_folder(container, "anna", "media-pipeline", peer.device_id)

    assert {device["deviceID"] for device in folder_of(ours)["devices"]} == {ours.device_id, peer.device_id}
    wait_for(lambda: peer_state(container.services)["ready"], "everything is set up")


def test_another_folder_that_is_offered_stays_where_it_is_and_can_be_dismissed(
    ours: Node, peer: Node, installed: Installer
) -> None:
    container = installed()
    jobs.accept_device(container, "anna", peer.device_id, "phone")
    peer.add_device(ours)
    peer.add_folder("sendreceive", ours, folder_id="camera")
    wait_for(lambda: "camera" in ours.rest("GET", "cluster/pending/folders"), "the folder is offered")

    with pytest.raises(Conflict, match="delivered through the folder media-pipeline"):
        jobs.accept_folder(container, "anna", "camera", peer.device_id)
    assert [folder["id"] for folder in ours.rest("GET", "config/folders")] == ["media-pipeline"]

    ours.rest("DELETE", "config/folders/media-pipeline")
    with pytest.raises(Conflict, match="delivered through the folder media-pipeline"):
        jobs.accept_folder(container, "anna", "camera", peer.device_id)
    assert ours.rest("GET", "config/folders") == []

    jobs.dismiss_request(container, "anna", peer.device_id, "camera")
    assert ours.rest("GET", "cluster/pending/folders") == {}
    assert kinds_of(container)[-1] == "sync.request_dismissed"


def test_a_knock_can_be_dismissed(ours: Node, peer: Node, installed: Installer) -> None:
    container = installed()
    knock(peer, ours)
    jobs.dismiss_request(container, "anna", peer.device_id)
    with pytest.raises(NotFound):
        jobs.dismiss_request(container, "anna", "MFZWI3D-BONSGYC-YLTMRWG-C43ENR5-QXGZDMM-FZWI3DP-BONSGYY-LTMRWAD")
    assert peer.device_id not in {device["deviceID"] for device in ours.rest("GET", "config/devices")}


def test_a_folder_at_another_place_is_told_and_never_shared(
    ours: Node, peer: Node, installed: Installer, tmp_path: Path
) -> None:
    ours.rest("POST", "config/folders", json={"id": "photos", "path": str(tmp_path / "elsewhere"), "type": "sendonly"})
    container = installed(syncthing={"folder_id": "photos", "device_id": peer.device_id})
    before = config_text(ours)

    with pytest.raises(Conflict, match=r"photos in Syncthing is .*elsewhere, and the batch folder is not there"):
        jobs.accept_device(container, "anna", peer.device_id)

    assert config_text(ours) == before
    assert steps(container)["place"] == "wrong"


def test_the_folder_that_holds_the_batch_folder_is_found_by_its_path(ours: Node, installed: Installer) -> None:
    container = installed(sync={"target": "syncthing"})
    batch_dir = container.services.config.paths.batch_dir
    outer, devices = os.path.dirname(batch_dir), [{"deviceID": ours.device_id}]
    for folder_id, path in (("outer", outer), ("deep", batch_dir)):
        Path(path, ".stfolder").mkdir(exist_ok=True)
        folder = {"id": folder_id, "path": path, "type": "sendonly", "devices": devices}
        ours.rest("POST", "config/folders", json=folder)
    found = peer_state(container.services)["folder"]
    assert (found["id"], found["found_by"]) == ("deep", "path")

    jobs.set_up_syncthing(container, "anna")

    assert container.services.config.syncthing.folder_id == "deep" and ignored(ours, "deep") == OWN_LINES
    assert kinds_of(container) == ["sync.folder_changed"]


def test_a_batch_is_delivered_through_a_folder_that_is_found_by_its_path(
    ours: Node, peer: Node, installed: Installer
) -> None:
    container = installed(sync={"target": "syncthing"})
    batch_dir = container.services.config.paths.batch_dir
    for node, other in ((ours, peer), (peer, ours)):
        node.add_device(other)
        path, kind = (batch_dir, "sendonly") if node is ours else (str(peer.folder), "receiveonly")
        devices = [{"deviceID": ours.device_id}, {"deviceID": peer.device_id}]
        node.rest("POST", "config/folders", json={"id": "mine", "path": path, "type": kind, "devices": devices})

    batch = publish(container.services, "batch_001", {"a.jpg": b"one"})
    look_until_synced(container.services, batch)

    assert (peer.folder / "batch_001" / "a.jpg").read_bytes() == b"one"
    with container.services.db.reading() as conn:
        (begun,) = journal.list_events(conn, kind_prefix="batch.sync_started")
    assert begun.message.endswith("through the folder mine, found by its path.")
    checks = {check["name"]: check["state"] for check in diagnose(container.services)["checks"]}
    assert checks["syncthing folder"] == checks["syncthing path"] == "ok"
    assert container.services.config.syncthing.folder_id == ""


def test_the_diagnostics_know_a_folder_at_another_place(ours: Node, installed: Installer, tmp_path: Path) -> None:
    container = installed()
    jobs.set_up_syncthing(container, "anna")
    named = {check["name"]: check for check in diagnose(container.services)["checks"]}
    assert named["syncthing path"]["state"] == "ok"
    ours.rest("DELETE", "config/folders/media-pipeline")
    elsewhere = {"id": "media-pipeline", "path": str(tmp_path / "elsewhere"), "type": "sendonly"}
    ours.rest("POST", "config/folders", json=elsewhere)
    named = {check["name"]: check for check in diagnose(container.services)["checks"]}
    assert named["syncthing path"]["state"] == "fault" and "elsewhere" in named["syncthing path"]["cause"]


def test_a_folder_under_another_path_is_known_by_what_lies_in_it(
    ours: Node, installed: Installer, tmp_path: Path
) -> None:
    container = installed()
    link = tmp_path / "as [it] is there"
    link.symlink_to(container.services.config.paths.batch_dir)
    ours.rest("POST", "config/folders", json={"id": "mapped", "path": str(link), "type": "sendonly"})

    jobs.set_up_syncthing(container, "anna")

    assert container.services.config.syncthing.folder_id == "mapped" and steps(container)["place"] == "ok"
    assert [folder["id"] for folder in ours.rest("GET", "config/folders")] == ["mapped"]


def test_the_path_that_syncthing_sees_can_be_set(ours: Node, installed: Installer, tmp_path: Path) -> None:
    link = tmp_path / "there"
    container = installed(syncthing={"batch_dir": str(link)})
    with pytest.raises(Conflict, match=f"does not see the batch folder at {link}"):
        jobs.set_up_syncthing(container, "anna")
    link.symlink_to(container.services.config.paths.batch_dir)
    jobs.set_up_syncthing(container, "anna")
    assert folder_of(ours)["path"] == str(link)


def test_what_a_person_may_have_wanted_is_changed_with_their_word_alone(ours: Node, installed: Installer) -> None:
    container = installed()
    jobs.set_up_syncthing(container, "anna")
    ours.rest("PATCH", "config/folders/media-pipeline", json={"type": "sendreceive", "paused": True, "label": "mine"})
    assert {steps(container)[name] for name in ("type", "running")} == {"wrong"}
    before = config_text(ours)
    assert jobs.set_up_syncthing(container, "anna") == [] and config_text(ours) == before
    with pytest.raises(BadRequest, match="nothing that set-up changes"):
        jobs.set_up_syncthing(container, "anna", ["everything"])

    jobs.set_up_syncthing(container, "anna", [SEND_ONLY, RESUME])

    assert (folder_of(ours)["type"], folder_of(ours)["paused"]) == ("sendonly", False)
    assert {steps(container)[name] for name in ("type", "running")} == {"ok"}


def test_a_set_up_that_was_cut_off_is_ended_by_the_next(ours: Node, installed: Installer) -> None:
    container = installed(syncthing={"folder_id": "media-pipeline"})
    folder = {"id": "media-pipeline", "label": "Media Pipeline", "paused": True, "type": "sendonly"}
    path = container.services.config.paths.batch_dir
    ours.rest("POST", "config/folders", json={**folder, "path": path, "devices": [{"deviceID": ours.device_id}]})

    jobs.set_up_syncthing(container, "anna")

    assert ignored(ours) == OWN_LINES and folder_of(ours)["paused"] is False


def test_the_peer_that_the_settings_name_is_added_and_shared_with(ours: Node, peer: Node, installed: Installer) -> None:
    container = installed(syncthing={"device_id": peer.device_id, "folder_id": "photos"})
    ours.rest("POST", "config/devices", json={"deviceID": peer.device_id, "name": "my phone"})
    jobs.set_up_syncthing(container, "anna")
    assert {device["deviceID"] for device in folder_of(ours, "photos")["devices"]} == {ours.device_id, peer.device_id}
    assert peer_state(container.services)["peers"][0]["name"] == "my phone"
    assert "sync.peer_added" not in kinds_of(container)


def test_a_mistyped_device_id_and_our_own_are_refused(ours: Node, peer: Node, installed: Installer) -> None:
    container = installed()
    wrong = peer.device_id[:-1] + ("A" if peer.device_id[-1] != "A" else "B")
    for text, words in ((wrong, "mistyped"), ("abc", "56 letters"), (ours.device_id, "Syncthing here itself")):
        with pytest.raises(BadRequest, match=words):
            jobs.accept_device(container, "anna", text)
    assert [device["deviceID"] for device in ours.rest("GET", "config/devices")] == [ours.device_id]


def test_settings_that_name_syncthing_here_or_nobody_as_the_peer_are_told_as_wrong(
    ours: Node, peer: Node, installed: Installer
) -> None:
    wrong = peer.device_id[:-1] + ("A" if peer.device_id[-1] != "A" else "B")
    for device_id, words in ((ours.device_id, "is Syncthing here itself"), (wrong, "is mistyped")):
        container = installed(syncthing={"device_id": device_id, "folder_id": ""})
        step = next(step for step in peer_state(container.services)["steps"] if step["name"] == "peer")
        assert (step["state"], step["action"], words in step["cause"]) == ("wrong", "", True), step


def test_nothing_is_set_up_while_a_rebuild_awaits_a_persons_word(ours: Node, installed: Installer) -> None:
    container = installed()
    with container.services.db.transaction() as conn:
        confirmation.require(conn, now(), confirmation.REBUILT)
    with pytest.raises(Conflict):
        jobs.set_up_syncthing(container, "anna")
    assert ours.rest("GET", "config/folders") == []


def test_a_setting_that_the_environment_holds_is_left_to_it(
    ours: Node, peer: Node, installed: Installer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIA_PIPELINE_SYNCTHING__FOLDER_ID", "from-compose")
    container = installed()
    before = Path(container.store.path).read_bytes()
    jobs.set_up_syncthing(container, "anna")
    assert folder_of(ours, "from-compose")["type"] == "sendonly"
    assert Path(container.store.path).read_bytes() == before
