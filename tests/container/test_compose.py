"""compose.yaml in a real Docker engine: built, started, one workflow run, stopped, started again."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.container, pytest.mark.timeout(1200)]

ROOT = Path(__file__).resolve().parents[2]
ENGINE = ROOT.parent / "shared" / "tools" / "docker-engine"
OWNER = 1234


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("0.0.0.0", 0))
        return int(server.getsockname()[1])


@dataclass
class Stack:
    """A started compose project."""

    project: str
    environment: dict[str, str]
    media: Path
    port: int

    def compose(self, *arguments: str, timeout: int = 900) -> str:
        done = subprocess.run(
            ["docker", "compose", "-p", self.project, *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def ask(self, path: str, method: str = "GET") -> Any:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def wait_until_healthy(self, seconds: int = 90) -> None:
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            container = self.compose("ps", "-aq", "media-pipeline").strip()
            state = json.loads(subprocess.check_output(["docker", "inspect", "-f", "{{json .State}}", container]))
            if state.get("Health", {}).get("Status") == "healthy":
                return
            assert state["Running"], self.compose("logs", "--tail", "60", "media-pipeline")
            time.sleep(1)
        raise AssertionError(f"not healthy after {seconds} seconds\n" + self.compose("logs", "--tail", "60"))

    def run_workflow(self, seconds: int = 120) -> dict[str, Any]:
        self.ask("/api/workflow/run", "POST")
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            status = self.ask("/api/workflow/status")
            if not status["running"] and not status["waiting"]:
                return dict(status["last_result"])
            time.sleep(0.5)
        raise AssertionError(f"the run did not end: {status}")


def engine_answers() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    if not engine_answers():
        assert ENGINE.exists(), "these tests need a Docker engine"
        subprocess.run([ENGINE], check=True)
    media, port = tmp_path_factory.mktemp("media"), free_port()
    environment = os.environ | {
        "PUID": str(OWNER),
        "PGID": str(OWNER),
        "UMASK": "027",
        "TZ": "Europe/Berlin",
        "MEDIA_DIR": str(media),
        "SYNC_TARGET": "folder",
        "SYNC_FOLDER_DIR": "/media/delivered",
        "PORT_API": str(port),
        "PORT_DBUI": str(free_port()),
        "PORT_SYNCTHING": str(free_port()),
        "PORT_SYNC": str(free_port()),
        "MEDIA_PIPELINE_IMAGE": "media-pipeline:test",
    }
    made = Stack(f"mp-{uuid.uuid4().hex[:8]}", environment, media, port)
    try:
        made.compose("build")
        made.compose("up", "-d")
        made.wait_until_healthy()
        yield made
    finally:
        made.compose("down", "-v", "--timeout", "60")


def test_files_dropped_into_the_ingest_mount_are_delivered_and_archived_for_their_owner(stack: Stack) -> None:
    library = ROOT / "scripts" / "demo_library.py"
    subprocess.run([sys.executable, library, stack.media / "ingest"], check=True)
    for path in (stack.media / "ingest").rglob("*"):
        os.chown(path, OWNER, OWNER)
    result = stack.run_workflow()
    assert result["status"] == "done", result
    balance = stack.ask("/api/workflow/overview")["balance"]
    lines = {line["key"]: line["files"] for line in balance["lines"]}
    assert balance["adds_up"]
    assert lines["archived"] > 10, (result, lines)
    assert balance["seen"]["files"] == sum(lines.values())
    archived = {path.name: path for path in (stack.media / "archive").rglob("*.*") if path.is_file()}
    assert archived["IMG_0003.JPG"].parent.relative_to(stack.media / "archive") == Path("2024/07/03")
    assert archived["IMG_0003.JPG"].parent.stat().st_uid == OWNER
    delivered = {path.name for path in (stack.media / "delivered").rglob("IMG_0003.JPG")}
    assert delivered == {"IMG_0003.JPG"}


def test_processes_run_as_the_owner_and_not_as_root(stack: Stack) -> None:
    users = stack.compose("exec", "-T", "media-pipeline", "sh", "-c", "stat -c %u /proc/[0-9]*")
    # the first process (tini) and this very command are root's
    assert users.split().count(str(OWNER)) >= 5


def test_the_pages_their_assets_and_the_database_browser_are_served(stack: Stack) -> None:
    for port, path in (
        (stack.port, "/dashboard"),
        (stack.port, "/static/vendor/htmx.min.js"),
        (stack.port, "/docs"),
        (int(stack.environment["PORT_DBUI"]), "/"),
    ):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            assert answer.status == 200


def test_syncthing_beside_it_is_reached_with_the_key_that_it_made_itself(stack: Stack) -> None:
    config = stack.compose("exec", "-T", "syncthing", "cat", "/var/syncthing/config/config.xml")
    key = config.split("<apikey>")[1].split("</apikey>")[0]
    assert len(key) >= 20
    diagnosis = stack.ask("/api/sync/diagnostics")
    assert diagnosis["key"]["length"] == len(key)
    assert key not in json.dumps(diagnosis)
    asking = (
        "import sys, urllib.request as u; "
        "request = u.Request('http://syncthing:8384/rest/system/version', headers={'X-API-Key': sys.argv[1]}); "
        "print(u.urlopen(request).read())"
    )
    assert "version" in stack.compose("exec", "-T", "media-pipeline", "/opt/venv/bin/python", "-c", asking, key)


def test_syncthing_beside_it_is_set_up_by_one_act(stack: Stack) -> None:
    done = stack.ask("/api/syncthing/setup", "POST")["done"]
    assert done[0].startswith("The folder media-pipeline was made in Syncthing for /media/batches")
    seen = stack.ask("/api/syncthing")
    states = {step["name"]: step["state"] for step in seen["steps"] if step["name"] != "target"}
    assert states.pop("peer") == "waiting" and set(states.values()) == {"ok"}
    assert seen["key"]["source"] == "Syncthing's config.xml (/syncthing/config/config.xml)"
    said = stack.compose("exec", "-T", "-u", str(OWNER), "media-pipeline", "media-pipeline", "syncthing", "qr")
    assert seen["device_id"] in said
    assert stack.ask("/api/syncthing/setup", "POST")["done"] == []


def test_the_debug_output_can_be_had_from_the_running_container(stack: Stack) -> None:
    said = stack.compose("exec", "-T", "media-pipeline", "/opt/media-pipeline/scripts/debug.sh")
    for expected in ("worker runs as process", "integrity: ok", "/ready: 200", "exiftool   /usr/bin/exiftool"):
        assert expected in said


def test_a_stop_is_quick_and_a_new_start_keeps_the_state(stack: Stack) -> None:
    before = stack.ask("/api/workflow/overview")["balance"]["seen"]
    began = time.monotonic()
    stack.compose("stop", "media-pipeline")
    assert time.monotonic() - began < 60
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        stack.ask("/health")
    stack.compose("up", "-d")
    stack.wait_until_healthy()
    assert stack.ask("/api/workflow/overview")["balance"]["seen"] == before


def test_a_lost_database_is_rebuilt_by_a_container_that_does_that_alone(stack: Stack) -> None:
    before = stack.ask("/api/workflow/overview")["balance"]
    one_off = ("run", "--rm", "-T", "--no-deps")
    stack.compose("stop", "media-pipeline")
    stack.compose(*one_off, "--entrypoint", "sh", "media-pipeline", "-c", "rm /config/db.sqlite*")
    said = stack.compose(*one_off, "media-pipeline", "media-pipeline", "rebuild")
    assert "files were seen; each is in one of these lines:" in said
    listed = json.loads(stack.compose(*one_off, "media-pipeline", "media-pipeline", "rebuild", "--files", "--json"))
    archived = next(line["files_seen"] for line in listed["lines"] if line["name"] == "archived")
    stack.compose("up", "-d")
    stack.wait_until_healthy()
    assert stack.ask("/api/rebuild")["state"] == "unconfirmed"
    assert stack.ask("/api/rebuild/confirm", "POST")["state"] == "confirmed"
    after = stack.ask("/api/workflow/overview")["balance"]
    assert after["adds_up"]
    assert [line["files"] for line in after["lines"] if line["key"] == "archived"] == [archived]
    assert archived == next(line["files"] for line in before["lines"] if line["key"] == "archived")
