"""How fast duplicates are found, beside every program for that which is installed here.

    python bench/dedup.py [--small 100000] [--media-gb 12] [--backups 20000] [--rounds 5] [--folder DIR]
                          [--tools jdupes,rdfind] [--warm-only]

Three trees are made (bench/dedup_corpora.py). In each round every program looks through the same tree, one after the
other; ours is the scan and dedup of a worker that runs already, with every row written to its database
(synchronous=FULL), and then the same once more without a change. Cold means that the system was made to forget all
files before, which takes root. Memory, and the sets of duplicates that each has found, come from a pass of their own.
Ratios carry over to another machine, seconds do not.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.dedup_corpora import backups, media, small, write  # noqa: E402  they lie beside this file
from bench.dedup_ours import Take, sets_in, worker  # noqa: E402
from bench.dedup_peers import LIMITS, PEERS, Peer, Sets, sets_of  # noqa: E402
from bench.pipeline import pss_bytes  # noqa: E402

DROP_CACHES = Path("/proc/sys/vm/drop_caches")
LOOK_SECONDS = 0.02
#: Who takes longer than this for the first pass takes no part in the rounds.
GIVE_UP_SECONDS = 60
OURS = "ours"
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


@dataclass
class Measured:
    """What one program took: by what was measured, (seconds on the clock, of processors) of each round."""

    taken: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    peak_bytes: int = 0

    def note(self, what: str, seconds: float, processor: float) -> None:
        """One more round."""
        self.taken.setdefault(what, []).append((seconds, processor))

    def median(self, what: str, which: int = 0) -> float | None:
        """The median of the rounds, or None without any."""
        rounds = self.taken.get(what)
        return statistics.median(one[which] for one in rounds) if rounds else None


class Contest:
    """One tree, and the programs that look through it."""

    def __init__(self, tree: Path, scratch: Path, peers: list[Peer]) -> None:
        self.tree, self.scratch, self.peers = tree, scratch, peers
        self.measured: dict[str, Measured] = {name: Measured() for name in [OURS, *(p.name for p in [*peers, *LIMITS])]}

    def run(self, command: str) -> tuple[float, float]:
        """Seconds of a peer's command, on the clock and of processors."""
        before, began = _children_seconds(), time.perf_counter()
        subprocess.run(["bash", "-c", self._filled(command)], check=False, **QUIET)
        return time.perf_counter() - began, _children_seconds() - before

    def _filled(self, command: str) -> str:
        return command.format(tree=self.tree, out=self.scratch / "out", cache=self.scratch / "cache")

    @contextmanager
    def ours(self) -> Iterator[tuple[Take, int, Path]]:
        """A worker's process over an empty database: what takes one scan with dedup, its id, its state folder."""
        state = self.scratch / "state"
        try:
            with worker(self.tree, state) as (take, pid):
                yield take, pid, state
        finally:
            shutil.rmtree(state, ignore_errors=True)

    def agree(self) -> None:
        """A pass for the sets and the memory of each; ends the program when somebody found other sets."""
        with self.ours() as (take, pid, state):
            with _watching(lambda: [pid]) as peak:
                take()
            self.measured[OURS].peak_bytes, expected = peak[0], sets_in(state, self.tree)
        print(f"  {len(expected):,} sets of duplicates, {sum(map(len, expected)):,} files in them", flush=True)
        for peer in list(self.peers):
            with _watching(lambda: [os.getpid()]) as peak:
                seconds, _ = self.run(peer.command or peer.fill)
            # This process itself is not the peer's memory.
            self.measured[peer.name].peak_bytes = max(0, peak[0] - pss_bytes([os.getpid()]))
            if peer.read is not None:
                _compare(peer.name, sets_of(peer, self.scratch / "out"), expected)
            if seconds > GIVE_UP_SECONDS:
                print(f"  {peer.name} took {seconds:.0f} s and is left out", flush=True)
                self.peers.remove(peer)

    def fill(self) -> None:
        """Have peers that remember fill their memory."""
        for peer in self.peers:
            if peer.fill:
                self.run(peer.fill)

    def round(self, heat: str, prepare: Callable[[], None]) -> None:
        """Every program once: first scans and those without a change."""
        for peer in [*LIMITS, *self.peers]:
            for what, command in ((f"first {heat}", peer.command), (f"again {heat}", peer.again)):
                if command:
                    prepare()
                    self.measured[peer.name].note(what, *self.run(command))
        with self.ours() as (take, _, _):
            for what in (f"first {heat}", f"again {heat}"):
                prepare()
                took = take()
                self.measured[OURS].note(what, took["seconds"], took["processor"])

    def send_again(self) -> None:
        """Tell what it takes to know files that came before, when they all come again in another folder."""
        again = self.tree / "sent again"
        files = [path for path in self.tree.rglob("*") if path.is_file()]
        size_bytes = sum(path.stat().st_size for path in files)
        with self.ours() as (take, _, state):
            first = take()
            shutil.copytree(self.tree, again)
            took = take()
            known = sum(len(one) for one in sets_in(state, self.tree))
        shutil.rmtree(again)
        print(
            f"\nsent again: {len(files):,} known files, {size_bytes / 1e9:.2f} GB; {took['seconds']:.2f} s, "
            f"{took['read_bytes'] / size_bytes:.2f} of their bytes read, the database too (the first time "
            f"{first['seconds']:.2f} s, {first['read_bytes'] / size_bytes:.2f}); {known:,} files in sets"
        )

    def warm(self) -> None:
        """Read all of it, so that the system remembers."""
        self.run(LIMITS[0].command)
        self.run(LIMITS[1].command)

    def chill(self) -> None:
        """Have the system forget every file, but not the programs themselves."""
        os.sync()
        DROP_CACHES.write_text("3")
        for peer in self.peers:
            subprocess.run([peer.name, "--version"], check=False, **QUIET)
        readers = "import app.files.head_reader, app.files.hash_reader"
        subprocess.run([sys.executable, "-c", readers], check=True, cwd=ROOT)
        subprocess.run("find --version; xargs --version; cat --version", shell=True, check=True, **QUIET)


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _compare(name: str, found: Sets, expected: Sets) -> None:
    if found == expected:
        return
    missed, more = list(expected - found), list(found - expected)
    raise SystemExit(f"{name} found other sets: {len(missed)} of ours not, as {missed[:1]}; others {more[:1]}")


