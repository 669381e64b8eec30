"""How long every list and search takes with a million files, first page and deep inside: `python bench/lists.py`.

Builds a database of that size, starts the web process as it is deployed, and asks each list over HTTP, one request at a
time. The times are told beside those of /health in the same round: ratios carry over to another machine.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from app.config.schema import Config  # noqa: E402
from app.config.store import Snapshot  # noqa: E402
from app.db import totals  # noqa: E402
from app.db.connection import Connection  # noqa: E402
from app.db.names import name_key  # noqa: E402
from app.model import RootKind  # noqa: E402
from app.services import Services, set_up  # noqa: E402

AT = "2026-05-06T07:08:09.000000+00:00"
#: How many files of a thousand have each status.
SHARES = (
    ("archived", 800), ("duplicate", 120), ("unique", 40), ("batched", 10), ("delivered", 5), ("set_aside", 12),
    ("failed", 3), ("gone", 8), ("discovered", 2),
)  # fmt: skip
KINDS = (
    "batch.created", "batch.synced", "batch.sorted", "asset.set_aside", "scan.finished", "run.started", "step.failed",
)  # fmt: skip
SLICE = 20_000
GOAL_SECONDS = 0.2
Roots = dict[RootKind, int]


def build(services: Services, files: int, events: int, batches: int, runs: int = 20_000) -> None:
    """Fill a database: files over fifteen years, each with a move and an origin, their batches, deliveries, events."""
    chance = random.Random(5)
    roots = {kind: services.root(kind).id for kind in (RootKind.INGEST, RootKind.ARCHIVE)}
    with services.db.transaction() as conn:
        _insert(conn, _batch_rows(batches), "batches (id, name, status, file_count, size_bytes, target, transfer_mode, "
                "peer_policy, created_at)")  # fmt: skip
        _insert(conn, _group_rows(files, roots[RootKind.INGEST]), "groups (id, root_id, folder, stem)")
        _insert(conn, _asset_rows(files, batches, roots, chance), ASSETS)
        _insert(conn, _move_rows(files, batches, roots), MOVES)
        _insert(conn, ((i + 1, "ABC", i % batches + 1, AT) for i in range(0, files, 2)),
                "deliveries (asset_id, device_id, batch_id, confirmed_at)")  # fmt: skip
        _insert(conn, _event_rows(events, files, batches, runs, chance), EVENTS)
        _insert(conn, ((n + 1, "stage", "schedule", "done", '["scan"]', AT) for n in range(runs)),
                "runs (id, kind, \"trigger\", status, stages, requested_at)")  # fmt: skip
        _insert(conn, ((n + 1, roots[RootKind.INGEST], b"notes/%06d.txt" % n, "not a photo, video or sidecar", AT)
                       for n in range(files // 50)), "left_in_place (id, root_id, path, reason, seen_at)")  # fmt: skip
        totals.recount(conn)
    services.db.checkpoint()


ASSETS = (
    "assets (id, root_id, path, status, size_bytes, mtime_ns, ctime_ns, device, inode, digest, digest_algorithm, "
    "sha256, original_id, group_id, batch_id, taken_at, taken_local, taken_from, inspected_at, origin_root_id, "
    "origin_path, attempts, reason, first_seen_at, updated_at, name)"
)
MOVES = (
    "moves (id, purpose, state, run_id, batch_id, asset_id, src_root_id, src_path, dst_root_id, dst_path, size_bytes, "
    "created_at, updated_at)"
)
EVENTS = "events (id, at, kind, level, message, run_id, batch_id, asset_id)"


def _insert(conn: Connection, rows: Iterator[tuple[Any, ...]], into: str) -> None:
    marks = ", ".join("?" * (into.count(",") + 1))
    while part := [row for _, row in zip(range(SLICE), rows, strict=False)]:
        conn.exec_driver_sql(f"INSERT INTO {into} VALUES ({marks})", part)


def _batch_rows(batches: int) -> Iterator[tuple[Any, ...]]:
    for n in range(batches):
        yield n + 1, f"batch_{n + 1:04d}", "SYNCING" if n == batches - 1 else "SORTED", 200, 700_000_000, "syncthing", \
            "move", "keep", AT  # fmt: skip


def _origin(number: int) -> bytes:
    return b"DCIM/%04dAPPLE/IMG_%04d.JPG" % (number // 1000, number % 10_000)


def _group_rows(files: int, root_id: int) -> Iterator[tuple[Any, ...]]:
    for n in range(files):
        folder, _, name = _origin(n).rpartition(b"/")
        yield n + 1, root_id, folder, name[:-4]


def _status(number: int) -> str:
    place = number * 7919 % 1000
    for status, share in SHARES:
        if place < share:
            return status
        place -= share
    raise AssertionError(number)


def _asset_rows(files: int, batches: int, roots: Roots, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    for n in range(files):
        status, origin = _status(n), _origin(n)
        day = f"{2010 + n % 15}-{n % 12 + 1:02d}-{n % 28 + 1:02d}"
        archived = status == "archived"
        path = day.replace("-", "/").encode() + b"/IMG_%07d.JPG" % n if archived else origin
        digest = f"{chance.getrandbits(256):064x}"
        reason = f"Could not read {path.decode()}: Input/output error." if status in ("failed", "set_aside") else None
        yield (
            n + 1, roots[RootKind.ARCHIVE if archived else RootKind.INGEST], path, status, 3_000_000 + n % 999_983, n,
            n, 1, n + 1, digest, "blake3", digest, max(n - n % 50, 1) if status == "duplicate" else None, n + 1,
            n % batches + 1 if archived else None, f"{day}T10:00:00+00:00", f"{day}T12:00:{n % 60:02d}",
            "mtime" if n % 97 == 0 else "exif", AT, roots[RootKind.INGEST], origin, 0, reason, AT, AT, name_key(origin),
        )  # fmt: skip


def _move_rows(files: int, batches: int, roots: Roots) -> Iterator[tuple[Any, ...]]:
    for n in range(files):
        yield n + 1, "archive", "DONE", 1, n % batches + 1, n + 1, roots[RootKind.INGEST], _origin(n), \
            roots[RootKind.ARCHIVE], b"2020/IMG_%07d.JPG" % n, 3_000_000, AT, AT  # fmt: skip


def _event_rows(events: int, files: int, batches: int, runs: int, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    for n in range(events):
        at = f"2026-01-01T{n * 24 // events:02d}:{n * 1440 // events % 60:02d}:00.000000+00:00"
        level = "error" if n % 1000 == 0 else "warning" if n % 200 == 0 else "info"
        # set-up has written a few events of its own
        yield n + 101, at, KINDS[n % len(KINDS)], level, f"Something happened to file {n % files}.", n % runs + 1, \
            n % batches + 1, chance.randrange(files) + 1  # fmt: skip


@contextmanager
def serving(folder: Path, port: int) -> Iterator[None]:
    """The web process as it is deployed."""
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
        yield
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


#: What is asked: a name, and how its first page and a page deep inside are addressed.
SEARCHES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("assets", {}),
    ("assets, newest first", {"order": "desc"}),
    ("assets status=archived", {"status": "archived"}),
    ("assets status=failed", {"status": "failed"}),
    ("assets name=IMG_12", {"name": "IMG_12"}),
    ("assets name=img_", {"name": "img_"}),
    ("assets name=IMG_ status=duplicate", {"name": "IMG_", "status": "duplicate"}),
    ("assets name=IMG_1 status=failed", {"name": "IMG_1", "status": "failed"}),
    ("assets prefix=2019/", {"prefix": "2019/"}),
    ("assets prefix=2019/ sort=path", {"prefix": "2019/", "sort": "path"}),
    ("assets sort=path", {"sort": "path"}),
    ("assets origin=DCIM/05", {"origin": "DCIM/05", "sort": "origin"}),
    ("assets sort=taken", {"sort": "taken"}),
    ("assets taken 2015", {"taken_since": "2015", "taken_until": "2015", "sort": "taken"}),
    ("assets taken 2015, archived", {"taken_since": "2015", "taken_until": "2015", "status": "archived"}),
    ("assets taken_from=mtime", {"taken_from": "mtime"}),
    ("assets taken_from=none such", {"taken_from": "xmp"}),
    ("assets root=ingest sort=name", {"root": "ingest", "sort": "name"}),
    ("assets digest=00", {"digest": "00"}),
    ("assets digest=0000", {"digest": "0000"}),
    ("assets original_id=1", {"original_id": 1}),
)
ITEMS, PAGES = 100, 10_000


def first_page(query: dict[str, Any]) -> str:
    """The address of a search's first page."""
    return "/api/assets?" + urlencode({**query, "limit": ITEMS})


