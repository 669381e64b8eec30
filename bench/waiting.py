"""What waiting costs: processor time of the worker and of Syncthing while a batch waits for a peer that is away.

    python bench/waiting.py [--seconds 120] [--files 500] [--poll 60]

Two real Syncthings on loopback share a folder; the peer is stopped, a batch is made and announced, and from then on
nothing happens. Measured is user and system time of each process against the clock: of Syncthing alone before a worker
is there, then of both while the batch waits. Prints each as a share of one core.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from app import jobs  # noqa: E402  the program lies beside this folder
from app.model import BatchStatus, Trigger  # noqa: E402
from tests.syncthing.pair import FOLDER, KEY, Node, Pair, make_pair  # noqa: E402
from tests.worker.installation import Installation  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
#: What happened last has to be over before it is measured that nothing happens.
SETTLE_SECONDS = 15.0


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system time of these processes so far (proc(5): fields 14 and 15 of stat)."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def shares(seconds: float, groups: dict[str, Sequence[int]]) -> dict[str, float]:
    """The share of one core that each group of processes takes over so many seconds."""
    time.sleep(SETTLE_SECONDS)
    before, began = {name: cpu_seconds(pids) for name, pids in groups.items()}, time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    return {name: (cpu_seconds(pids) - before[name]) / took for name, pids in groups.items()}


def syncthing_pids(node: Node) -> list[int]:
    """Every process of this Syncthing: the session that it was started with (the sixth field of stat)."""
    assert node.process is not None
    stats = {int(stat.parent.name): stat.read_text() for stat in Path("/proc").glob("[0-9]*/stat")}
    session = str(node.process.pid)
    return [pid for pid, text in stats.items() if text.rpartition(")")[2].split()[3] == session]


def installation(pair: Pair, base: Path, poll_seconds: int) -> Installation:
    """An installation that delivers from our side of the pair, with the settings as they are by default."""
    base.mkdir()
    return Installation(
        base,
        paths={
            "source_dir": str(base / "ingest"), "batch_dir": str(pair.ours.folder),
            "sorted_dir": str(base / "archive"), "duplicates_dir": str(base / "duplicates"),
        },
        sync={"target": "syncthing"},
        syncthing={
            "api_url": pair.ours.url, "api_key": KEY, "folder_id": FOLDER, "device_id": pair.peer.device_id,
            "poll_interval_sec": poll_seconds,
        },
    )  # fmt: skip


def wait_for_delivery(site: Installation, files: int) -> None:
    """Make a batch of so many files and have it announced to the peer that is away."""
    site.fill_ingest(files)
    jobs.start_workflow(site.services, Trigger.API)
    site.until(
        lambda: [batch.status for batch in site.batches()] == [BatchStatus.SYNCING] and site.batches()[0].sync_detail,
        "the batch waits for its peer", 300,
    )  # fmt: skip
    assert site.batches()[0].file_count == files


def measure(pair: Pair, base: Path, options: argparse.Namespace) -> None:
    """Print what Syncthing takes alone, and what both take while a batch waits."""
    pair.peer.stop()
    alone = shares(options.seconds, {"Syncthing": syncthing_pids(pair.ours)})
    print(f"Syncthing alone: {alone['Syncthing']:.2%} of a core", flush=True)
    with installation(pair, base / "site", options.poll) as site:
        worker = site.start_worker()
        wait_for_delivery(site, options.files)
        found = shares(options.seconds, {"worker": [worker.pid], "Syncthing": syncthing_pids(pair.ours)})
        assert site.batches()[0].status is BatchStatus.SYNCING
        site.terminate(worker)
    for name, share in found.items():
        print(f"{name} while a batch of {options.files:,} files waits: {share:.2%} of a core")
    together = sum(found.values())
    print(f"together: {together:.2%} of a core, {together - alone['Syncthing']:.2%} more than Syncthing alone")


def main() -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(description="What waiting for a peer costs.")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--poll", type=int, default=60, help="syncthing.poll_interval_sec")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pair = make_pair(Path(folder) / "pair")
        try:
            measure(pair, Path(folder), options)
        finally:
            pair.stop()


if __name__ == "__main__":
    main()
