"""How long every list and search takes with a million files, first page and deep inside: `python bench/lists.py`.

Builds a database of that size, starts the web process as it is deployed, and asks each list over HTTP, one request at a
time. The times are told beside those of /health in the same round: ratios carry over to another machine.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from sqlalchemy import func, select

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from app.db.connection import Connection  # noqa: E402
from app.db.search_terms import SORTS, conditions  # noqa: E402
from app.db.tables import assets  # noqa: E402
from app.overview import cursors  # noqa: E402
from app.services import Services  # noqa: E402
from app.web.api.assets import wanted_of  # noqa: E402
from app.web.queries import AssetQuery  # noqa: E402
from bench.library import origin_of  # noqa: E402
from bench.served import Client, options_of, served  # noqa: E402

GOAL_SECONDS = 0.2


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
    options = options_of(__doc__ or "", batches=5_000).parse_args()
    with served(options) as on:
        missed = report(on.port, on.services, options.files, options.events, options.batches, options.rounds)
    print(f"\n{missed} lists miss the goal of {GOAL_SECONDS * 1000:.0f} ms at the 95th percentile")
    return min(missed, 1)


if __name__ == "__main__":
    sys.exit(main())
