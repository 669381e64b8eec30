"""How fast a verification reads an archive, beside plain programs that read the same files.

    python bench/verify.py [--files 20000] [--large-gb 2] [--rounds 3] [--folder DIR]

Each round reads each tree three times, each time from the disk (what the system remembers of the files is dropped
first): with `cat`, with `sha256sum`, both as two processes over the same files, and with a verification of an archive
that holds them. The verification also walks the tree and writes down every file. Prints medians and their ratios.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from blake3 import blake3

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from app import jobs  # noqa: E402  the program lies beside this folder
from app.config.schema import Config  # noqa: E402
from app.config.store import Snapshot  # noqa: E402
from app.db import accepted, runs  # noqa: E402
from app.files.walk import walk  # noqa: E402
from app.model import RootKind, Run, RunStatus, Trigger  # noqa: E402
from app.pipeline.workflow import execute  # noqa: E402
from app.services import Services, set_up  # noqa: E402
from bench.pipeline import make_large, make_small  # noqa: E402

PROCESSES = 2


def installation(base: Path) -> Services:
    """Services over an empty archive."""
    folders = {"source_dir": "ingest", "batch_dir": "batches", "sorted_dir": "archive", "duplicates_dir": "duplicates"}
    values = {
        "paths": {name: str(base / folder) for name, folder in folders.items()},
        "sync": {"target": "none"},
        "system": {"db_path": str(base / "state" / "db.sqlite")},
        "dedup": {"threads": PROCESSES},
    }
    return set_up(Snapshot(Config.model_validate(values), revision="bench"))


def know_everything(services: Services) -> tuple[int, int]:
    """Give every file of the archive its row; returns (files, bytes)."""
    root, files, size_bytes = services.root(RootKind.ARCHIVE), 0, 0
    with services.db.transaction() as conn:
        group = conn.exec_driver_sql(
            "INSERT INTO groups (root_id, folder, stem) VALUES (?, '', 'bench') RETURNING id", (root.id,)
        ).scalar_one()
        for found in walk(root):
            if found.signature is None:
                continue
            content = Path(os.fsdecode(root.path), os.fsdecode(found.path)).read_bytes()
            accepted.insert_archived(
                conn, (root.id, found.path), found.signature, group, digest=blake3(content).hexdigest(),
                algorithm="blake3", sha256=f"{files:064x}",
            )  # fmt: skip
            files, size_bytes = files + 1, size_bytes + len(content)
    return files, size_bytes


def paths_below(folder: Path) -> Iterator[bytes]:
    """Every file of the tree, but the marker."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            yield os.fsencode(path)


def forget(folder: Path) -> None:
    """Have the system drop what it remembers of the files."""
    os.sync()
    for path in paths_below(folder):
        descriptor = os.open(path, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def plain(command: str, folder: Path) -> float:
    """Seconds that a program takes to read every file, as two processes."""
    paths = list(paths_below(folder))
    at_once = str(max(1, min(64, len(paths) // (2 * PROCESSES))))
    names = b"\0".join(paths)
    forget(folder)
    began = time.perf_counter()
    words = ["xargs", "-0", "-P", str(PROCESSES), "-n", at_once, command]
    subprocess.run(words, input=names, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def verification(services: Services, folder: Path) -> float:
    """Seconds from the start of a verification to its end, which must find nothing."""
    forget(folder)
    run = jobs.start_verify(services, Trigger.CLI, roots=["archive"])
    began = time.perf_counter()
    execute(services, run.id, threading.Event())
    seconds = time.perf_counter() - began
    _require_clean(services, run)
    return seconds


def _require_clean(services: Services, run: Run) -> None:
    with services.db.reading() as conn:
        ended, (step,) = runs.get(conn, run.id), runs.list_steps(conn, run.id)
    if ended.status is not RunStatus.DONE or any(step.report["findings"].values()):
        raise SystemExit(f"the verification went wrong: {ended.error} {step.report}")


def measure(name: str, make: Callable[[Path], None], rounds: int, parent: Path) -> None:
    """Make a tree and measure all three on it, in turns."""
    with tempfile.TemporaryDirectory(dir=parent) as base, closing(installation(Path(base))) as services:
        folder = Path(base, "archive")
        make(folder)
        files, size_bytes = know_everything(services)
        seconds: dict[str, list[float]] = {"cat": [], "sha256sum": [], "verify": []}
        for _ in range(rounds):
            for command in ("cat", "sha256sum"):
                seconds[command].append(plain(command, folder))
            seconds["verify"].append(verification(services, folder))
        _print(name, files, size_bytes, seconds)


def _print(name: str, files: int, size_bytes: int, seconds: dict[str, list[float]]) -> None:
    middle = {what: statistics.median(taken) for what, taken in seconds.items()}
    print(f"{name}: {files:,} files, {size_bytes / 1e6:,.0f} MB")
    for what, taken in seconds.items():
        rounds = ", ".join(f"{one:.2f}" for one in taken)
        rate, per_second = size_bytes / 1e6 / middle[what], files / middle[what]
        print(f"  {what:10} {rounds} s; median {middle[what]:.2f} s = {rate:,.0f} MB/s, {per_second:,.0f} files/s")
    for other in ("cat", "sha256sum"):
        print(f"  verify / {other}: {middle['verify'] / middle[other]:.2f}")


def main() -> None:
    """Measure small and large files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20_000, help="how many small files; 0 leaves them out")
    parser.add_argument("--large-gb", type=float, default=2.0, help="how much in films; 0 leaves them out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="on the disk to measure")
    options = parser.parse_args()
    if options.files:
        measure("small", lambda folder: make_small(folder, options.files), options.rounds, options.folder)
    if options.large_gb:
        measure("large", lambda folder: make_large(folder, options.large_gb), options.rounds, options.folder)


if __name__ == "__main__":
    main()
