"""The systemd units: rendered, verified, rated, and started by a systemd of their own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packaging.booted import Booted, booted

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("media-pipeline", "media-pipeline-web", "media-pipeline-worker", "media-pipeline-dbui")

#: `systemd-analyze security` rates from 0 (best) to 10; the units were at 2.1.
MOST_EXPOSURE = 2.5


def python(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MEDIA_PIPELINE_")}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=kept, capture_output=True, text=True, timeout=60, check=False
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def configuration(folder: Path, place: str, *settings: str, media: str = "media") -> Path:
    """A configuration in `folder` for an installation whose folders lie in `place`."""
    path = folder / "etc" / "config.yaml"
    chosen = [part for setting in settings for part in ("--set", setting)]
    python(
        "scripts/write_config.py", str(path), "--media", f"{place}/{media}", "--state", f"{place}/state",
        "--set", "system.bind_host=127.0.0.1", *chosen,
    )  # fmt: skip
    return path


def rendered(config: Path, into: Path, user: str = "media", install_dir: str = str(ROOT)) -> dict[str, str]:
    """Unit -> text, as scripts/system_units.py writes them."""
    python(
        "scripts/system_units.py", "--install-dir", install_dir, "--user", user, "--config", str(config),
        "--into", str(into), "--python", sys.executable,
    )  # fmt: skip
    return {path.name: path.read_text() for path in into.iterdir()}


def writable(unit: str) -> str:
    return re.findall(r"^ReadWritePaths=(.*)$", unit, re.MULTILINE)[0]


def test_every_unit_passes_systemds_own_check_and_is_rated_well(tmp_path: Path) -> None:
    config = configuration(tmp_path, str(tmp_path))
    units = rendered(config, tmp_path / "units")
    told = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / "units" / name) for name in units)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (told.returncode, told.stdout + told.stderr) == (0, "")
    for service in SERVICES:
        rating = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", f"--threshold={int(MOST_EXPOSURE * 10)}", "--no-pager",
             str(tmp_path / "units" / f"{service}.service")],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert rating.returncode == 0, rating.stdout


def test_paths_with_odd_signs_pass_systemds_check_too(tmp_path: Path) -> None:
    odd = tmp_path / 'a $HOME 100% "place"'
    config = configuration(odd, str(odd))
    units = rendered(config, tmp_path / "units", install_dir=str(odd))
    odd.joinpath("docker").mkdir()
    told = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / "units" / name) for name in units)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (told.returncode, told.stdout + told.stderr) == (0, "")


def test_no_mark_of_a_template_is_left(tmp_path: Path) -> None:
    for name, text in rendered(configuration(tmp_path, "/srv/pipeline"), tmp_path / "units").items():
        assert re.findall(r"@[A-Z_]+@", text) == [], name


def test_the_media_folders_are_opened_as_one_so_that_a_move_stays_a_rename(tmp_path: Path) -> None:
    units = rendered(configuration(tmp_path, "/srv/pipeline"), tmp_path / "units")
    assert writable(units["media-pipeline-worker.service"]) == (
        f"-/srv/pipeline/media -/srv/pipeline/state -{tmp_path}/etc"
    )


def test_the_database_browser_may_not_write_where_photos_are(tmp_path: Path) -> None:
    units = rendered(configuration(tmp_path, "/srv/pipeline"), tmp_path / "units")
    assert "media" not in writable(units["media-pipeline-dbui.service"]).replace(str(tmp_path), "")


def test_folders_that_only_share_a_folder_of_the_system_are_opened_one_by_one(tmp_path: Path) -> None:
    config = configuration(
        tmp_path, "/var/lib/pipeline", "paths.sorted_dir=/home/archive", "paths.duplicates_dir=/home/archive-2"
    )
    paths = writable(rendered(config, tmp_path / "units")["media-pipeline-worker.service"]).split()
    assert "-/" not in paths
    assert {"-/home/archive", "-/home/archive-2", "-/var/lib/pipeline/media/ingest"} <= set(paths)


def test_a_faulty_configuration_is_told_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("paths: 3\n")
    done = python(
        "scripts/system_units.py", "--install-dir", str(ROOT), "--user", "media", "--config", str(tmp_path / "config.yaml"),
        "--into", str(tmp_path / "units"), check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "paths" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "units").exists()


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


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Site, Booted]]:
    made = Site(tmp_path)
    with booted(tmp_path) as system:
        system.run("systemctl", "start", "media-pipeline.service")
        made.wait_until(system, "/ready", "")
        yield made, system


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
    # the socket is systemd's: whoever asks meanwhile waits
    assert installed.ask("/health")
    assert system.main_pid("media-pipeline-web.service") not in (0, before)


def test_a_worker_that_is_killed_comes_back(site: tuple[Site, Booted]) -> None:
    _, system = site
    before = system.main_pid("media-pipeline-worker.service")
    assert before
    system.run("kill", "-s", signal.Signals.SIGKILL.name.removeprefix("SIG"), str(before))
    limit = time.monotonic() + 30
    while system.main_pid("media-pipeline-worker.service") in (0, before):
        assert time.monotonic() < limit, system.journal()
        time.sleep(0.3)
