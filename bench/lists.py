"""How long every list and search takes with a million files, first page and deep inside: `python bench/lists.py`.

Builds a database of that size, starts the web process as it is deployed, and asks each list over HTTP, one request at a
time. The times are told beside those of /health in the same round: ratios carry over to another machine.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
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

from sqlalchemy import func, select

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from app.config.schema import Config  # noqa: E402
from app.config.store import Snapshot  # noqa: E402
from app.db.connection import Connection  # noqa: E402
from app.db.search_terms import SORTS, conditions  # noqa: E402
from app.db.tables import assets  # noqa: E402
from app.overview import cursors  # noqa: E402
from app.services import Services, set_up  # noqa: E402
from app.web.api.assets import wanted_of  # noqa: E402
from app.web.queries import AssetQuery  # noqa: E402
from bench.library import build, origin_of  # noqa: E402

GOAL_SECONDS = 0.2


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


def page_10_000(conn: Connection, query: dict[str, Any]) -> str:
    """The address of page 10,000 of a search, or of its last page when it has fewer; made from the key before it."""
    wanted = wanted_of(AssetQuery(**query))
    key = [assets.c[name] for name in SORTS[wanted.sort]]
    terms = [column.is_not(None) for column in key]
    terms += [condition(assets.c) for condition in conditions(conn, wanted).values()]
    count = conn.execute(select(func.count()).where(*terms)).scalar_one()
    skipped = min(PAGES * ITEMS, count) - ITEMS - 1
    if skipped < 0:
        return first_page(query)
    order = [column.desc() if wanted.descending else column for column in key]
    row = conn.execute(select(*key).where(*terms).order_by(*order).limit(1).offset(skipped)).one()
    return f"{first_page(query)}&cursor={quote(cursors.encode(wanted, tuple(row)) or '')}"


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
    some = quote(origin_of(files // 2).decode())
    yield "assets/at", [f"/api/assets/at?path={some}"], [f"/api/assets/at?path={quote(origin_of(files - 5).decode())}"]
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


def report(port: int, services: Services, files: int, events: int, batches: int, rounds: int) -> int:
    """Print the table; returns how many lines miss the goal."""
    with services.db.reading() as conn:
        searches = [(name, [first_page(query)], [page_10_000(conn, query)]) for name, query in SEARCHES]
    client = Client(port)
    health, _ = measure(client, ["/health"], rounds * 10)
    print(f"/health: {health:.2f} ms\n\n| list | first page p50 | p95 | page 10,000 p50 | p95 | ratio to /health |")
    print("|---|---|---|---|---|---|")
    missed = 0
    for name, first, deep in [*searches, *other_lists(files, events, batches)]:
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
        with serving(folder, port):
            missed = report(port, services, options.files, options.events, options.batches, options.rounds)
        services.close()
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
