"""How long it takes, and how many requests, to prove that a batch has arrived at a peer: `python bench/delivery.py`.

Two real Syncthings on loopback, one batch of many small files, looks as far apart as the worker takes them, or
`--every` so many seconds. Beside them, in the same run: one bare question about each of as many files, one after the
other, and what the web process takes to answer idle and meanwhile. Another Syncthing is measured with
MEDIA_PIPELINE_TEST_SYNCTHING=/path/to/syncthing.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from app.model import Batch, BatchStatus  # noqa: E402
from app.pipeline import sync  # noqa: E402
from app.syncthing.client import SyncthingClient  # noqa: E402
from app.syncthing.pipelining import Pipeline  # noqa: E402
from bench.pipeline import free_port  # noqa: E402
from bench.served import serving  # noqa: E402
from tests.syncthing.pair import BINARY, FOLDER, KEY, Node, Pair, in_session, make_pair  # noqa: E402
from tests.syncthing.staging import publish, reread  # noqa: E402
from tests.worker.installation import Installation  # noqa: E402
from worker.early_looks import LEAST_SECONDS, SECONDS_PER_FILE  # noqa: E402

#: Looks by the clock alone are this far apart (syncthing.poll_interval_sec).
POLL_SECONDS = 60.0
GOAL_SECONDS, GOAL_REQUESTS_A_FILE = 15.0, 1.2
PAGES = ("/health", "/api/batches?limit=50")


class Counting:
    """Counts what our client asks, and the seconds until it has the answers, by path."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.seconds: Counter[str] = Counter()
        exchange = SyncthingClient._exchange

        def counted(client: SyncthingClient, method: str, path: str, *rest: Any) -> bytes:
            self.asked[path] += 1
            began = time.perf_counter()
            try:
                return exchange(client, method, path, *rest)
            finally:
                self.seconds[path] += time.perf_counter() - began  # type: ignore[assignment]

        send = Pipeline._send

        def counted_together(pipeline: Pipeline, requests: Sequence[bytes]) -> None:
            self.asked["db/file"] += len(requests)
            send(pipeline, requests)

        SyncthingClient._exchange = counted  # type: ignore[method-assign]
        Pipeline._send = counted_together  # type: ignore[method-assign]


def settings(pair: Pair, base: Path, port: int) -> dict[str, dict[str, Any]]:
    """An installation that delivers from our side of the pair."""
    return {
        "paths": {
            "source_dir": str(base / "ingest"),
            "batch_dir": str(pair.ours.folder),
            "sorted_dir": str(base / "archive"),
            "duplicates_dir": str(base / "duplicates"),
        },
        "sync": {"target": "syncthing"},
        "syncthing": {
            "api_url": pair.ours.url, "api_key": KEY, "folder_id": FOLDER, "device_id": pair.peer.device_id,
            "poll_interval_sec": 1, "rescan_delay_sec": 0,
        },
        "system": {
            "db_path": str(base / "state" / "db.sqlite"), "log_dir": str(base / "state" / "logs"),
            "port_api": port, "bind_host": "127.0.0.1",
        },
    }  # fmt: skip


def small_files(count: int) -> dict[str, bytes]:
    """Different files of 1 to 4 KiB in folders of 500."""
    chance = random.Random(3)
    return {f"{n // 500:03d}/IMG_{n:05d}.jpg": chance.randbytes(chance.randint(1024, 4096)) for n in range(count)}


def ask_all(pair: Pair, paths: list[str]) -> float:
    """Seconds for one bare question about each file over one connection: what any proof per file costs at least."""
    connection = http.client.HTTPConnection("127.0.0.1", pair.ours.gui_port)
    began = time.perf_counter()
    for path in paths:
        connection.request("GET", f"/rest/db/file?folder={FOLDER}&file={quote(path)}", headers={"X-API-Key": KEY})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path}: HTTP {answer.status}")
    seconds = time.perf_counter() - began
    connection.close()
    return seconds


@contextlib.contextmanager
def visitor(port: int) -> Iterator[dict[str, list[float]]]:
    """Someone who asks the web process ten times a second; milliseconds by page."""
    times: dict[str, list[float]] = {page: [] for page in PAGES}
    over = threading.Event()

    def visit() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while not over.wait(0.05):
            for page in PAGES:
                began = time.perf_counter()
                connection.request("GET", page)
                connection.getresponse().read()
                times[page].append((time.perf_counter() - began) * 1000)

    thread = threading.Thread(target=visit)
    thread.start()
    try:
        yield times
    finally:
        over.set()
        thread.join()


