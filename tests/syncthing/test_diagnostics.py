"""The diagnostics over a real pair: every fault has its name, its cause and its fix, and no secret gets out."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from app.diagnostics import Check, diagnose, run_checks, without_secrets
from app.errors import NotFound
from app.overview.delivery import delivery_status
from app.services import Services
from tests.syncthing.pair import FOLDER, KEY, Pair
from tests.syncthing.staging import look, look_until_synced, publish

pytestmark = pytest.mark.syncthing


def states(services: Services) -> dict[str, str]:
    return {check["name"]: check["state"] for check in diagnose(services)["checks"]}


def test_a_sound_pair_is_ok_throughout(module_pair: Pair, opened: Any) -> None:
    services = opened(module_pair)
    look_until_synced(services, publish(services, "sound", {"a.jpg": b"one"}))

    found = diagnose(services)

    assert set(states(services).values()) == {"ok"} and found["ok"] and found["reachable"]
    assert found["key"] == {"source": "settings (syncthing.api_key)", "length": len(KEY)}
    assert found["folder"]["id"] == FOLDER and found["device"]["connected"] is True
    assert found["syncthing_status"]["myID"] == module_pair.ours.device_id
    assert found["completion"]["percent"] == 100 and found["folder_status"]["state"] == "idle"
    assert KEY not in json.dumps(found)


def test_the_status_of_a_delivery_tells_what_is_missing_and_why(module_pair: Pair, opened: Any) -> None:
    services = opened(module_pair)
    batch = publish(services, "status", {"a.jpg": b"one", ".syncthing.b.jpg": b"Syncthing never sends such a name"})
    for _ in range(30):
        look(services, batch)

    found = delivery_status(services, batch.id)

    assert found["missing"][0]["path"] == "status/.syncthing.b.jpg" and found["status"] == "SYNCING"
    assert len(found["samples"]) == services.config.workflow.trace.syncthing_samples
    assert found["trouble"] and "status/.syncthing.b.jpg" in found["detail"]
    assert diagnose(services)["last_error"]["batch_id"] == batch.id
    with pytest.raises(NotFound):
        delivery_status(services, 10_000)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"api_key": "CANARY-wrong"}, "syncthing key"),
        ({"folder_id": "other"}, "syncthing folder"),
        ({"folder_id": "", "batch_dir": "/no/such/place"}, "syncthing folder"),
        ({"device_id": "AAAAAAA"}, "syncthing device"),
        ({"api_url": "http://127.0.0.1:9"}, "syncthing reachable"),
        ({"api_url": "http://user:CANARY@127.0.0.1:8384"}, "syncthing reachable"),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_do(
    module_pair: Pair, opened: Any, changes: dict[str, str], name: str
) -> None:
    found = diagnose(opened(module_pair, syncthing=changes))

    faults = [check for check in found["checks"] if check["state"] == "fault"]
    assert [f["name"] for f in faults] == [name] and faults[0]["fix"] and not found["ok"]
    assert "CANARY" not in json.dumps(found)


def test_a_wrong_key_is_told_where_only_a_device_is_named(module_pair: Pair, opened: Any) -> None:
    only_device = {"folder_id": "", "api_key": "CANARY-wrong"}
    services = opened(module_pair, sync={"target": "auto"}, syncthing=only_device)
    assert {check.name: check.state for check in run_checks(services)}["syncthing key"] == "fault"


def test_foreign_ignore_patterns_and_a_paused_folder_are_told(module_pair: Pair, opened: Any) -> None:
    services = opened(module_pair)
    client = module_pair.ours.client()
    before = client.ignores(FOLDER)
    client.set_ignores(FOLDER, [*before, "*.png"])
    assert states(services)["syncthing ignore patterns"] == "warning"
    client.set_ignores(FOLDER, before)
    module_pair.ours.change_folder(paused=True)
    try:
        assert states(services)["syncthing folder"] == "fault"
    finally:
        module_pair.ours.change_folder(paused=False)


def test_a_send_receive_folder_is_a_warning(module_pair: Pair, opened: Any) -> None:
    module_pair.ours.change_folder(type="sendreceive")
    try:
        assert states(opened(module_pair))["syncthing folder type"] == "warning"
    finally:
        module_pair.ours.change_folder(type="sendonly")


def test_all_checks_run_and_a_lost_root_is_a_fault(module_pair: Pair, opened: Any) -> None:
    services = opened(module_pair)
    named = {check.name: check for check in run_checks(services)}
    assert {"database", "totals", "moves", "ingest folder", "batch folder", "archive folder", "worker"} <= set(named)
    assert named["ingest folder"].state == "ok" and named["worker"].state != "ok"

    archive = services.config.paths.sorted_dir
    os.rename(archive, archive + "-away")
    try:
        lost = {check.name: check for check in run_checks(services)}["archive folder"]
    finally:
        os.rename(archive + "-away", archive)
    assert isinstance(lost, Check) and lost.state == "fault" and lost.fix


def test_a_url_is_shown_without_its_secrets() -> None:
    assert without_secrets("http://user:secret@nas:8384/rest?key=secret") == "http://nas:8384/rest"
    assert without_secrets("http://[broken") == "(not a URL)"
