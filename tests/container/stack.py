"""A project of compose.yaml in a real Docker engine, and what tests ask of it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "media-pipeline:test"
OWNER = 1234


def free_port() -> int:
    """A TCP port that nobody listened at a moment ago."""
    with socket.socket() as server:
        server.bind(("0.0.0.0", 0))
        return int(server.getsockname()[1])


def docker(*arguments: str, timeout: int = 900) -> str:
    """What `docker` prints; a failure fails the test with all that it said."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@dataclass
class Stack:
    """A compose project: its files, its environment and the folder that is mounted at /media."""

    project: str
    environment: dict[str, str]
    media: Path
    files: tuple[Path, ...] = (ROOT / "compose.yaml",)

    @property
    def port(self) -> int:
        return int(self.environment["PORT_API"])

    def compose(self, *arguments: str, timeout: int = 900) -> str:
        named = [part for file in self.files for part in ("-f", str(file))]
        done = subprocess.run(
            ["docker", "compose", "--project-directory", str(ROOT), *named, "-p", self.project, *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def inside(self, *command: str, service: str = "media-pipeline") -> str:
        """What a command in a running container prints."""
        return self.compose("exec", "-T", service, *command)

    def ask(self, path: str, method: str = "GET", body: Any = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", content, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def container(self, service: str = "media-pipeline") -> str:
        return self.compose("ps", "-aq", service).strip()

    def wait_until_healthy(self, seconds: int = 90) -> None:
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            state = json.loads(docker("inspect", "-f", "{{json .State}}", self.container()))
            if state.get("Health", {}).get("Status") == "healthy":
                return
            assert state["Running"], self.compose("logs", "--tail", "60", "media-pipeline")
            time.sleep(0.5)
        raise AssertionError(f"not healthy after {seconds} seconds\n" + self.compose("logs", "--tail", "60"))

    def run_workflow(self, seconds: int = 120) -> dict[str, Any]:
        self.ask("/api/workflow/run", "POST")
        return self.wait_until_idle(seconds)

    def wait_until_idle(self, seconds: int = 120) -> dict[str, Any]:
        """The result of the last run, once none is at work or waits."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            status = self.ask("/api/workflow/status")
            if not status["running"] and not status["waiting"]:
                return dict(status["last_result"])
            time.sleep(0.5)
        raise AssertionError(f"the run did not end: {status}\n" + self.compose("logs", "--tail", "60"))


def new_stack(media: Path, *more_files: Path, **changes: str) -> Stack:
    """A project that nothing was started of: ports of its own, files owned by OWNER, batches into a folder."""
    environment = os.environ | {
        "PUID": str(OWNER),
        "PGID": str(OWNER),
        "UMASK": "027",
        "TZ": "Europe/Berlin",
        "MEDIA_DIR": str(media),
        "SYNC_TARGET": "folder",
        "SYNC_FOLDER_DIR": "/media/delivered",
        "MEDIA_PIPELINE_IMAGE": IMAGE,
    }
    ports = {name: str(free_port()) for name in ("PORT_API", "PORT_DBUI", "PORT_SYNCTHING", "PORT_SYNC")}
    return Stack(
        f"mp-{uuid.uuid4().hex[:8]}", environment | ports | changes, media, (ROOT / "compose.yaml", *more_files)
    )


@contextmanager
def started(stack: Stack) -> Iterator[Stack]:
    """The stack, up and healthy; afterwards nothing of it is left in the engine."""
    try:
        stack.compose("up", "-d")
        stack.wait_until_healthy()
        yield stack
    finally:
        stack.compose("down", "-v", "--timeout", "60")


def drop_demo_library(folder: Path, owner: int = OWNER) -> None:
    """Generated files of every kind, as the owner of the share would put them there."""
    subprocess.run([sys.executable, ROOT / "scripts" / "demo_library.py", folder], check=True, capture_output=True)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner, owner)
