"""Processor time (user and system) of commands of the command line: `python bench/cli.py [CONFIG]`, medians of seven."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parents[1]
CALLS = (["--help"], ["--version"], ["overview"], ["runs"], ["config", "show"], ["batch", "--help"], ["completion", "bash"])
ROUNDS = 7


def seconds(arguments: list[str], environment: dict[str, str]) -> float:
    """What one call costs."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "app.cli", *arguments]
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print a line for each command."""
    environment = {**os.environ, "PYTHONPATH": str(HOME)}
    if len(sys.argv) > 1:
        environment["MEDIA_PIPELINE_CONFIG"] = os.path.abspath(sys.argv[1])
    for arguments in CALLS:
        median = statistics.median(seconds(arguments, environment) for _ in range(ROUNDS))
        print(f"{' '.join(arguments):16} {median:.2f} s")


if __name__ == "__main__":
    main()
