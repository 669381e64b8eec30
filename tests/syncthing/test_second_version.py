"""A delivery against a server that answers as Syncthing 2.x is documented to: fields that are new, gone or null."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.diagnostics import diagnose
from app.files.place_marker import make_place_marker
from app.model import BatchStatus, RootKind
from app.overview.peer import peer_state, pending_requests
from app.pipeline import sync
from app.services import Services
from tests.syncthing.local_server import LocalServer
from tests.syncthing.pair import FOLDER
from tests.syncthing.staging import publish, reread, services_for

OURS = "MFZWI3D-BONSGYC-YLTMRWG-C43ENR5-QXGZDMM-FZWI3DP-BONSGYY-LTMRWAD"
PEER = "P2DR2GC-S62HAU3-MJ4RPZ2-5R7SEJZ-JXYMXR2-CFLGFY5-4NCBXYK-V3MDUAK"
FILES = {"a.jpg": b"one", "b.jpg": b"two"}
STREAM = {"at": "2026-11-23T01:49:49Z", "inBytesTotal": 1, "outBytesTotal": 1, "startedAt": "2026-11-23T01:00:00Z",
          "address": "127.0.0.1:22000", "type": "tcp-server", "isLocal": True, "crypto": "TLS1.3-X"}  # fmt: skip


class SecondVersion(LocalServer):
    """What 2.x would know of one folder: the files that it has read, and its ignore list. The peer has all of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.lines, self.known = folder, list[str](), dict[str, int]()
        #: What differs in the newest version of a file, and names that it has forgotten for good.
        self.won, self.forgotten = dict[str, dict[str, Any]](), set[str]()
        super().__init__()

    def respond(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        url = urlsplit(handler.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        found = self.take(handler.command, url.path.removeprefix("/rest/"), asked, body)
        content = b'{"error": "no such object in the index"}' if found is None else json.dumps(found).encode()
        handler.send_response(404 if found is None else 200)
        handler.send_header("Content-Type", "application/json; charset=utf-8")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def take(self, method: str, path: str, asked: dict[str, str], body: bytes) -> Any:
        if (method, path) == ("POST", "db/scan"):
            below = self.folder / asked["sub"]
            self.known |= {str(p.relative_to(self.folder)): p.stat().st_size for p in below.rglob("*") if p.is_file()}
            return {}
        if (method, path) == ("POST", "db/ignores"):
            self.lines = json.loads(body)["ignore"]
        if path == "db/file":
            return self.file(asked["file"])
        if path == "system/browse":
            place = Path(asked["current"])
            return [f"{place}/"] if place.is_dir() else []
        return self.answers()[path]

    def file(self, name: str) -> dict[str, Any] | None:
        if name not in self.known or name in self.forgotten:
            return None
        is_ignored = "/" + name.partition("/")[0] in self.lines
        one = {"blocksHash": "abc=", "deleted": False, "encryptionTrailerSize": 0, "ignored": is_ignored,
               "inodeChange": "2026-11-23T01:49:49Z", "invalid": is_ignored, "localFlags": 0, "modifiedBy": OURS[:7],
               "modified": "2026-11-23T01:49:49Z", "mustRescan": False, "name": name, "noPermissions": False,
               "numBlocks": 1, "permissions": "0644", "platform": {"unix": None}, "previousBlocksHash": None,
               "sequence": 1, "size": self.known[name], "type": "FILE_INFO_TYPE_FILE",
               "version": [f"{OURS[:7]}:1795398589"]}  # fmt: skip
        held = [{"id": PEER, "fromTemporary": False}]
        return {"availability": held, "global": {**one, "ignored": False} | self.won.get(name, {}), "local": one}

    def answers(self) -> dict[str, Any]:
        shared = [{"deviceID": device, "introducedBy": "", "encryptionPassword": ""} for device in (OURS, PEER)]
        streams = {**STREAM, "connected": True, "paused": False, "clientVersion": "v2.1.3", "primary": STREAM,
                   "secondary": [STREAM, STREAM]}  # fmt: skip
        return {
            "system/ping": {"ping": "pong"},
            "system/version": {"version": "v2.1.3", "longVersion": "syncthing v2.1.3", "tags": ["sqlite"]},
            "system/status": {"myID": OURS, "guiAddressUsed": "127.0.0.1:8384", "uptime": 5, "themes": ["default"],
                              "connectionServiceStatus": {"tcp://:22000": {"error": None, "lanAddresses": []}}},
            "config/gui": {"enabled": True, "address": "127.0.0.1:8384", "user": "", "password": "",
                           "authMode": "static", "metricsWithoutAuth": False, "useTLS": False},
            "config/folders": [{"id": FOLDER, "label": "Photos", "path": str(self.folder), "type": "sendonly",
                                "filesystemType": "basic", "paused": False, "devices": shared, "fullScan": None,
                                "minDiskFree": {"value": 1, "unit": "%"}, "markerName": ".stfolder"}],
            "config/devices": [{"deviceID": PEER, "name": "phone", "paused": False, "numConnections": 0,
                                "group": ""}],
            "system/connections": {"connections": {PEER: streams}, "total": STREAM},
            "stats/device": {PEER: {"lastSeen": "2026-11-23T01:49:49+01:00", "lastConnectionDurationS": 5.5}},
            "db/status": {"state": "idle", "sequence": 7, "error": "", "errors": 0, "pullErrors": 0,
                          "remoteSequence": {PEER: 7}, "needBytes": 0, "watchError": ""},
            "db/completion": {"completion": 100, "globalBytes": 6, "globalItems": 2, "needBytes": 0, "needDeletes": 0,
                              "needItems": 0, "remoteState": "valid", "sequence": 7},
            "db/remoteneed": {"files": [], "page": 1, "perpage": 1000},
            "db/ignores": {"ignore": self.lines or None, "expanded": self.lines or None, "error": None},
            "folder/errors": {"errors": None, "folder": FOLDER, "page": 1, "perpage": 1000},
            "cluster/pending/devices": {PEER: {"time": "2026-11-23T01:49:49Z", "name": "other", "address": "[::1]:1"}},
            "cluster/pending/folders": {"x": {"offeredBy": {PEER: {"time": "2026-11-23T01:49:49Z", "label": "X",
                                              "receiveEncrypted": False, "remoteEncrypted": False}}}},
        }  # fmt: skip


@pytest.fixture
def second(tmp_path: Path) -> Iterator[SecondVersion]:
    folder = tmp_path / "folder"
    folder.mkdir()
    running = SecondVersion(folder)
    yield running
    running.stop()


@pytest.fixture
def services(second: SecondVersion, tmp_path: Path) -> Iterator[Services]:
    ours = SimpleNamespace(home=tmp_path, folder=second.folder, url=second.url)
    opened = services_for(SimpleNamespace(ours=ours, peer=SimpleNamespace(device_id=PEER)))  # type: ignore[arg-type]
    make_place_marker(opened.root(RootKind.BATCH))
    yield opened
    opened.close()


def test_a_batch_is_announced_proven_and_kept_at_the_peer(services: Services, second: SecondVersion) -> None:
    batch = publish(services, "batch_a", FILES)

    report = sync.look(services, batch)

    assert report.outcome == "done", report.message
    after = reread(services, batch)
    assert after.status is BatchStatus.SYNCED and after.confirmed_count == len(FILES)
    assert sync.retain_at_peer(services, after) is None
    assert "/batch_a" in second.lines


def test_a_file_of_which_a_delete_has_won_is_never_proven(services: Services, second: SecondVersion) -> None:
    batch = publish(services, "batch_d", FILES)
    versions = [f"{OURS[:7]}:1795398589", f"{PEER[:7]}:1795398600"]
    second.won["batch_d/b.jpg"] = {"deleted": True, "size": 0, "version": versions, "modifiedBy": PEER[:7]}

    report = sync.look(services, batch)

    assert report.outcome == "waiting" and reread(services, batch).confirmed_count == 1
    assert reread(services, batch).status is not BatchStatus.SYNCED


def test_a_file_of_which_it_has_forgotten_everything_does_not_leave_the_folder(
    services: Services, second: SecondVersion
) -> None:
    batch = publish(services, "batch_f", FILES)
    assert sync.look(services, batch).outcome == "done"
    second.forgotten.add("batch_f/b.jpg")

    report = sync.retain_at_peer(services, reread(services, batch))

    assert report is not None and "does not know batch_f/b.jpg" in report.message


def test_set_up_and_diagnostics_understand_it(services: Services) -> None:
    found = diagnose(services)
    assert [check for check in found["checks"] if check["state"] == "fault"] == []
    assert found["version"] == "v2.1.3" and found["device"]["connected"] is True
    state = peer_state(services)
    assert state["reachable"] and state["version"] == "v2.1.3", state["sentence"]
    assert {step["name"]: step["state"] for step in state["steps"]}["place"] == "ok"
    waiting = pending_requests(services)
    assert waiting["fault"] is None
    assert [d["name"] for d in waiting["devices"]] == ["other"] and [f["label"] for f in waiting["folders"]] == ["X"]
