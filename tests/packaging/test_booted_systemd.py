"""The systemd units under a systemd of their own: a run, kills, a stop."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packaging.booted import Booted, booted
from tests.packaging.units import configuration, free_port, rendered

SERVICES = ("media-pipeline", "media-pipeline-web", "media-pipeline-worker", "media-pipeline-dbui")


class Site:
    """An installation under a systemd of its own. As root without any capability: the test's Python may be root's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.port_dbui = free_port(), free_port()
        self.config = configuration(
            folder, "/srv/site", f"system.port_api={self.port}", f"system.port_dbui={self.port_dbui}",
            "sync.target=none", "scan.settle_seconds=0",
        )  # fmt: skip
        rendered(self.config, folder / "units", user="root")
        for unit in (folder / "units").glob("*.service"):
            unit.write_text(
                unit.read_text()
                .replace(str(self.config), "/srv/site/etc/config.yaml")
                .replace(str(folder), "/srv/site")
            )
        for name in ("state", "media"):
            (folder / name).mkdir()

    def ask(self, path: str, method: str = "GET", port: int = 0) -> str:
        request = urllib.request.Request(f"http://127.0.0.1:{port or self.port}{path}", method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return str(answer.read().decode())

    def wait_until(self, system: Booted, path: str, words: str, port: int = 0, seconds: int = 60) -> None:
        limit = time.monotonic() + seconds
        told = ""
        while time.monotonic() < limit:
            try:
                told = self.ask(path, port=port)
            except (urllib.error.URLError, OSError) as error:
                told = str(error)
            if words in told:
                return
            time.sleep(0.3)
        raise AssertionError(f"{path} says {told!r}\n{system.journal()}")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Booted]]:
    folder = tmp_path_factory.mktemp("site")
    made = Site(folder)
    with booted(folder) as system:
        yield made, system


@pytest.fixture
def site(running: tuple[Site, Booted]) -> tuple[Site, Booted]:
    """Started, whatever the test before did."""
    made, system = running
    system.run("systemctl", "start", "media-pipeline.service")
    made.wait_until(system, "/ready", "")
    return made, system


def test_a_booted_systemd_starts_carries_and_stops_everything(site: tuple[Site, Booted]) -> None:
    installed, system = site
    ingest = installed.folder / "media" / "ingest"
    (ingest / "IMG_20240501_101500.jpg").write_bytes(b"\xff\xd8 a photo \xff\xd9")
    inode = (ingest / "IMG_20240501_101500.jpg").stat().st_ino

    installed.ask("/api/workflow/run", "POST")
    limit = time.monotonic() + 60
    while not (archived := list((installed.folder / "media" / "archive").rglob("*.jpg"))):
        assert time.monotonic() < limit, system.journal()
        time.sleep(0.3)
    # a rename, not a copy: the units open all media folders as one mount
    assert [path.stat().st_ino for path in archived] == [inode]
    installed.wait_until(system, "/", "html", port=installed.port_dbui)

    system.run("systemctl", "stop", "media-pipeline.service")
    states = {unit: system.run("systemctl", "is-active", unit, check=False).strip() for unit in SERVICES}
    assert states == dict.fromkeys(SERVICES, "inactive")
    with pytest.raises(urllib.error.URLError):
        installed.ask("/ready")


def test_a_web_process_that_is_killed_comes_back_and_turns_nobody_away(site: tuple[Site, Booted]) -> None:
    installed, system = site
    before = system.main_pid("media-pipeline-web.service")
    system.run("kill", "-s", "KILL", str(before))
    limit = time.monotonic() + 20
    while system.run("systemctl", "show", "-P", "SubState", "media-pipeline-web.service").strip() != "auto-restart":
        assert time.monotonic() < limit, system.journal()
        time.sleep(0.1)
    # nobody serves now, but the port is systemd's: whoever asks waits
    assert installed.ask("/health")
    assert system.main_pid("media-pipeline-web.service") not in (0, before)


def test_a_worker_that_is_killed_comes_back(site: tuple[Site, Booted]) -> None:
    _, system = site
    before = system.main_pid("media-pipeline-worker.service")
    assert before
    system.run("kill", "-s", "KILL", str(before))
    limit = time.monotonic() + 30
    while system.main_pid("media-pipeline-worker.service") in (0, before):
        assert time.monotonic() < limit, system.journal()
        time.sleep(0.3)
