"""The web process as it is deployed: gunicorn with docker/gunicorn.conf.py over an installation's configuration."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.worker.installation import PROGRAM, Installation

PAGES = "app.web:create_app()"
BROWSER = "app.dbui:create_app()"


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def on_loopback() -> dict[str, Any]:
    """Settings for an installation that listens on ports of its own."""
    return {"bind_host": "127.0.0.1", "port_api": free_port(), "port_dbui": free_port()}


class WebServer:
    """One gunicorn. Use as a context manager: it leaves no process behind."""

    def __init__(self, site: Installation, application: str = PAGES) -> None:
        system = site.services.config.system
        self.site, self.application = site, application
        self.port = system.port_dbui if application == BROWSER else system.port_api
        self.output = site.base / "web-output.log"
        self.master: subprocess.Popen[bytes] | None = None
        self.workers: list[int] = []

    def __enter__(self) -> WebServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill(*self.pids())

    def start(self) -> None:
        """Start it; returns once it answers."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MEDIA_PIPELINE_")}
        environment |= {"MEDIA_PIPELINE_CONFIG": str(self.site.config_path), "PYTHONPATH": str(PROGRAM)}
        if self.application == BROWSER:
            environment["MP_SERVES"] = "dbui"
        command = [sys.executable, "-m", "gunicorn", "-c", str(PROGRAM / "docker" / "gunicorn.conf.py")]
        with self.output.open("ab") as said:
            self.master = subprocess.Popen(
                [*command, self.application], cwd=PROGRAM, env=environment, stdout=said, stderr=subprocess.STDOUT
            )
        self.until_it_answers()
        self.workers = children_of(self.master.pid)

    def until_it_answers(self, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while True:
            with suppress(OSError, http.client.HTTPException):
                self.ask("GET", "/health" if self.application == PAGES else "/")
                return
            assert self.master is not None and self.master.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)

    def pids(self) -> list[int]:
        """The master's process, and the serving one as long as it is the master's."""
        assert self.master is not None
        return [self.master.pid, *children_of(self.master.pid)]

    def kill(self, *pids: int) -> None:
        """SIGKILL, and wait until the master, if it was meant, is gone."""
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.master is not None and self.master.pid in pids:
            self.master.wait(30)

    def terminate(self) -> None:
        """SIGTERM to the master, as the supervisor does it; it ends by itself."""
        assert self.master is not None
        self.master.terminate()
        assert self.master.wait(30) == 0, self.said()

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def ask(self, method: str, path: str, body: Any = None, accept: str = "application/json") -> tuple[int, Any]:
        """(status, answer): JSON when it is JSON, else text."""
        connection = self.connect()
        try:
            headers = {"Accept": accept} | ({"Content-Type": "application/json"} if body is not None else {})
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            return read_answer(connection.getresponse())
        finally:
            connection.close()

    def said(self) -> str:
        return self.output.read_text("utf-8", "replace")[-6000:]


def read_answer(answer: http.client.HTTPResponse) -> tuple[int, Any]:
    """(status, content) of a whole answer; raises IncompleteRead for one that was cut off."""
    text = answer.read().decode()
    return answer.status, json.loads(text) if "json" in (answer.getheader("Content-Type") or "") else text


def children_of(pid: int) -> list[int]:
    """The processes whose parent this is."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []
