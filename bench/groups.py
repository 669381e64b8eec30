"""How the work on groups grows with their size: `python bench/groups.py`.
(`--sizes 250,500,1000,2000,4000`, `--only NAME`, `--folder DIR`)

Each kind of library is made in several sizes and taken through the stages in this process. Told are the processor
seconds of each stage (those of the processes that read files are not among them), the longest write transaction on the
clock, for others wait that long, and by which power of the number of files the processor time of each stage grows: 1.0
is even growth, 2.0 four times the work for twice the files.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from app.config.schema import Config  # noqa: E402  the program lies beside this folder
from app.config.store import Snapshot  # noqa: E402
from app.db.connection import Connection, Database  # noqa: E402
from app.db.runs import get  # noqa: E402
from app.jobs.requests import request_run  # noqa: E402
from app.model import RunKind, RunStatus, Stage, Trigger  # noqa: E402
from app.pipeline.workflow import execute  # noqa: E402
from app.services import Services, set_up  # noqa: E402
from bench.pipeline import EXIF_DATE, dated_jpeg  # noqa: E402
from tests.pipeline.live_photo import film, still  # noqa: E402

SIZES = (250, 500, 1_000, 2_000, 4_000)
STAGES = (Stage.SCAN, Stage.DEDUP, Stage.INSPECT, Stage.BATCH, Stage.SYNC, Stage.SORT)
#: Google cuts names at so many characters.
LONG = "A_holiday_with_the_whole_family_by_the_sea_201"

Files = Iterator[tuple[str, bytes]]


def one_burst(count: int) -> Files:
    """Frames of one burst, with what Google Photos says of each: one group."""
    for number in range(count // 2):
        name = f"IMG_1_BURST{number:04d}.jpg"
        yield f"camera/{name}", photo(number)
        yield f"camera/{name}.json", takeout(name)


def one_folder(count: int) -> Files:
    """Photos of one folder, each a group of its own."""
    for number in range(count):
        yield f"camera/IMG_{number:05d}.jpg", photo(number)


def live_photos(count: int) -> Files:
    """Live Photos of one folder whose halves have different names: every film goes to another group."""
    for number in range(count // 2):
        yield f"phone/A_{number:05d}.jpg", still(f"id-{number}")
        yield f"phone/B_{number:05d}.mov", film(f"id-{number}")


def long_names(count: int) -> Files:
    """Photos whose names begin with the same 46 characters, and Google's JSON files, which are cut there."""
    for number in range(count // 2):
        name = f"{LONG}_{number:04d}.jpg"
        yield f"export/{name}", photo(number)
        yield f"export/{LONG}({number}).json" if number else f"export/{LONG}.json", takeout(name)


def other_titles(count: int) -> Files:
    """Photos that kept what Google replaces in the names of their JSON files: only the title in these tells whose."""
    for number in range(count // 2):
        name = f"a&b_{number:05d}.jpg"
        yield f"export/{name}", photo(number)
        yield f"export/{name.replace('&', '_')}.json", takeout(name)


def one_name(count: int) -> Files:
    """Photos of one name in as many folders, all of one day."""
    for number in range(count):
        yield f"{number:05d}/IMG_0001.jpg", photo(number)


KINDS: dict[str, Callable[[int], Files]] = {
    made.__name__: made for made in (one_folder, one_burst, live_photos, long_names, other_titles, one_name)
}


def photo(number: int) -> bytes:
    """A small JPEG unlike the others."""
    return dated_jpeg().replace(EXIF_DATE, b"2024:05:06 10:00:00") + b"%09d" % number


def takeout(name: str) -> bytes:
    """What Google Photos writes beside a photo."""
    return json.dumps({"title": name, "photoTakenTime": {"timestamp": "1715000000"}}).encode()


@contextmanager
def noting_transactions() -> Iterator[list[float]]:
    """The seconds of each write transaction meanwhile; of one that reads first, those from its first write on."""
    seconds: list[float] = []
    original, reading_first = Database.transaction, Database.read_then_write

    @contextmanager
    def timed(db: Database) -> Iterator[Connection]:
        with original(db) as conn:
            began = time.perf_counter()
            yield conn
        seconds.append(time.perf_counter() - began)

    def timed_writes(db: Database, act: Callable[[Connection], Any]) -> Any:
        writes: list[float] = []

        def note(statement: str) -> None:
            if statement.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE"):
                writes.append(time.perf_counter())

        def noted(conn: Connection) -> Any:
            writes.clear()
            conn.connection.driver_connection.set_trace_callback(note)  # type: ignore[union-attr]
            try:
                return act(conn)
            finally:
                conn.connection.driver_connection.set_trace_callback(None)  # type: ignore[union-attr]

        result = reading_first(db, noted)
        seconds.append(time.perf_counter() - writes[0] if writes else 0.0)
        return result

    Database.transaction, Database.read_then_write = timed, timed_writes  # type: ignore[method-assign, assignment]
    try:
        yield seconds
    finally:
        Database.transaction, Database.read_then_write = original, reading_first  # type: ignore[method-assign]


#: By stage, the processor seconds and the longest write transaction on the clock.
Costs = dict[Stage, tuple[float, float]]


def measure(made: Callable[[int], Files], count: int, parent: Path | None) -> Costs:
    """What a library of so many files costs."""
    with tempfile.TemporaryDirectory(prefix="media-pipeline-bench-", dir=parent) as name:
        for path, content in made(count):
            target = Path(name, "ingest", path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        with closing(installation(Path(name))) as services:
            return {stage: _cost_of(services, stage) for stage in STAGES}


def _cost_of(services: Services, stage: Stage) -> tuple[float, float]:
    run = request_run(services, RunKind.STAGE, Trigger.CLI, [stage], "bench")
    with noting_transactions() as transactions:
        began = time.process_time()
        execute(services, run.id, threading.Event())
        seconds = time.process_time() - began
    with services.db.reading() as conn:
        ended = get(conn, run.id)
    if ended.status is not RunStatus.DONE:
        raise SystemExit(f"{stage} went wrong: {ended.error}")
    return seconds, max(transactions)


def installation(base: Path) -> Services:
    """Services that deliver nowhere and wait for nothing."""
    folders = {"source_dir": "ingest", "batch_dir": "batches", "sorted_dir": "archive", "duplicates_dir": "duplicates"}
    values: dict[str, Any] = {
        "paths": {name: str(base / folder) for name, folder in folders.items()},
        "scan": {"settle_seconds": 0},
        "sync": {"target": "none"},
        "workflow": {"delays": {"syncthing_settle_sec": 0, "post_sync_sec": 0}},
        "system": {"db_path": str(base / "state" / "db.sqlite"), "log_dir": str(base / "state" / "logs")},
    }
    return set_up(Snapshot(Config.model_validate(values), revision="bench"))


def growth(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The power of the size by which these grow: the slope of both logarithms, by least squares."""
    across, up = [math.log(size) for size in sizes], [math.log(max(one, 1e-6)) for one in seconds]
    middle, height = sum(across) / len(across), sum(up) / len(up)
    spread = sum((x - middle) ** 2 for x in across)
    return sum((x - middle) * (y - height) for x, y in zip(across, up, strict=True)) / spread if spread else 0.0


def report(name: str, sizes: Sequence[int], parent: Path | None) -> None:
    """Measure one kind of library in all sizes and print its table."""
    print(f"\n{name}: {KINDS[name].__doc__}\n")
    print("| files | " + " | ".join(STAGES) + " | longest transaction |\n" + "|---" * (len(STAGES) + 2) + "|")
    costs = []
    for size in sizes:
        cost = measure(KINDS[name], size, parent)
        costs.append(cost)
        longest = max(cost, key=lambda stage: cost[stage][1])
        cells = [f"{cost[stage][0]:.2f}" for stage in STAGES]
        print(f"| {size:,} | {' | '.join(cells)} | {cost[longest][1]:.2f} ({longest}) |", flush=True)
    powers = [f"{growth(sizes, [cost[stage][0] for cost in costs]):.2f}" for stage in STAGES]
    print(f"| growth | {' | '.join(powers)} | |", flush=True)


def main() -> int:
    """Measure every kind of library, or one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="numbers of files, with commas")
    parser.add_argument("--only", choices=sorted(KINDS), action="append", help="this kind of library; may be repeated")
    parser.add_argument("--folder", type=Path, help="where to work; on the file system to measure")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    for name in options.only or KINDS:
        report(name, sizes, options.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