def page_10_000(client: Client, query: dict[str, Any]) -> list[str]:
    """The address of page 10,000 (or of the last one), reached in steps of ten."""
    base, wide = first_page(query), "/api/assets?" + urlencode({**query, "limit": 1000})
    cursor = None
    for _ in range(PAGES * ITEMS // 1000):
        answer = client.ask(wide + (f"&cursor={quote(cursor)}" if cursor else ""))
        if answer["next_cursor"] is None:
            break
        cursor = answer["next_cursor"]
    return [base + f"&cursor={quote(cursor)}"] if cursor else [base]


def other_lists(files: int, events: int, batches: int) -> Iterator[tuple[str, list[str], list[str]]]:
    """(name, first page, page 10,000) of what is paged by ids."""
    deep = events // 2
    journal = {
        "journal": {}, "journal kind=batch.": {"kind": "batch."}, "journal level=error": {"level": "error"},
        "journal level=info kind=scan.": {"level": "info", "kind": "scan."}, "journal text": {"text": "file 77"},
        "journal text, none such": {"text": "unicorn"}, "journal kind=step. text": {"kind": "step.", "text": "unicorn"},
        "journal run_id": {"run_id": 777}, "journal asset_id": {"asset_id": 777},
        "journal since until": {"since": "2026-01-01T10:00:00Z", "until": "2026-01-01T12:00:00Z"},
    }  # fmt: skip
    for name, query in journal.items():
        base = "/api/journal?" + urlencode({**query, "limit": ITEMS})
        yield name, [base], [f"{base}&before_id={deep}", f"{base}&after_id={deep}"]
    for name, base in (
        ("batches", "/api/batches?limit=100"), ("batches status", "/api/batches?limit=100&status=SORTED"),
        ("batches name", "/api/batches?limit=100&name=batch_00"), ("runs", "/api/runs?limit=100"),
        ("runs kind", "/api/runs?limit=100&kind=stage"), ("runs kind, none such", "/api/runs?limit=100&kind=undo"),
    ):  # fmt: skip
        yield name, [base], [f"{base}&before_id={batches // 2}"]
    for name, base, top in (
        ("moves", "/api/moves?limit=100", files),
        ("moves of a batch", f"/api/moves?limit=100&batch_id={batches // 2}", files),
        ("failed", "/api/failed?limit=100", files), ("set-aside", "/api/set-aside?limit=100", files),
        ("left-in-place", "/api/left-in-place?limit=100", files // 50),
        ("duplicates", "/api/duplicates?limit=50", files),
        ("files of a batch", f"/api/batches/{batches // 2}/assets?limit=100", files),
    ):  # fmt: skip
        yield name, [base], [f"{base}&after_id={int(top * 0.9)}"]
    yield "one asset's story", [f"/api/assets/{files // 2}"], [f"/api/assets/{files - 7}"]
    some = quote(_origin(files // 2).decode())
    yield "assets/at", [f"/api/assets/at?path={some}"], [f"/api/assets/at?path={quote(_origin(files - 5).decode())}"]
    yield "one batch", [f"/api/batches/{batches // 2}"], [f"/api/batches/{batches}"]
    yield "one run", ["/api/runs/777"], ["/api/runs/19999"]
    yield "overview", ["/api/workflow/overview"], ["/api/workflow/overview"]
    yield "dashboard", ["/api/dashboard"], ["/api/dashboard"]
    yield "workflow status", ["/api/workflow/status"], ["/api/workflow/status"]


def measure(client: Client, addresses: list[str], rounds: int) -> tuple[float, float]:
    """(median, 95th percentile) in milliseconds."""
    for address in addresses:
        client.ask(address)
    taken = [client.timed(address) for _ in range(rounds) for address in addresses]
    return statistics.median(taken) * 1000, statistics.quantiles(taken, n=20)[18] * 1000


def report(client: Client, files: int, events: int, batches: int, rounds: int) -> int:
    """Print the table; returns how many lines miss the goal."""
    health, _ = measure(client, ["/health"], rounds * 10)
    print(f"/health: {health:.2f} ms\n\n| list | first page p50 | p95 | page 10,000 p50 | p95 | ratio to /health |")
    print("|---|---|---|---|---|---|")
    lists = [(name, [first_page(query)], page_10_000(client, query)) for name, query in SEARCHES]
    missed = 0
    for name, first, deep in [*lists, *other_lists(files, events, batches)]:
        early, late = measure(client, first, rounds), measure(client, deep, rounds)
        missed += max(early[1], late[1]) >= GOAL_SECONDS * 1000
        print(
            f"| {name} | {early[0]:.1f} | {early[1]:.1f} | {late[0]:.1f} | {late[1]:.1f} | {late[0] / health:.1f} |",
            flush=True,
        )
    return missed


def main() -> int:
    """Build, serve, measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--batches", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--folder", type=Path, help="where the database is built, and used again if it is there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="media-pipeline-lists-") as scratch:
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
        services.close()
        with serving(folder, port):
            client = Client(port)
            missed = report(client, options.files, options.events, options.batches, options.rounds)
    print(f"\n{missed} lists miss the goal of {GOAL_SECONDS * 1000:.0f} ms at the 95th percentile")
    return min(missed, 1)


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


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


if __name__ == "__main__":
    sys.exit(main())
