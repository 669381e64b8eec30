"""How long every page takes with a million files, what a first visit transfers, what open tabs cost.

`python bench/pages.py` builds a database of that size, starts the web process as it is deployed, opens every page of
tests/browser/pages.py and every part that renews itself, over HTTP as a browser does, one request at a time, and lets
tabs poll the dashboard.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import os
import re
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from app.db import facts, runs  # noqa: E402
from app.model import WORKFLOW_STAGES, Report, RunKind, RunStatus, Stage, StepStatus, Trigger  # noqa: E402
from app.services import Services  # noqa: E402
from bench.served import options_of, served  # noqa: E402
from tests.browser.pages import PAGES  # noqa: E402

PAGE_GOAL_MS, REFRESH_GOAL_MS = 200.0, 30.0
MEMORY_GOAL_MB, TABS_GOAL_PERCENT, VISIT_GOAL_BYTES = 200.0, 5.0, 80_000
TABS = 10
AS_BROWSER = {"Accept": "text/html,*/*", "Accept-Encoding": "gzip, deflate"}
AS_HTMX = {**AS_BROWSER, "HX-Request": "true"}
#: A part that renews itself, and what it asks with.
POLLED = re.compile(r'hx-get="([^"]+)" hx-trigger="every (\d+)s')
ASSETS = re.compile(r'<(?:link rel="(?:stylesheet|icon|manifest)"|script|img)[^>]*?(?:href|src)="([^"]+)"')


@dataclass(frozen=True)
class Answer:
    """What came back: how long it took, and its bytes on the line, headers aside."""

    status: int
    seconds: float
    body: bytes
    text: str


class Tab:
    """A browser's connection, kept from one request to the next."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def ask(self, address: str, headers: dict[str, str]) -> Answer:
        """One request; anything but success ends the measurement."""
        began = time.perf_counter()
        try:
            answer = self._send(address, headers)
        except (http.client.RemoteDisconnected, ConnectionError):
            # The server has let go of a connection that lay idle.
            self.connection.close()
            answer = self._send(address, headers)
        body = answer.read()
        seconds = time.perf_counter() - began
        if answer.status not in (200, 204) and "no-such-page" not in address:
            raise SystemExit(f"{address} answered {answer.status}: {body[:300]!r}")
        packed = answer.getheader("Content-Encoding") == "gzip"
        return Answer(answer.status, seconds, body, _text(body, packed))

    def _send(self, address: str, headers: dict[str, str]) -> http.client.HTTPResponse:
        self.connection.request("GET", address, headers=headers)
        return self.connection.getresponse()


def _text(body: bytes, packed: bool) -> str:
    return (gzip.decompress(body) if packed else body).decode("utf-8", "replace")


def polled_in(page: str) -> list[tuple[str, int]]:
    """The parts of a page that renew themselves: address with mark, and seconds between two looks."""
    return [(found[0].replace("&amp;", "&"), int(found[1])) for found in POLLED.findall(page)]


@dataclass(frozen=True)
class Taken:
    """What requests to one address took, in milliseconds: median, 95th percentile, processor time each."""

    p50: float
    p95: float
    processor: float
    last: Answer

    def __str__(self) -> str:
        return f"{self.p50:.1f} | {self.p95:.1f} | {self.processor:.1f} | {len(self.last.body):,} |"


class Meter:
    """Asks the web process for an address again and again."""

    def __init__(self, port: int, pid: int, services: Services, rounds: int) -> None:
        self.tab, self.pid, self.services, self.rounds = Tab(port), pid, services, rounds

    def measure(self, address: str, headers: dict[str, str], *, writing: bool = False) -> Taken:
        """Ask; with `writing`, somebody writes before each request, so that nothing serves that was made before."""
        last, taken = self.tab.ask(address, headers), []
        used = cpu_seconds(self.pid)
        for number in range(self.rounds):
            if writing:
                with self.services.db.transaction() as conn:
                    facts.put(conn, "bench", str(number))
            last = self.tab.ask(address, headers)
            taken.append(last.seconds * 1000)
        processor = (cpu_seconds(self.pid) - used) * 1000 / self.rounds
        return Taken(statistics.median(taken), statistics.quantiles(taken, n=20)[18], processor, last)


def report_pages(meter: Meter, only: str) -> int:
    """Print a line for each page and each part of it that renews itself; returns how many miss the aim."""
    missed, seen = 0, set()
    print("| page | p50 | p95 | processor | bytes, compressed |\n|---|---|---|---|---|")
    for listed in PAGES:
        if only not in listed.address:
            continue
        page = meter.measure(listed.address, AS_BROWSER)
        print(f"| {listed.address} | {page}", flush=True)
        missed += page.p95 >= PAGE_GOAL_MS
        for address, _ in polled_in(page.last.text):
            bare = re.sub(r"[?&]mark=\w+", "", address)
            if bare in seen:
                continue
            seen.add(bare)
            part = meter.measure(bare, AS_HTMX, writing=True)
            print(f"| renewed: {bare} | {part}", flush=True)
            missed += part.p95 >= PAGE_GOAL_MS
            missed += listed.address == "/dashboard" and part.p50 >= REFRESH_GOAL_MS
    return missed


