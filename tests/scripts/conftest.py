"""A copy of the checkout in a path with spaces, and what it takes to run its scripts there."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VENDOR = Path("app/web/static/vendor")


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


@dataclass
class Checkout:
    """A copy of the repository with ports of its own."""

    path: Path
    port: int = field(default_factory=free_port)
    port_dbui: int = field(default_factory=free_port)

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment, with the ports, and with the tests' virtual environment instead of a new one."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MEDIA_PIPELINE_")}
        return kept | {
            "MEDIA_PIPELINE_VENV": sys.prefix,
            "MEDIA_PIPELINE_SYSTEM__PORT_API": str(self.port),
            "MEDIA_PIPELINE_SYSTEM__PORT_DBUI": str(self.port_dbui),
            "MEDIA_PIPELINE_SYSTEM__BIND_HOST": "127.0.0.1",
        }

    def run(self, script: str, *args: str, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run one of the scripts to its end; its output is in the failure message."""
        done = subprocess.run(
            [str(self.path / script), *args],
            cwd=self.path,
            env=self.environment | variables,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert not check or done.returncode == 0, f"{script}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def processes(self) -> dict[int, str]:
        """Every process whose command line or working folder lies in this checkout."""
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                folder = os.readlink(entry / "cwd")
            except OSError:
                continue
            if str(self.path) in command or folder.startswith(str(self.path)):
                found[int(entry.name)] = command
        return found

    def pid(self, name: str) -> int:
        """The process id noted for a program."""
        return int((self.path / "run" / f"{name}.pid").read_text().split()[0])


def copy_repository(target: Path) -> None:
    """Every file that git knows or would take, and the browser assets when they are here."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    if (ROOT / VENDOR).is_dir():
        shutil.copytree(ROOT / VENDOR, target / VENDOR)


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """A checkout whose processes are ended afterwards, whatever a test did."""
    with ended_afterwards(tmp_path / "a checkout") as made:
        yield made


@pytest.fixture
def open_checkout() -> Iterator[Checkout]:
    """A checkout in a folder that every user can reach."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        os.chmod(name, 0o755)
        with ended_afterwards(Path(name) / "a checkout") as made:
            yield made


@contextmanager
def ended_afterwards(path: Path) -> Iterator[Checkout]:
    """A copy of the repository; at the end nothing of it runs."""
    made = Checkout(path)
    copy_repository(path)
    yield made
    made.run("scripts/stop.sh", "--quiet", check=False, MEDIA_PIPELINE_STOP_SECONDS="15")
    for pid in made.processes():
        os.kill(pid, signal.SIGKILL)
