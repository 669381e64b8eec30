"""How much memory the stages take in a large library: `python bench/memory.py [--files 200000] [--folder DIR]`.

A library of small files is made: photos, Live Photos, bursts, edited versions, sidecars and copies, in folders of a
thousand. Each stage goes over all of it in this process, which holds no more than a worker does. Told are, for each,
its seconds on the clock, the largest memory that the process held meanwhile, and by how much that is above what it
held before the first stage. The processes that read capture dates have limits of their own and are not among it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from app.db.runs import get  # noqa: E402  the program lies beside this folder
from app.jobs import start_stage  # noqa: E402
from app.model import Run, RunStatus, Stage, Trigger  # noqa: E402
from app.pipeline.workflow import execute  # noqa: E402
from app.services import Services  # noqa: E402
from bench.groups import installation, photo, takeout  # noqa: E402
from tests.pipeline.live_photo import film, still  # noqa: E402

#: Files of one round of the library, in eight groups.
ROUND, IN_FOLDER = 16, 1_000
SIDECAR = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"


def one_round(number: int) -> dict[str, bytes]:
    """Sixteen files as a phone, a camera and a cloud leave them."""
    base = number * ROUND
    stem = f"IMG_{number:06d}"
    return {
        f"{stem}.jpg": photo(base), f"{stem}.xmp": SIDECAR, f"{stem}-edited.jpg": photo(base + 1),
        f"{stem}.jpg.json": takeout(f"{stem}.jpg"),
        f"A_{number:06d}.jpg": still(f"id-{number}"), f"B_{number:06d}.mov": film(f"id-{number}"),
        **{f"{stem}_BURST{n:03d}.jpg": photo(base + 2 + n) for n in range(4)},
        **{f"DSC_{number:06d}_{n}.jpg": photo(base + 6 + n) for n in range(5)},
        f"copy_{number:06d}.jpg": photo(base),
    }  # fmt: skip


def make_library(ingest: Path, files: int) -> None:
    """Write so many files, or a few more."""
    for number in range(-(-files // ROUND)):
        folder = ingest / f"{number * ROUND // IN_FOLDER:05d}"
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in one_round(number).items():
            (folder / name).write_bytes(content)


def memory_mb(name: str) -> float:
    """What this process holds (VmRSS), or the most that it held (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def forget_peak() -> None:
    """The most that this process held begins at what it holds now (proc(5))."""
    Path("/proc/self/clear_refs").write_text("5")


def measure(services: Services, stage: Stage, first_mb: float) -> None:
    """One stage over the whole library, and its line of the table."""
    forget_peak()
    began = time.perf_counter()
    run = start_stage(services, (stage,), Trigger.CLI)
    execute(services, run.id, threading.Event())
    seconds, peak = time.perf_counter() - began, memory_mb("VmHWM")
    with services.db.reading() as conn:
        ended: Run = get(conn, run.id)
    if ended.status is not RunStatus.DONE:
        raise SystemExit(f"{stage} went wrong: {ended.error}")
    print(f"| {stage} | {seconds:.0f} | {peak:.0f} | {peak - first_mb:.0f} |", flush=True)


def main() -> int:
    """Make the library, then take it through the stages."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=200_000)
    parser.add_argument("--folder", type=Path, help="where to work; on the file system to measure")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="media-pipeline-memory-", dir=options.folder) as name:
        make_library(Path(name, "ingest"), options.files)
        with closing(installation(Path(name))) as services:
            first = memory_mb("VmRSS")
            print(f"{options.files:,} files; {first:.0f} MB before\n\n| stage | seconds | most MB | above |")
            print("|---|---|---|---|", flush=True)
            for stage in (Stage.SCAN, Stage.DEDUP, Stage.INSPECT, Stage.BATCH):
                measure(services, stage, first)
    return 0


if __name__ == "__main__":
    sys.exit(main())
