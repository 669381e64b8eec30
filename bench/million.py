"""How scan and dedup grow with the library: trees of 10,000, 100,000 and 1,000,000 files.

    python bench/million.py [--sizes 10000,100000,1000000] [--per-folder 500] [--folder DIR] [--plain]

Nine files of ten are sparse and of a size that no other one has, as photos mostly are: they cost names and rows. The
tenth is tiny, of one of 40 sizes, and half of these are copies: they have to be read. The tree lies on a file system of
its own in an image (as root; it keeps tiny files in their inodes), or in a plain folder. Told are seconds of the first
scan and of one without a change, the largest memory of all our processes (PSS), the database and the largest
write-ahead log, how long somebody else waited meanwhile for a page of files and for a small write, and by which
power of the number of files each grows: 1.0 is even growth.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from app.db.connection import Database  # noqa: E402  it lies beside this folder
from bench.dedup_ours import worker  # noqa: E402  they lie beside this file
from bench.groups import growth  # noqa: E402
from bench.pipeline import pss_bytes  # noqa: E402

SIZES = "10000,100000,1000000"
TINY_SHARE = 10
TINY_SIZES = 40
LOOK_SECONDS = 0.1
PAGE = "SELECT id, path, status, size_bytes FROM assets WHERE id > ? ORDER BY id LIMIT 100"


@dataclass
class Seen:
    """What was seen while one run went on."""

    peak_bytes: int = 0
    wal_bytes: int = 0
    pages: list[float] = field(default_factory=list)
    writes: list[float] = field(default_factory=list)


@dataclass
class Costs:
    """What one size of library took."""

    seconds: dict[str, float] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    database_bytes: int = 0


def fill(tree: Path, files: int, per_folder: int) -> int:
    """Make the files; returns how many of them are copies."""
    copies = 0
    for number in range(files):
        if number % per_folder == 0:
            part = tree / f"{2008 + number // per_folder % 16}" / f"Album {number // per_folder:05d}"
            part.mkdir(parents=True, exist_ok=True)
        path = f"{part}/PIC{number:08d}.jpg"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        if number % TINY_SHARE:
            os.ftruncate(descriptor, 1_000 + 7 * number)
        else:
            # The second of two tiny files is a copy of the first.
            first = number - number % (2 * TINY_SHARE)
            copies += number != first
            os.write(descriptor, (b"%09d" % first).ljust(10 + first // TINY_SHARE % TINY_SIZES, b"."))
        os.close(descriptor)
    return copies


@contextmanager
def place_for(base: Path, files: int, plain: bool) -> Iterator[Path]:
    """An empty folder for a tree: on a file system of its own, if that can be made here."""
    tree = base / "tree"
    tree.mkdir()
    if plain or os.geteuid() != 0:
        yield tree
        return
    image = base / "image"
    with image.open("wb") as file:
        file.truncate(1024 * files + (256 << 20))
    # One folder for each two files is more than any tree here has.
    inodes = str(files + files // 2 + 1_000)
    made = ["mkfs.ext4", "-q", "-m", "0", "-O", "inline_data", "-I", "256", "-N", inodes, str(image)]
    subprocess.run(made, check=True)
    subprocess.run(["mount", "-o", "loop,noatime", str(image), str(tree)], check=True)
    try:
        yield tree
    finally:
        subprocess.run(["umount", str(tree)], check=True)
        image.unlink()


@contextmanager
def watching(pid: int, database: Path) -> Iterator[Seen]:
    """Look at memory and log, and want something of the database now and then, as a page and a request do."""
    seen, over = Seen(), threading.Event()

    def write() -> None:
        with db.transaction() as writing:
            writing.exec_driver_sql("UPDATE totals SET file_count = file_count")

    def watch() -> None:
        with closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as conn:
            last = 0
            while not over.wait(LOOK_SECONDS):
                seen.peak_bytes = max(seen.peak_bytes, pss_bytes([pid]))
                seen.wal_bytes = max(seen.wal_bytes, _size_of(Path(f"{database}-wal")))
                seen.pages.append(_timed(lambda after=last: conn.execute(PAGE, (after,)).fetchall()))
                seen.writes.append(_timed(write))
                last += 997

    with closing(Database(str(database))) as db:
        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield seen
        finally:
            over.set()
            watcher.join()


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _timed(do: Callable[[], Any]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def measure(files: int, base: Path, per_folder: int, plain: bool) -> Costs:
    """Make a tree of so many files and take it in twice."""
    costs, state = Costs(), base / "state"
    with place_for(base, files, plain) as tree:
        copies = fill(tree, files, per_folder)
        with worker(tree, state) as (take, pid):
            for what in ("first scan", "without a change"):
                with watching(pid, state / "db.sqlite") as seen:
                    costs.seconds[what] = take()["seconds"]
                costs.seen[what] = seen
        costs.database_bytes = _size_of(state / "db.sqlite")
        with closing(sqlite3.connect(state / "db.sqlite")) as conn:
            found = dict(conn.execute("SELECT status, file_count FROM totals WHERE file_count > 0"))
    if found != {"unique": files - copies, "duplicate": copies}:
        raise SystemExit(f"{found} instead of {copies} duplicates of {files} files")
    return costs


def show(files: int, costs: Costs) -> None:
    """The lines of one size."""
    for what, seconds in costs.seconds.items():
        seen = costs.seen[what]
        pages, writes = sorted(seen.pages) or [0.0], sorted(seen.writes) or [0.0]
        print(
            f"| {files:,} | {what} | {seconds:.2f} s | {seen.peak_bytes / 1e6:.0f} MB | "
            f"{costs.database_bytes / 1e6:.0f} MB | {seen.wal_bytes / 1e6:.0f} MB | "
            f"{statistics.median(pages) * 1e3:.1f} / {pages[-1] * 1e3:.0f} ms | "
            f"{statistics.median(writes) * 1e3:.1f} / {writes[-1] * 1e3:.0f} ms |",
            flush=True,
        )


def main() -> int:
    """Measure every size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=SIZES, help="numbers of files, with commas")
    parser.add_argument("--per-folder", type=int, default=500, help="files in one folder")
    parser.add_argument("--folder", type=Path, help="where to work; on the file system to measure")
    parser.add_argument("--plain", action="store_true", help="make no file system for it")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    print("| files | | seconds | memory | database | largest WAL | a page waits (median / longest) | a write waits |")
    print("|---" * 8 + "|")
    all_costs = []
    for files in sizes:
        with tempfile.TemporaryDirectory(prefix="media-pipeline-bench-", dir=options.folder) as name:
            all_costs.append(measure(files, Path(name), options.per_folder, options.plain))
        show(files, all_costs[-1])
    if len(sizes) > 1:
        for what in all_costs[0].seconds:
            power = growth(sizes, [costs.seconds[what] for costs in all_costs])
            print(f"{what}: grows with the files to the power of {power:.2f}")
        power = growth(sizes, [costs.database_bytes for costs in all_costs])
        print(f"the database: to the power of {power:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
