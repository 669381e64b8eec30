"""The image and the container at rest: `python bench/image.py [--idle 75]`.

Needs a Docker engine. Builds the image of this checkout, starts compose.yaml as it is, runs the workflow once over the
sample library and waits until nothing happens any more. Told are the size of the image and of our layers in it, the
seconds from `docker compose up` to the first answer of /ready and to Docker's "healthy", what the container took of the
processor until /ready, which depends less on what else the machine does, and what the container's processes hold at
rest: the sum of their PSS, in which a shared page counts once.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.container.sizes import own_layers_mb  # noqa: E402  the program lies beside this folder
from tests.container.stack import Stack, docker, drop_demo_library, new_stack  # noqa: E402

IMAGE = "media-pipeline:bench"
SIZE_GOAL_MB, MEMORY_GOAL_MB, HEALTHY_GOAL_SECONDS = 350.0, 220.0, 10.0


def pss_mb(stack: Stack) -> dict[str, float]:
    """What each process of the container holds, by its command line (proc(5), smaps_rollup)."""
    found: dict[str, float] = {}
    for line in docker("top", stack.container(), "-eo", "pid,args").splitlines()[1:]:
        pid, _, command = line.strip().partition(" ")
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        kib = next(int(row.split()[1]) for row in rollup.splitlines() if row.startswith("Pss:"))
        found[f"{pid} {command.strip()[:70]}"] = kib * 1024 / 1e6
    return found


def processor_seconds(stack: Stack) -> float:
    """What all processes of the container have spent since its start, as its control group counts (version 1 or 2)."""
    version_1, version_2 = "/sys/fs/cgroup/cpuacct/cpuacct.usage", "/sys/fs/cgroup/cpu.stat"
    count = f"cat {version_1} 2>/dev/null || sed -n 's/^usage_usec .*/&000/p' {version_2}"
    return int(stack.inside("sh", "-c", count).split()[-1]) / 1e9


def seconds_to_start(stack: Stack) -> tuple[float, float, float]:
    """From the beginning of `docker compose up`: until /ready answers, until Docker says healthy; of the processor."""
    began = time.monotonic()
    stack.compose("up", "-d")
    while True:
        try:
            stack.ask("/ready")
            break
        except OSError:
            time.sleep(0.1)
    ready = time.monotonic() - began
    spent = processor_seconds(stack)
    stack.wait_until_healthy()
    return ready, time.monotonic() - began, spent


def measure(stack: Stack, idle_seconds: float) -> None:
    """Prints each figure beside its aim."""
    total = int(docker("inspect", "-f", "{{.Size}}", IMAGE)) / 1e6
    print(f"image: {total:.0f} MB, of which ours {own_layers_mb(IMAGE):.0f} MB (aim of the whole: {SIZE_GOAL_MB:.0f})")
    for round_ in ("first", "again"):
        ready, healthy, spent = seconds_to_start(stack)
        print(
            f"{round_} start: ready after {ready:.1f} s, {spent:.1f} s of the processor; healthy after {healthy:.1f} s "
            f"(aim {HEALTHY_GOAL_SECONDS:.0f}); load {os.getloadavg()[0]:.0f}"
        )
        if round_ == "first":
            stack.compose("down", "--timeout", "60")
    drop_demo_library(stack.media / "ingest")
    stack.run_workflow()
    time.sleep(idle_seconds)
    held = pss_mb(stack)
    for process, size in held.items():
        print(f"  {size:6.1f} MB  {process}")
    print(f"at rest: {sum(held.values()):.0f} MB (aim {MEMORY_GOAL_MB:.0f}); load {os.getloadavg()[0]:.0f}")


def main() -> int:
    """Build, measure, take everything down."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--idle", type=float, default=75.0, help="seconds of rest before memory is looked at")
    options = parser.parse_args()
    docker("build", "-q", "-t", IMAGE, str(ROOT))
    with tempfile.TemporaryDirectory() as media:
        stack = new_stack(Path(media), MEDIA_PIPELINE_IMAGE=IMAGE)
        try:
            measure(stack, options.idle)
        finally:
            stack.compose("down", "-v", "--timeout", "60")
    return 0


if __name__ == "__main__":
    sys.exit(main())
