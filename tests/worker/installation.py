"""A whole installation under one folder, with real worker processes, for tests that stop and kill them."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from app.config.store import ConfigStore
from app.db import assets, batches, facts, journal, moves, runs
from app.db.heartbeat import HEARTBEAT_FACT
from app.db.totals import read as read_totals
from app.files.census import take_census
from app.files.lock import is_locked
from app.model import AssetStatus, Batch, Event, Run, RunStatus, Step
from app.services import Services, set_up
from tests.conftest import make_config, make_jpeg, write_tree

PROGRAM = Path(__file__).resolve().parents[2]
ENDED = (RunStatus.DONE, RunStatus.FAILED, RunStatus.CANCELLED)
NO_MEDIA = (b"batch-manifest.json", b"SHA256SUMS")


class Installation:
    """Config, state and media folders under `base`. Use as a context manager: it leaves no process behind."""

    def __init__(self, base: Path, **changes: Mapping[str, Any]) -> None:
        self.base = base
        self.config_path = base / "config.yaml"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.write_config(**changes)
        self.services: Services = set_up(ConfigStore(str(self.config_path), {}).load())

    def __enter__(self) -> Installation:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.kill()
            worker.wait()
        self.services.close()

    def write_config(self, **changes: Mapping[str, Any]) -> None:
        values = make_config(self.base, **changes).model_dump(mode="json")
        text = yaml.safe_dump(values)
        temporary = self.config_path.with_suffix(".new")
        temporary.write_text(text, "utf-8")
        os.replace(temporary, self.config_path)

    # --- processes

    def start_worker(self, *arguments: str, wait: bool = True) -> subprocess.Popen[bytes]:
        """A real `python -m worker`; with `wait`, only once it gives signs of life."""
        before = self.heartbeat()
        log = (self.base / "worker-output.log").open("ab")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MEDIA_PIPELINE_")}
        environment |= {"MEDIA_PIPELINE_CONFIG": str(self.config_path), "PYTHONPATH": str(PROGRAM)}
        worker = subprocess.Popen(
            [sys.executable, "-m", "worker", *arguments],
            cwd=self.base, env=environment, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        log.close()
        self.workers.append(worker)
        if wait:
            self.until(lambda: self.heartbeat() != before or worker.poll() is not None, "the worker starts")
            assert worker.poll() is None, self.output()
        return worker

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """SIGKILL, and wait until the kernel has taken the lock back."""
        worker.send_signal(signal.SIGKILL)
        worker.wait(30)

    def terminate(self, worker: subprocess.Popen[bytes], seconds: float = 10.0) -> int:
        """SIGTERM; the exit code. Fails when it takes too long."""
        worker.send_signal(signal.SIGTERM)
        return worker.wait(seconds)

    def heartbeat(self) -> str | None:
        with self.services.db.reading() as conn:
            return facts.find(conn, HEARTBEAT_FACT)

    def is_locked(self) -> bool:
        return is_locked(self.services.state_dir)

    def output(self) -> str:
        return (self.base / "worker-output.log").read_text("utf-8", "replace")[-6000:]

    def until(self, condition: Callable[[], Any], what: str, seconds: float = 60.0) -> None:
        """Wait for a condition; fails with the worker's output when it does not come true."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"in {seconds} s it did not happen that {what}\n{self.output()}"
            time.sleep(0.01)

    # --- rows

    def run(self, run_id: int) -> Run:
        with self.services.db.reading() as conn:
            return runs.get(conn, run_id)

    def ended(self, run_id: int, seconds: float = 120.0) -> Run:
        """The run, once it has ended."""
        self.until(lambda: self.run(run_id).status in ENDED, f"run {run_id} ends", seconds)
        return self.run(run_id)

    def steps(self, run_id: int) -> list[Step]:
        with self.services.db.reading() as conn:
            return runs.list_steps(conn, run_id)

    def events(self, kind: str = "", **which: int) -> list[Event]:
        with self.services.db.reading() as conn:
            return journal.list_events(conn, kind_prefix=kind, limit=100_000, **which)

    def batches(self) -> list[Batch]:
        with self.services.db.reading() as conn:
            return batches.list_recent(conn, 1_000)[::-1]

    def counts(self) -> dict[AssetStatus, int]:
        """Files per status, those that are there; totals and rows must agree."""
        with self.services.db.reading() as conn:
            totals = {status: files for status, (files, _size) in read_totals(conn).items()}
            assert totals == {status: assets.count(conn, status) for status in AssetStatus}
        return {status: files for status, files in totals.items() if files}

    # --- media

    def folder(self, name: str) -> Path:
        return self.base / name

    def fill_ingest(self, count: int, *, duplicates: int = 0, size: int = 0) -> None:
        """`count` pictures of their own, then `duplicates` that repeat the first ones; `size` more bytes each."""
        tree = {f"camera/{n % 7}/img_{n:05d}.jpg": self.picture(n, size) for n in range(count)} | {
            f"phone/copy_{n:05d}.jpg": self.picture(n, size) for n in range(duplicates)
        }
        write_tree(self.folder("ingest"), tree)

    @staticmethod
    def picture(seed: int, size: int = 0) -> bytes:
        day = f"{2015 + seed % 5}:{1 + seed % 12:02d}:{1 + seed % 28:02d} {seed % 24:02d}:00:00"
        return make_jpeg(taken=day, seed=seed) + hashlib.sha256(str(seed).encode()).digest() * (size // 32)

    def census(self) -> Counter[str]:
        """How often each content lies anywhere in the media folders, hidden places and trash included."""
        found = take_census(self._media_folders())
        ours = [path for path in found.names if b"/.media-pipeline/" in path or os.path.basename(path) in NO_MEDIA]
        found.contents.subtract(found.names[path] for path in ours)
        return +found.contents

    def leftovers(self) -> list[bytes]:
        """Temporary files of moves, anywhere, and whatever is left in staging."""
        found = take_census(self._media_folders())
        staged = [path for path in found.names if b"/.mp-staging/" in path and b"/.mp-trash/" not in path]
        return [*found.leftovers, *staged]

    def open_moves(self) -> int:
        """Moves that the journal has begun and not ended."""
        with self.services.db.reading() as conn:
            return len(moves.list_open(conn))

    def _media_folders(self) -> list[bytes]:
        kept = ("state", "config.yaml", "revisions", "worker-output.log")
        return [os.fsencode(path) for path in sorted(self.base.iterdir()) if path.name not in kept and path.is_dir()]
