"""A real server under gunicorn, real Chromium, and rows to look at."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from app.config.store import ConfigStore
from app.services import Services, open_services, set_up
from tests.web.conftest import write_config

HOME = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
START_SECONDS = 30
GUNICORN = ("--worker-class", "gthread", "--threads", "8", "--graceful-timeout", "2")


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """The web process of one configuration."""

    def __init__(self, base: Path, application: str = "app.web:create_app()", **changes: object) -> None:
        self.config_path = write_config(base, **changes)
        self.services: Services = open_services(_set_up(self.config_path))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.access_log = base / "access.log"
        self.process = self._start(application)

    def _start(self, application: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{self.port}"]
        environment = {**os.environ, "MEDIA_PIPELINE_CONFIG": str(self.config_path)}
        return subprocess.Popen(
            [*command, *GUNICORN, "--access-logfile", str(self.access_log)],
            cwd=HOME,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def wait(self, path: str = "/health") -> None:
        """Until the server answers."""
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(self.url + path, timeout=2).close()
                return
            except OSError:
                assert time.monotonic() < until, "the server did not start"
                assert self.process.poll() is None, "the server ended"
                time.sleep(0.05)

    def wait_for_request(self, line: str) -> str:
        """The access log's line about a request that begins so, as soon as the request has been answered."""
        until = time.monotonic() + START_SECONDS
        while True:
            found = [entry for entry in self.access_log.read_text().splitlines() if f'"{line}' in entry]
            if found:
                return found[0]
            assert time.monotonic() < until, f"{line} never came"
            time.sleep(0.05)

    def stop(self) -> None:
        """End the process and close the database."""
        self.process.terminate()
        self.process.wait(10)
        self.services.close()


def _set_up(config_path: Path):  # type: ignore[no-untyped-def]
    snapshot = ConfigStore(str(config_path)).load()
    set_up(snapshot).close()
    return snapshot


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """`start_server(auth={"api_key": "..."})`: a running server with other settings."""
    started: list[Server] = []

    def start(**changes: object) -> Server:
        started.append(Server(tmp_path, **changes))
        started[-1].wait()
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def server(start_server: Callable[..., Server]) -> Server:
    """A running server without a key."""
    return start_server()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Watched:
    """A page with everything that went wrong in it: console errors, exceptions, requests to other hosts."""

    def __init__(self, page: Page, own: str) -> None:
        self.page = page
        self.faults: list[str] = []
        page.on("console", lambda said: self.faults.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on(
            "request", lambda asked: None if asked.url.startswith((own, "data:")) else self.faults.append(asked.url)
        )


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Watched]]:
    """`open_page(server, "/dashboard", width=390)`: a watched page."""
    contexts = []

    def opener(server: Server, path: str, width: int = 1280, height: int = 900, scheme: str = "light") -> Watched:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
        contexts.append(context)
        watched = Watched(context.new_page(), server.url)
        watched.page.goto(server.url + path)
        return watched

    yield opener
    for context in contexts:
        context.close()