@contextmanager
def _watching(pids: Callable[[], list[int]]) -> Iterator[list[int]]:
    """The largest memory (PSS) of these processes and all below them meanwhile."""
    peak, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_SECONDS):
            peak[0] = max(peak[0], pss_bytes(pids()))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


COLUMNS = ("first warm", "first cold", "again warm", "again cold")
#: What is aimed at beside the fastest peer, and in memory.
MARKS = {"small": ((1.0, 0.5, 0.35, 0.45), "200 MB"), "media": ((1.1, 0.75, 0.5, 0.7), "150 MB")}


def show(contest: Contest) -> None:
    """The table of one tree, and what ours took beside the fastest of the others."""
    columns = [c for c in COLUMNS if contest.measured[OURS].median(c) is not None]
    print("\n| | " + " | ".join(columns) + " | memory |\n" + "|---" * (len(columns) + 2) + "|")
    for name, measured in contest.measured.items():
        cells = [_cell(measured, column) for column in columns]
        memory = f"{measured.peak_bytes / 1e6:.0f} MB" if measured.peak_bytes else ""
        print(f"| {name} | {' | '.join(cells)} | {memory} |")
    for name in ("the fastest peer", *(limit.name for limit in LIMITS)):
        cells = [_ratio(contest, column, name) for column in columns]
        print(f"| ours / {name} | {' | '.join(cells)} | |", flush=True)
    if contest.tree.name in MARKS:
        marks, memory = MARKS[contest.tree.name]
        cells = [f"<= {marks[COLUMNS.index(column)]:.2f}" for column in columns]
        print(f"| aim, beside the fastest peer | {' | '.join(cells)} | <= {memory} |", flush=True)


def _cell(measured: Measured, column: str) -> str:
    seconds, processor = measured.median(column), measured.median(column, 1)
    if seconds is None:
        return ""
    rounds = [one[0] for one in measured.taken[column]]
    return f"{seconds:.2f} s ({min(rounds):.2f} to {max(rounds):.2f}; processors {processor:.2f})"


def _ratio(contest: Contest, column: str, name: str) -> str:
    """Limits have no second scan: their first is what there is to compare with."""
    ours = contest.measured[OURS].median(column)
    if name == "the fastest peer":
        times = {p.name: contest.measured[p.name].median(column) for p in contest.peers}
    else:
        times = {name: contest.measured[name].median(column.replace("again", "first"))}
    known = {who: seconds for who, seconds in times.items() if seconds}
    if ours is None or not known:
        return ""
    fastest = min(known, key=lambda who: known[who])
    return f"**{ours / known[fastest]:.2f}**" + (f" ({fastest})" if len(times) > 1 else "")


def measure(name: str, make: Callable[[Path], tuple[int, int]], options: argparse.Namespace, scratch: Path) -> None:
    """Make one tree, have everybody look through it, print the table."""
    tree = scratch / name
    began = time.perf_counter()
    files, size_bytes = make(tree)
    took = time.perf_counter() - began
    print(f"\n{name}: {files:,} files, {size_bytes / 1e9:.2f} GB, made in {took:.0f} s", flush=True)
    chosen = options.tools.split(",") if options.tools else [peer.name for peer in PEERS]
    contest = Contest(tree, scratch, [peer for peer in PEERS if peer.is_here and peer.name in chosen])
    contest.agree()
    contest.fill()
    for number in range(options.rounds):
        contest.warm()
        contest.round("warm", lambda: None)
        if not options.warm_only and os.access(DROP_CACHES, os.W_OK):
            contest.round("cold", contest.chill)
        print(f"  round {number + 1} of {options.rounds}, load {os.getloadavg()[0]:.1f}", flush=True)
    show(contest)
    if name == "backups":
        contest.send_again()
    shutil.rmtree(tree)


def main() -> int:
    """Measure every tree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", type=int, default=100_000, help="how many small pictures; 0 leaves them out")
    parser.add_argument("--media-gb", type=float, default=12, help="how much in photos and films; 0 leaves them out")
    parser.add_argument("--backups", type=int, default=20_000, help="how many files in backups; 0 leaves them out")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tools", default="", help="only these peers, with commas")
    parser.add_argument("--warm-only", action="store_true", help="leave the system's memory of files alone")
    parser.add_argument("--folder", type=Path, help="where to work; on the file system to measure")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="media-pipeline-bench-", dir=options.folder) as name:
        scratch = Path(name)
        if options.small:
            measure("small", lambda tree: write(tree, small(options.small), 80), options, scratch)
        if options.media_gb:
            measure("media", lambda tree: write(tree, media(options.media_gb), 26), options, scratch)
        if options.backups:
            measure("backups", lambda tree: write(tree, backups(options.backups), 400, 5), options, scratch)
    return 0


if __name__ == "__main__":
    sys.exit(main())
