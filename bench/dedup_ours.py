"""Our side of bench/dedup.py: scan and dedup of a folder as the worker runs them, on a database of their own.

    python bench/dedup_ours.py TREE STATE

Made ready before it says so, as a worker is that runs already. Each line of input then is one scan with dedup;
the answer is one line of JSON: seconds on the clock and of processors, and bytes that were read. The database is
written with synchronous=FULL.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from app.config.schema import Config  # noqa: E402  the program lies beside this folder
from app.config.store import Snapshot  # noqa: E402
from app.db.runs import get, list_steps  # noqa: E402
from app.files.markers import MARKER_NAME  # noqa: E402
from app.jobs.requests import request_run  # noqa: E402
from app.model import RunKind, RunStatus, Stage, Trigger  # noqa: E402
from app.pipeline.workflow import execute  # noqa: E402
from app.services import Services, set_up  # noqa: E402

#: Has one scan with dedup done; returns what `take` below returns.
Take = Callable[[], dict[str, Any]]


def installation(tree: Path, state: Path) -> Services:
    """Services with this tree as their ingest folder, whose marker is made anew."""
    tree.joinpath(os.fsdecode(MARKER_NAME)).unlink(missing_ok=True)
    values: dict[str, Any] = {
        "paths": {
            "source_dir": str(tree), "batch_dir": str(state / "batches"), "sorted_dir": str(state / "archive"),
            "duplicates_dir": str(state / "duplicates"),
        },
        # A corpus has no files that are still being written.
        "scan": {"settle_seconds": 0},
        "sync": {"target": "none"},
        "system": {"db_path": str(state / "db.sqlite"), "log_dir": str(state / "logs")},
    }  # fmt: skip
    return set_up(Snapshot(Config.model_validate(values), revision="bench"))


def take(services: Services) -> dict[str, Any]:
    """One scan with dedup, as one run."""
    run = request_run(services, RunKind.STAGE, Trigger.CLI, [Stage.SCAN, Stage.DEDUP], "bench")
    before, read_before, began = _processor_seconds(), _read_bytes(), time.perf_counter()
    execute(services, run.id, threading.Event())
    seconds = time.perf_counter() - began
    with services.db.reading() as conn:
        ended, steps = get(conn, run.id), list_steps(conn, run.id)
    if ended.status is not RunStatus.DONE:
        raise SystemExit(f"the run went wrong: {ended.error}")
    return {
        "seconds": seconds, "processor": _processor_seconds() - before, "read_bytes": _read_bytes() - read_before,
        "steps": [step.report for step in steps],
    }  # fmt: skip


def _processor_seconds() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def _read_bytes() -> int:
    """All that this process and those that it has waited for have asked the system for, the database too."""
    return int(re.search(r"rchar: (\d+)", Path("/proc/self/io").read_text())[1])  # type: ignore[index]


def sets_in(state: Path, tree: Path) -> frozenset[frozenset[str]]:
    """The sets of duplicates that the database holds."""
    with closing(sqlite3.connect(f"file:{state / 'db.sqlite'}?mode=ro", uri=True)) as conn:
        rows = conn.execute(
            "SELECT original_id, path FROM assets WHERE status = 'duplicate' UNION ALL "
            "SELECT id, path FROM assets WHERE id IN (SELECT original_id FROM assets WHERE status = 'duplicate')"
        )
        sets: dict[int, set[str]] = {}
        for original, path in rows:
            sets.setdefault(original, set()).add(f"{tree}/{os.fsdecode(path)}")
    return frozenset(map(frozenset, sets.values()))


@contextmanager
def worker(tree: Path, state: Path) -> Iterator[tuple[Take, int]]:
    """This program as a process: what has it take one scan with dedup, and its id."""
    words = [sys.executable, __file__, str(tree), str(state)]
    child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None and child.stdout is not None
    answers, orders = child.stdout, child.stdin

    def take() -> dict[str, Any]:
        orders.write("go\n")
        orders.flush()
        line = answers.readline()
        if not line:
            raise SystemExit("our side ended before it was done")
        return dict(json.loads(line))

    try:
        if answers.readline().strip() != "ready":
            raise SystemExit("our side did not start")
        yield take, child.pid
    finally:
        orders.close()
        child.wait(60)


def main() -> None:
    """Serve until the input ends."""
    tree, state = Path(sys.argv[1]), Path(sys.argv[2])
    with os.fdopen(os.dup(1), "w") as answers, closing(installation(tree, state)) as services:
        # What the program logs is no answer.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        print("ready", file=answers, flush=True)
        for _ in sys.stdin:
            print(json.dumps(take(services), default=str), file=answers, flush=True)


if __name__ == "__main__":
    main()
