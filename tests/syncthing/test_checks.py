"""Each check of the diagnostics: what it says of a good state and of a bad one, and the fix."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from app.diagnostics import diagnose
from app.services import Services
from app.syncthing import answers, checks_device
from app.syncthing.checks_device import deletes_check, needs_check, shared_back_check
from app.syncthing.checks_folder import room_check, type_check, wanted_free_bytes
from app.syncthing.checks_system import clock_check, gui_check, version_check
from app.syncthing.look import Standing
from app.syncthing.patterns import first_hit, read_patterns
from tests.syncthing.pair import FOLDER, KEY, Pair, wait_for
from tests.syncthing.staging import look, look_until_synced, publish

HERE = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("version", "state", "words"),
    [
        ("v1.18.6", "fault", "too old"),
        ("v0.14.54", "fault", "too old"),
        ("v1.19.2-ds1", "ok", "a version that works"),
        ("v1.29.5", "ok", "a version that works"),
        ("v2.1.3", "ok", "as they are documented"),
        ("v3.0.0-rc.1", "warning", "newer than what is known here"),
        ("unknown-dev", "warning", "says nothing"),
    ],
)
def test_a_version_is_known_too_old_or_newer_than_what_is_known(version: str, state: str, words: str) -> None:
    found = version_check(version)
    assert (found.state, bool(found.fix)) == (state, state != "ok") and words in found.cause and version in found.cause


@pytest.mark.parametrize(
    ("there", "state", "words"),
    [
        (format_datetime(HERE.replace(second=20), usegmt=True), "ok", "is that of Media Pipeline"),
        (format_datetime(HERE.replace(hour=8), usegmt=True), "warning", "3,600 seconds ahead of"),
        (format_datetime(HERE.replace(minute=0), usegmt=True), "warning", "480 seconds behind"),
        ("", "ok", "tell no time"),
        ("yesterday", "ok", "tell no time"),
    ],
)
def test_a_clock_that_differs_is_told_and_that_of_the_peer_is_not_known(there: str, state: str, words: str) -> None:
    found = clock_check(there, HERE)
    assert found.state == state and words in found.cause and "peer's clock cannot be seen" in found.cause


@pytest.mark.parametrize(
    ("address", "has_password", "state"),
    [
        ("127.0.0.1:8384", False, "ok"),
        ("[::1]:8384", False, "ok"),
        ("localhost:8384", False, "ok"),
        ("/run/syncthing.sock", False, "ok"),
        ("0.0.0.0:8384", True, "ok"),
        ("0.0.0.0:8384", False, "warning"),
        (":8384", False, "warning"),
        ("[::]:8384", False, "warning"),
        ("192.168.1.2:8384", False, "warning"),
    ],
)
def test_pages_that_the_network_can_open_need_a_password(address: str, has_password: bool, state: str) -> None:
    assert gui_check(address, has_password).state == state


def a_folder(**changes: object) -> answers.FolderView:
    plain = {"id": "f", "path": "/data", "type": "sendonly", "paused": False, "devices": []}
    return answers.folder_view({**plain, **changes})


def a_completion(**changes: object) -> answers.Completion:
    plain = {"completion": 100, "needItems": 0, "needBytes": 0, "needDeletes": 0, "sequence": 0}
    return answers.completion({**plain, **changes})


@pytest.mark.parametrize(
    ("kind", "state"),
    [("sendonly", "ok"), ("sendreceive", "warning"), ("receiveonly", "fault"), ("receiveencrypted", "fault")],
)
def test_the_type_of_the_folder_is_judged(kind: str, state: str) -> None:
    found = type_check(a_folder(type=kind))
    assert (found.state, bool(found.fix)) == (state, state != "ok")


@pytest.mark.parametrize(
    ("value", "unit", "wanted"),
    [(1, "%", 10), (5, "kB", 5_000), (2, "MB", 2_000_000), (3, "GB", 3e9), (1, "TB", 1e12), (7, "", 7)],
)
def test_free_space_is_wanted_as_a_share_or_in_thousands(value: float, unit: str, wanted: float) -> None:
    assert wanted_free_bytes(value, unit, 1000) == wanted


def test_less_room_than_syncthing_wants_is_a_warning(tmp_path: Path) -> None:
    views = [a_folder(minDiskFree={"value": value, "unit": "%"}) for value in (0, 100)]
    assert [room_check(view, os.fsencode(tmp_path)).state for view in views] == ["ok", "warning"]
    gone = room_check(views[0], os.fsencode(tmp_path / "gone"))
    assert gone.state == "warning" and "cannot be read" in gone.cause and gone.fix


def standing(*, connected: bool = True) -> Standing:
    return Standing(a_folder(), "PEER", "phone", connected, b"")


@pytest.mark.parametrize(
    ("remote_state", "sequence", "state", "words"),
    [
        ("valid", 1, "ok", "shares it back"),
        ("notSharing", 0, "fault", "has not accepted"),
        ("paused", 5, "fault", "has paused"),
        ("", 5, "ok", "has told what it holds"),
        ("", 0, "ok", "cannot be told by this version"),
        ("unknown", 0, "ok", "not connected since"),
    ],
)
def test_whether_the_peer_shares_the_folder_back_is_told_as_far_as_syncthing_tells(
    remote_state: str, sequence: int, state: str, words: str
) -> None:
    found = shared_back_check(a_completion(remoteState=remote_state, sequence=sequence), standing())
    assert found.state == state and words in found.cause


def test_a_peer_that_lacks_files_and_gets_none_is_a_warning() -> None:
    lacking = a_completion(completion=95, needItems=1200, needBytes=3_000_000)
    found = needs_check(lacking, standing(), 2 * checks_device.STUCK_SECONDS)

    assert found.state == "warning" and "lacks 1,200 files (3.0 MB)" in found.cause and "disk full" in found.fix
    assert "cannot be seen from here" in found.cause
    calm = [
        needs_check(lacking, standing(), 10),
        needs_check(lacking, standing(connected=False), 1e6),
        needs_check(a_completion(), standing(), 1e6),
    ]
    assert {check.state for check in calm} == {"ok"}


def test_deletes_that_pin_the_percentage_are_no_obstacle() -> None:
    found = deletes_check(a_completion(completion=95, needDeletes=3), "phone")
    assert found.state == "warning" and "stays at 95" in found.cause and "not affected" in found.cause


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("x.png", "*.png"),
        ("d/x.png", "**/*.png"),
        ("keep.jpg", None),
        ("b/xa.jpg", "/b/[x]*"),
        ("b/ya.jpg", None),
        ("q/FOO", "(?i)**/foo"),
        ("bar/1.jpg", "(?d)bar/**"),
        ("a.x", "{a,b}.x"),
        ("c.x", None),
        ("a[1],b", "a\\[1\\],b"),
        ("y.q", "[!z].q"),
    ],
)
def test_the_pattern_that_seems_to_hit_a_file_is_found(path: str, line: str | None) -> None:
    patterns = ["*.png", "**/*.png", "!keep.jpg", "keep.*", "/b/[x]*", "(?i)**/foo", "(?d)bar/**", "{a,b}.x",
                "a\\[1\\],b", "[!z].q", "[unclosed"]  # fmt: skip
    assert first_hit(read_patterns(patterns), path) == line


def named(services: Services, name: str) -> list[dict[str, str]]:
    return [check for check in diagnose(services)["checks"] if check["name"] == name]


@pytest.mark.syncthing
def test_files_that_an_ignore_pattern_hits_are_named_with_the_pattern(module_pair: Pair, opened: Any) -> None:
    services = opened(module_pair)
    client = module_pair.ours.client()
    before = client.ignores(FOLDER)
    client.set_ignores(FOLDER, [*before, "*.png", "/elsewhere"])
    batch = publish(services, "hit", {"a.jpg": b"1", "b.png": b"2", "deep/c.png": b"3"})
    look(services, batch)

    (found,) = named(services, "syncthing ignore patterns")

    assert found["state"] == "fault" and found["fix"]
    assert "hit/b.png, hit/deep/c.png" in found["cause"] and "*.png" in found["cause"]
    assert "elsewhere" not in found["cause"] and "a.jpg" not in found["cause"]
    assert {hit["path"] for hit in diagnose(services)["ignored_files"]} == {"hit/b.png", "hit/deep/c.png"}
    client.set_ignores(FOLDER, before)
    look_until_synced(services, batch)
    assert named(services, "syncthing ignore patterns")[0]["state"] == "ok"


@pytest.mark.syncthing
def test_a_line_that_an_earlier_batch_of_the_same_name_left_is_a_fault(module_pair: Pair, opened: Any) -> None:
    services = opened(module_pair)
    client = module_pair.ours.client()
    before = client.ignores(FOLDER)
    client.set_ignores(FOLDER, [*before, "/left-over"])
    batch = publish(services, "left-over", {"a.jpg": b"1"})

    (found,) = named(services, "syncthing ignore patterns")

    assert found["state"] == "fault" and "/left-over" in found["cause"]
    client.set_ignores(FOLDER, before)
    look_until_synced(services, batch)


@pytest.mark.syncthing
def test_a_missing_marker_and_files_that_cannot_be_read_are_named(module_pair: Pair, opened: Any) -> None:
    services = opened(module_pair)
    odd = module_pair.ours.folder / os.fsdecode(b"odd-\xff.jpg")
    odd.write_bytes(b"1")
    module_pair.ours.scan()
    (errors,) = named(services, "syncthing folder errors")
    odd.unlink()
    marker = module_pair.ours.folder / ".stfolder"
    os.rename(marker, module_pair.ours.home / "marker-away")
    batch = publish(services, "no-marker", {"a.jpg": b"1"})
    look(services, batch)

    (found,) = named(services, "syncthing marker")

    os.rename(module_pair.ours.home / "marker-away", marker)
    assert errors["state"] == "warning" and "odd-" in errors["cause"]
    assert found["state"] == "fault" and ".stfolder" in found["cause"] and "Mount the disk" in found["fix"]
    look_until_synced(services, batch)
    assert named(services, "syncthing marker")[0]["state"] == "ok"


@pytest.mark.syncthing
def test_a_peer_that_is_paused_or_away_is_told_with_when_it_was_seen(module_pair: Pair, opened: Any) -> None:
    services = opened(module_pair)
    device = f"config/devices/{module_pair.peer.device_id}"
    module_pair.ours.rest("PATCH", device, json={"paused": True})
    paused = named(services, "syncthing peer")
    module_pair.ours.rest("PATCH", device, json={"paused": False})
    module_pair.wait_connected()
    module_pair.peer.stop()
    wait_for(lambda: not module_pair.connected(), "the peer is gone")
    away, facts = named(services, "syncthing peer"), diagnose(services)["devices"]
    module_pair.bring_up()

    assert [check["state"] for check in (*paused, *away)] == ["warning", "warning"]
    assert "is paused" in paused[0]["cause"] and "Resume the device" in paused[0]["fix"]
    assert "not connected, last seen" in away[0]["cause"] and "Start Syncthing" in away[0]["fix"]
    assert facts[0]["connected"] is False and facts[0]["last_seen"].startswith("20")


@pytest.mark.syncthing
def test_the_facts_carry_places_ids_and_raw_answers_and_no_secret(module_pair: Pair, opened: Any) -> None:
    services = opened(module_pair)
    look_until_synced(services, publish(services, "facts", {"a.jpg": b"1"}))

    found = diagnose(services, "/etc/media-pipeline/config.yaml")

    assert found["config_path"] == "/etc/media-pipeline/config.yaml"
    assert found["urls"]["syncthing_api"] == module_pair.ours.url
    assert found["urls"]["syncthing_gui_listens_on"] == f"127.0.0.1:{module_pair.ours.gui_port}"
    assert found["urls"]["syncthing_listens_on"] == [f"tcp://127.0.0.1:{module_pair.ours.listen_port}"]
    assert (found["folder_id"], found["folder"]["id"]) == (FOLDER, FOLDER)
    assert found["system_status"]["myID"] == module_pair.ours.device_id and "uptime" in found["system_status"]
    (device,) = found["devices"]
    assert device["id"] == module_pair.peer.device_id and device["version"].startswith("v")
    assert device["completion"]["completion"] == 100 and device["completion"]["needItems"] == 0
    assert found["key"]["length"] == len(KEY) and found["gui"]["has_password"] is False
    assert KEY not in json.dumps(found)
    assert {check["name"] for check in found["checks"]} == {
        "syncthing reachable", "syncthing key", "syncthing host check", "syncthing version", "syncthing clock",
        "syncthing password", "syncthing folder", "syncthing marker", "syncthing folder type", "syncthing path",
        "syncthing ignore patterns", "syncthing folder errors", "syncthing room", "syncthing device",
        "syncthing peer", "syncthing shared back", "syncthing peer's need",
    }  # fmt: skip


@pytest.mark.syncthing
def test_each_required_device_is_checked_by_itself(module_pair: Pair, opened: Any) -> None:
    stranger = "MFZWI3D-BONSGYC-YLTMRWG-C43ENR5-QXGZDMM-FZWI3DP-BONSGYY-LTMRWAD"
    services = opened(module_pair, syncthing={"device_ids": [stranger]})

    found = named(services, "syncthing device")

    assert [check["state"] for check in found] == ["ok", "fault"] and stranger in found[1]["cause"]
