"""A systemd that was started for a test, and the commands to speak with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SYSTEM_UNITS = Path("/usr/lib/systemd/system")
JOURNAL = ("systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket")

#: Targets that units name; empty here, so that nothing of the machine's own is started.
EMPTY_TARGETS = ("sysinit", "basic", "shutdown", "umount", "network-online", "local-fs", "remote-fs", "sockets")


@dataclass
class Booted:
    """systemd as process 1 of its own namespaces; `pid` is its process as seen from here."""

    pid: int

    def run(self, *command: str, check: bool = True, **variables: str) -> str:
        """Run a command beside it, as `systemctl`; its output. Raises AssertionError with it when it fails."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MEDIA_PIPELINE_")}
        done = subprocess.run(
            ["nsenter", "-t", str(self.pid), "-m", "-p", "-n", "--", *command],
            env=kept | variables, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        told = done.stdout + done.stderr
        assert not check or done.returncode == 0, f"{command}: {told}\n{self.journal()}"
        return told

    def journal(self) -> str:
        """What units wrote."""
        return self.run("journalctl", "--no-pager", "-n", "60", check=False)

    def main_pid(self, unit: str) -> int:
        """The main process of a unit, 0 for none."""
        return int(self.run("systemctl", "show", "-P", "MainPID", unit))


@contextmanager
def booted(site: Path, *, alone: bool = False) -> Iterator[Booted]:
    """Boot with the units in site/units; at the end every process of it is gone.

    Alone, it has a network of its own, and folders of the system that an installer may write to (boot.sh).
    """
    units = site / "units"
    units.mkdir(exist_ok=True)
    own = (["--net"], [sys.base_prefix]) if alone else ([], [])
    for name in EMPTY_TARGETS:
        (units / f"{name}.target").write_text("[Unit]\nDefaultDependencies=no\n")
    (units / "boot.target").write_text("[Unit]\nDefaultDependencies=no\nRequires=systemd-journald.service\n")
    for name in JOURNAL:
        shutil.copy(SYSTEM_UNITS / name, units / name)
    with (site / "boot.log").open("wb") as log:
        outer = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--uts", "--ipc", "--cgroup", "--mount-proc", "--kill-child",
             *own[0], "sh", str(HERE / "boot.sh"), str(site), *own[1]],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield started(outer, site)
    finally:
        outer.kill()
        outer.wait()


def started(outer: subprocess.Popen[bytes], site: Path) -> Booted:
    """Wait until it takes commands."""
    limit = time.monotonic() + 30
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
    while time.monotonic() < limit and outer.poll() is None:
        found = children.read_text().split()
        if (
            found
            and Booted(int(found[0])).run("systemctl", "is-active", "boot.target", check=False).strip() == "active"
        ):
            return Booted(int(found[0]))
        time.sleep(0.2)
    raise AssertionError(f"systemd did not start:\n{(site / 'boot.log').read_text(errors='replace')}")
