"""Processor time (user and system) of commands, medians of seven: `python bench/cli.py [CONFIG]`."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parents[1]
CALLS = ("--help", "--version", "overview", "runs", "config show", "batch --help", "completion bash")
ROUNDS = 7


def seconds(call: str, environment: dict[str, str]) -> float:
    """What one call costs."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "app.cli", *call.split()]
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print a line for each command."""
    environment = {**os.environ, "PYTHONPATH": str(HOME)}
    if len(sys.argv) > 1:
        environment["MEDIA_PIPELINE_CONFIG"] = os.path.abspath(sys.argv[1])
    for call in CALLS:
        print(f"{call:16} {statistics.median(seconds(call, environment) for _ in range(ROUNDS)):.2f} s")


if __name__ == "__main__":
    main()
