"""install.sh and setup.sh --system beside a running systemd: units, Syncthing, runs, kills, a stop, the removal."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.packaging.booted import SYSTEM_UNITS, Booted, booted
from tests.scripts.conftest import copy_repository

PROGRAM = "/srv/site/program"
PARTS = ("media-pipeline-web", "media-pipeline-worker", "media-pipeline-dbui")
SERVICES = ("media-pipeline", *PARTS)
USER, SYNCTHING = "media-pipeline", "syncthing@media-pipeline.service"
ASK = """
import sys, urllib.request as web
print(web.urlopen(web.Request(sys.argv[1], method=sys.argv[2])).read().decode())
"""
PHOTOS = 120


class Machine:
    """A machine with systemd on which the program was installed for a user of its own, by default paths."""

    def __init__(self, site: Path, system: Booted) -> None:
        self.site, self.system = site, system
        self.state = site / "lib" / "media-pipeline"

    def script(self, name: str, *arguments: str, at: str = PROGRAM) -> str:
        return self.system.run(
            f"{at}/scripts/{name}", *arguments, MEDIA_PIPELINE_VENV=sys.prefix, MEDIA_PIPELINE_PYTHON=sys.executable
        )

    def ask(self, path: str, method: str = "GET", server: str = "127.0.0.1:8080", check: bool = True) -> str:
        return self.system.run(sys.executable, "-c", ASK, f"http://{server}{path}", method, check=check)

    def wait_until_answered(self, server: str, words: str) -> None:
        limit = time.monotonic() + 30
        while words not in (told := self.ask("/", server=server, check=False)):
            assert time.monotonic() < limit, told
            time.sleep(0.3)

    def states(self) -> dict[str, str]:
        return {unit: self.system.run("systemctl", "is-active", unit, check=False).strip() for unit in SERVICES}

    def wait_until_all(self, state: str) -> None:
        limit = time.monotonic() + 30
        while (states := self.states()) != dict.fromkeys(SERVICES, state):
            assert time.monotonic() < limit, f"{states}\n{self.system.journal()}"
            time.sleep(0.2)

    def settings(self) -> dict[str, str]:
        """Units and settings, by their content."""
        listed = self.system.run("sh", "-c", "cat /etc/media-pipeline/config.yaml | sha256sum")
        return {"config": listed} | {path.name: path.read_text() for path in (self.site / "units").glob("media-*")}

    def wait_until_idle(self) -> dict[str, Any]:
        limit = time.monotonic() + 120
        while True:
            status = json.loads(self.ask("/api/workflow/status"))
            if not status["running"] and not status["waiting"] and status["last_result"]:
                return dict(status["last_result"])
            assert time.monotonic() < limit, f"{status}\n{self.system.journal()}"
            time.sleep(0.3)

    def contents(self) -> Counter[str]:
        """How often each photo is there, wherever it is."""
        found = (self.state / "media").rglob("IMG_*.jpg")
        return Counter(hashlib.sha256(path.read_bytes()).hexdigest() for path in found if path.is_file())

    def rows(self) -> dict[str, int]:
        """Status -> how many files."""
        with closing(sqlite3.connect(self.state / "db.sqlite")) as db:
            return dict(db.execute("SELECT status, count(*) FROM assets GROUP BY status"))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    site = tmp_path_factory.mktemp("site")
    site.chmod(0o755)
    (site / "units").mkdir()
    shutil.copy(SYSTEM_UNITS / "syncthing@.service", site / "units")
    copy_repository(site / "checkout")
    with booted(site, alone=True) as system:
        made = Machine(site, system)
        made.script("install.sh", "--install-dir", PROGRAM, at="/srv/site/checkout")
        yield made


def test_setup_installs_units_and_syncthing_for_a_user_of_its_own_and_again_changes_nothing(machine: Machine) -> None:
    enabled = machine.system.run("systemctl", "is-enabled", "media-pipeline.service", SYNCTHING)
    assert enabled.split() == ["enabled", "enabled"]
    assert machine.system.run("systemctl", "is-active", SYNCTHING).strip() == "active"
    owners = machine.system.run("sh", "-c", f"stat -c %U /etc/media-pipeline/config.yaml {PROGRAM}/run; id -u {USER}")
    assert owners.split()[:2] == [USER, USER] and owners.split()[2] != "0"
    assert machine.system.run("find", "/var/lib/media-pipeline", "!", "-user", USER) == ""
    process = machine.system.main_pid(SYNCTHING)
    assert machine.system.run("stat", "-c", "%U", f"/proc/{process}").strip() == USER
    # by default it listens at 127.0.0.1 alone: it was started anew after configure_syncthing.py
    machine.wait_until_answered("127.0.0.2:8384", "SyncthingController")
    assert "<address>0.0.0.0:8384</address>" in next(machine.state.rglob("config.xml")).read_text()

    before = machine.settings()
    machine.script("setup.sh", "--system")
    assert machine.settings() == before
    assert machine.system.main_pid(SYNCTHING) == process


def test_a_run_ends_with_every_photo_though_each_process_is_killed_in_it(machine: Machine) -> None:
    started = machine.script("run.sh")
    assert "http://127.0.0.1:8080/dashboard" in started
    machine.wait_until_all("active")
    command = (sys.executable, f"{PROGRAM}/scripts/workflow.py", "config", "set")
    machine.system.run("runuser", "-u", USER, "--", *command, "sync.target=none", "scan.settle_seconds=0")
    ingest = machine.state / "media" / "ingest"
    for number in range(PHOTOS):
        photo = ingest / f"IMG_20240501_{number:06}.jpg"
        photo.write_bytes(b"\xff\xd8 photo %d " % number + bytes(number * 999) + b"\xff\xd9")
    before = machine.contents()
    machine.system.run("chown", "-R", USER, "/var/lib/media-pipeline/media/ingest")

    machine.ask("/api/workflow/run", "POST")
    for part in PARTS:
        killed = machine.system.main_pid(f"{part}.service")
        machine.system.run("kill", "-s", "KILL", str(killed))
        limit = time.monotonic() + 30
        while machine.system.main_pid(f"{part}.service") in (0, killed):
            assert time.monotonic() < limit, machine.system.journal()
            time.sleep(0.1)
    assert machine.wait_until_idle()["status"] == "done"

    assert machine.contents() == before
    assert len(list((machine.state / "media" / "archive").rglob("IMG_*.jpg"))) == machine.rows()["archived"] == PHOTOS
    balance = json.loads(machine.ask("/api/workflow/overview"))["balance"]
    assert (balance["adds_up"], balance["seen"]["files"]) == (True, PHOTOS)
    machine.wait_until_answered("127.0.0.1:8081", "html")


def test_stop_and_restart_act_on_the_units_and_the_service_comes_with_the_machine(machine: Machine) -> None:
    machine.script("run.sh")
    before = machine.system.main_pid("media-pipeline-worker.service")
    machine.script("restart.sh")
    assert machine.system.main_pid("media-pipeline-worker.service") not in (0, before)
    assert machine.script("stop.sh") == "Stopped.\n"
    assert machine.states() == dict.fromkeys(SERVICES, "inactive")
    assert machine.script("stop.sh") == "Nothing was running.\n"

    # what a boot does
    (machine.site / "units" / "multi-user.target").write_text("[Unit]\nDefaultDependencies=no\n")
    machine.system.run("systemctl", "daemon-reload")
    machine.system.run("systemctl", "start", "multi-user.target")
    assert machine.ask("/health")
    machine.wait_until_all("active")


def test_uninstalling_stops_and_removes_the_units_and_keeps_every_photo_and_row(machine: Machine) -> None:
    machine.script("run.sh")
    photos, rows = machine.contents(), machine.rows()
    machine.script("uninstall.sh")
    assert machine.states() == dict.fromkeys(SERVICES, "inactive")
    assert sorted(path.name for path in (machine.site / "units").rglob("media-*")) == []
    assert not (machine.site / "program").exists()
    assert (machine.contents(), machine.rows()) == (photos, rows)
    assert machine.system.run("systemctl", "is-active", SYNCTHING).strip() == "active"
