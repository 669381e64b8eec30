"""A database of a large library and the web process that serves it as it is deployed, for what is asked over HTTP."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.config.schema import Config
from app.config.store import Snapshot
from app.services import Services, set_up
from bench.library import build
from bench.pipeline import free_port

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Served:
    """What is measured: where it is served, by which master of gunicorn, and its database from beside."""

    port: int
    master: int
    services: Services


def options_of(description: str, batches: int) -> argparse.ArgumentParser:
    """The options that say how large the library is, where it lies and how often each address is asked."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--batches", type=int, default=batches)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--folder", type=Path, help="where the database is built, and used again if it is there")
    return parser


@contextmanager
def served(options: argparse.Namespace) -> Iterator[Served]:
    """A library as the options say, built unless it is there, and served until the end."""
    with tempfile.TemporaryDirectory(prefix="media-pipeline-served-") as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        config = configuration(folder, port)
        is_new = not (folder / "state" / "db.sqlite").is_file()
        services = set_up(Snapshot(config, revision="bench"))
        if is_new:
            began = time.perf_counter()
            build(services, options.files, options.events, options.batches)
            print(f"built in {time.perf_counter() - began:.0f} s", flush=True)
        with serving(folder, port) as web:
            yield Served(port, web.pid, services)
        services.close()


@contextmanager
def serving(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The web process as it is deployed; gives gunicorn's master."""
    env = {**os.environ, "MEDIA_PIPELINE_CONFIG": str(folder / "config.yaml"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "gunicorn", "-c", "docker/gunicorn.conf.py", "app.web:create_app()"]
    web = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        limit = time.monotonic() + 60
        while True:
            try:
                Client(port).ask("/health")
                break
            except OSError:
                if time.monotonic() > limit:
                    raise
                time.sleep(0.1)
        yield web
    finally:
        web.terminate()
        web.wait(60)


class Client:
    """Asks one request after the other over a connection that is kept."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def ask(self, path: str) -> Any:
        """The JSON answer; anything but success ends the measurement."""
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}: {body[:300]!r}")
        return json.loads(body)

    def timed(self, path: str) -> float:
        """Seconds until the whole answer was there."""
        began = time.perf_counter()
        self.ask(path)
        return time.perf_counter() - began


def configuration(folder: Path, port: int) -> Config:
    """Settings whose folders lie below `folder`, written to its config.yaml."""
    values = {
        "paths": {
            "source_dir": str(folder / "ingest"), "batch_dir": str(folder / "batches"),
            "sorted_dir": str(folder / "archive"), "duplicates_dir": str(folder / "duplicates"),
        },
        "sync": {"target": "none"},
        "system": {
            "db_path": str(folder / "state" / "db.sqlite"), "log_dir": str(folder / "state" / "logs"),
            "port_api": port, "bind_host": "127.0.0.1",
        },
    }  # fmt: skip
    (folder / "config.yaml").write_text(json.dumps(values))
    return Config.model_validate(values)