def first_visit(port: int, address: str) -> Iterator[tuple[str, int]]:
    """What a first visit transfers: each address with its bytes on the line, headers aside; thumbnails aside."""
    tab = Tab(port)
    page = tab.ask(address, AS_BROWSER)
    yield address, len(page.body)
    for asset in dict.fromkeys(ASSETS.findall(page.text)):
        path = urljoin(address, asset)
        yield urlsplit(path).path, len(tab.ask(path, AS_BROWSER).body)


def poll(port: int, address: str, until: float) -> None:
    """One open tab: asks as the page does, with the mark that it holds, and as often."""
    tab = Tab(port)
    asked, seconds = polled_in(tab.ask(address, AS_BROWSER).text)[0]
    while time.monotonic() < until:
        time.sleep(seconds)
        renewed = polled_in(tab.ask(asked, AS_HTMX).text)
        asked, seconds = renewed[0] if renewed else (asked, seconds)


def open_tabs(port: int, pid: int, address: str, seconds: float) -> float:
    """The share of a core, in percent, that TABS tabs add to what the web process spends without them; their opening
    is left out."""
    without = share_of_core(pid, seconds)
    until = time.monotonic() + seconds + 4
    tabs = [threading.Thread(target=poll, args=(port, address, until)) for _ in range(TABS)]
    for tab in tabs:
        tab.start()
        time.sleep(0.2)
    time.sleep(1)
    share = share_of_core(pid, seconds)
    for tab in tabs:
        tab.join()
    return share - without


def share_of_core(pid: int, seconds: float) -> float:
    """The processor time of a process over so long, in percent of one core."""
    began, used = time.monotonic(), cpu_seconds(pid)
    time.sleep(seconds)
    return 100 * (cpu_seconds(pid) - used) / (time.monotonic() - began)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> float:
    """The most memory that a process has held."""
    (line,) = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmHWM")]
    return int(line.split()[1]) * 1024 / 1e6


class Running:
    """A run that is on and moves, so that pages refresh as often, and as much, as they ever do."""

    def __init__(self, services: Services) -> None:
        self.services, self.done, self.ended = services, 0, threading.Event()
        with services.db.transaction() as conn:
            run = runs.insert_queued(conn, RunKind.WORKFLOW, Trigger.API, WORKFLOW_STAGES)
            self.run = runs.change(conn, run, RunStatus.RUNNING)
            self.step = runs.start_step(conn, self.run.id, Stage.DEDUP, None)
        self.thread = threading.Thread(target=self._move)

    def _move(self) -> None:
        while not self.ended.wait(1):
            self.done += 997
            with self.services.db.transaction() as conn:
                runs.progress(conn, self.step, self.done, 1_000_000, self.done * 3_000_000)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()
        with self.services.db.transaction() as conn:
            runs.end_step(conn, self.step, StepStatus.DONE, Report(message="Measured."))
            runs.change(conn, runs.get(conn, self.run.id), RunStatus.DONE)


def report(port: int, services: Services, master: int, options: argparse.Namespace) -> int:
    """Print everything; returns how many aims are missed."""
    (pid,) = (int(child) for child in Path(f"/proc/{master}/task/{master}/children").read_text().split())
    missed = report_pages(Meter(port, pid, services, options.rounds), options.only)
    visit = dict(first_visit(port, "/dashboard"))
    for address, size in visit.items():
        print(f"first visit: {size:7,} bytes {address}")
    print(f"first visit of the dashboard: {sum(visit.values()):,} bytes of {VISIT_GOAL_BYTES:,}")
    quiet = open_tabs(port, pid, "/dashboard", options.seconds)
    with Running(services):
        busy = open_tabs(port, pid, "/dashboard", options.seconds)
    print(f"{TABS} tabs on the dashboard add {quiet:.1f} % of a core at rest, {busy:.1f} % while a run moves")
    held = memory_mb(pid)
    print(f"memory of the web process at most: {held:.0f} MB")
    return missed + (sum(visit.values()) > VISIT_GOAL_BYTES) + (held > MEMORY_GOAL_MB) + (busy > TABS_GOAL_PERCENT)


def main() -> int:
    """Build, serve, measure."""
    parser = options_of(__doc__ or "", batches=2_000)
    parser.add_argument("--seconds", type=float, default=30.0, help="how long tabs stay open")
    parser.add_argument("--only", default="", help="only pages whose address has this in it")
    options = parser.parse_args()
    with served(options) as on:
        missed = report(on.port, on.services, on.master, options)
    print(f"\n{missed} aims are missed")
    return min(missed, 1)


if __name__ == "__main__":
    sys.exit(main())