def told(times: dict[str, list[float]]) -> str:
    """Median and 95th percentile by page."""
    return ", ".join(
        f"{page.partition('?')[0]} {statistics.median(found):.1f} / {statistics.quantiles(found, n=20)[-1]:.1f} ms"
        for page, found in times.items()
        if len(found) > 1
    )


@dataclass
class Proof:
    """What it took until a batch was SYNCED: seconds in looks, of which so many of a processor here and in our
    Syncthing, and altogether."""

    inside: float = 0.0
    processor: float = 0.0
    syncthing: float = 0.0
    wall: float = 0.0
    looks: int = 0


def processor_seconds(node: Node) -> float:
    """What every process of a Syncthing has used of a processor so far."""
    assert node.process is not None
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in in_session(node.process.pid)]
    return sum(int(fields[11]) + int(fields[12]) for fields in stats) / os.sysconf("SC_CLK_TCK")


def pause(pair: Pair, unproven: int, every: float | None) -> None:
    """Wait as the worker does: long while much is lacking, unless the peer is said to need nothing more."""
    ends_at = time.monotonic() + (every or min(max(LEAST_SECONDS, unproven * SECONDS_PER_FILE), POLL_SECONDS))
    time.sleep(every or LEAST_SECONDS)
    while time.monotonic() < ends_at:
        if not pair.ours.rest("GET", f"db/completion?folder={FOLDER}&device={pair.peer.device_id}")["needItems"]:
            return
        time.sleep(1)


def prove(site: Installation, batch: Batch, pair: Pair, every: float | None) -> Proof:
    """Look until the batch is SYNCED."""
    began, found = time.perf_counter(), Proof()
    while True:
        at, spent, spent_there = time.perf_counter(), time.thread_time(), processor_seconds(pair.ours)
        sync.look(site.services, reread(site.services, batch))
        found.inside += time.perf_counter() - at
        found.processor += time.thread_time() - spent
        found.syncthing += processor_seconds(pair.ours) - spent_there
        found.wall = time.perf_counter() - began
        found.looks += 1
        seen = reread(site.services, batch)
        if seen.status is BatchStatus.SYNCED:
            return found
        if found.looks > 500:
            raise SystemExit(seen.sync_detail or "the batch does not arrive")
        pause(pair, seen.file_count - seen.confirmed_count, every)


def measure(base: Path, files: int, every: float | None) -> None:
    """One batch; prints the figures."""
    pair, port, counting = make_pair(base / "pair"), free_port(), Counting()
    try:
        (base / "site").mkdir()
        with Installation(base / "site", **settings(pair, base / "site", port)) as site, serving(base / "site", port):
            batch = publish(site.services, "bench", small_files(files))
            with visitor(port) as idle:
                time.sleep(3)
            with visitor(port) as meanwhile:
                took = prove(site, batch, pair, every)
            asked, asked_by_path, seconds = counting.asked.total(), dict(counting.asked), counting.seconds
            spent, spent_there = time.thread_time(), processor_seconds(pair.ours)
            limit = ask_all(pair, [f"bench/{path}" for path in small_files(files)])
            spent, spent_there = time.thread_time() - spent, processor_seconds(pair.ours) - spent_there
    finally:
        pair.stop()
    print(subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True).stdout.split()[1])
    print(
        f"{files} files: {took.inside:.1f} s in {took.looks} looks (aim {GOAL_SECONDS:.0f} s), "
        f"of a processor {took.processor:.1f} s here and {took.syncthing:.1f} s in Syncthing; "
        f"{took.wall:.1f} s with the transfer"
    )
    print(f"requests: {asked}, {asked / files:.3f} a file (aim {GOAL_REQUESTS_A_FILE}); {asked_by_path}")
    slowest = ", ".join(f"{path} {seconds:.1f} s" for path, seconds in seconds.most_common(3))
    print(f"waited for, asked one by one: {slowest}; altogether {seconds.total():.1f} s")
    print(
        f"limit: {limit:.1f} s for one bare question a file, of a processor {spent:.1f} s here and "
        f"{spent_there:.1f} s in Syncthing; ratio {took.inside / limit:.2f}"
    )
    print(f"web, idle: {told(idle)}; meanwhile: {told(meanwhile)}", flush=True)


def main() -> int:
    """Measure as often as asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--every", type=float, help="seconds between two looks, not as the worker paces them")
    parser.add_argument("--folder", type=Path, help="where to work; on the file system to measure")
    options = parser.parse_args()
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory(prefix="media-pipeline-bench-", dir=options.folder) as name:
            measure(Path(name), options.files, options.every)
    return 0


if __name__ == "__main__":
    sys.exit(main())
