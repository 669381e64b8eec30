"""How long sorting a folder takes, beside phockup on a copy of the same files.

    python bench/sort.py [--files 2000] [--rounds 1] [--phockup COMMAND] [--folder DIR]

Ours is the whole workflow without delivery, as it runs in production: every file is looked at, hashed, dated, put
into a batch, moved into the archive by journalled moves, and what is left is cleaned up. phockup moves too (`--move
--original-names`). Where it is not installed, the loop that it documents is timed in its place: one `exiftool
-time:all -mimetype -j FILE` for each file, and one move into its day's folder. Both trees are compared: every file has
to lie in the same day's folder. Processor time of all processes is told beside, which other work on the machine changes
little; ours holds the start and the end of web and worker as well.
"""

from __future__ import annotations

import argparse
import json
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.pipeline import make_small, service, timed_run

#: phockup asks for these, in this order.
DATES = ("SubSecCreateDate", "SubSecDateTimeOriginal", "CreateDate", "DateTimeOriginal")


def days_of(tree: Path) -> dict[str, str]:
    """The folder of each content."""
    return {
        sha256(path.read_bytes()).hexdigest(): path.parent.relative_to(tree).as_posix()
        for path in tree.rglob("*")
        if path.is_file() and not path.name.startswith(".") and ".media-pipeline" not in path.as_posix()
    }


def documented_loop(source: Path, target: Path) -> None:
    """What phockup does, without its own bookkeeping: the least that it can take."""
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        command = f"exiftool -time:all -mimetype -j {shlex.quote(str(path))}"
        told = json.loads(subprocess.run(command, shell=True, check=True, capture_output=True).stdout)[0]
        written = next((told[name] for name in DATES if name in told), None)
        taken = datetime.strptime(written[:19], "%Y:%m:%d %H:%M:%S") if written else None  # noqa: DTZ007
        folder = target / (taken.strftime("%Y/%m/%d") if taken else "unknown")
        folder.mkdir(parents=True, exist_ok=True)
        shutil.move(path, folder / path.name)


def phockup(command: str) -> Callable[[Path, Path], None]:
    """phockup itself."""

    def run(source: Path, target: Path) -> None:
        arguments = [*shlex.split(command), str(source), str(target), "--move", "--original-names", "--quiet"]
        subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)

    return run


@dataclass(frozen=True)
class Took:
    """What a sorting took: seconds on the clock, and of processors."""

    seconds: float
    processor_seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s ({self.processor_seconds:.1f} s of processors)"


def processor_seconds() -> float:
    """Of the processes that have ended below this one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def sort_theirs(corpus: Path, scratch: Path, sort: Callable[[Path, Path], None]) -> tuple[Took, dict[str, str]]:
    """What it took, and where each file ended."""
    source, target = scratch / "source", scratch / "target"
    shutil.copytree(corpus, source)
    target.mkdir()
    began, used = time.perf_counter(), processor_seconds()
    sort(source, target)
    return Took(time.perf_counter() - began, processor_seconds() - used), days_of(target)


def sort_ours(corpus: Path, scratch: Path, files: int) -> tuple[Took, dict[str, str]]:
    """What it took from the request to the end of the run, and where each file ended."""
    used = processor_seconds()
    with service(scratch) as (url, pids):
        shutil.copytree(corpus, scratch / "media" / "ingest", dirs_exist_ok=True)
        seconds, _ = timed_run(url, pids, files)
    return Took(seconds, processor_seconds() - used), days_of(scratch / "media" / "archive")


def measure(files: int, rounds: int, folder: Path, command: str | None) -> None:
    """Both in turns on copies of one corpus; prints what each took, and the ratio of medians."""
    name = "phockup" if command else "exiftool, one process a file"
    sort = phockup(command) if command else documented_loop
    corpus = folder / "corpus"
    make_small(corpus, files)
    ours, theirs = [], []
    for number in range(rounds):
        (folder / f"{number}").mkdir()
        mine, our_days = sort_ours(corpus, folder / f"{number}" / "ours", files)
        other, their_days = sort_theirs(corpus, folder / f"{number}" / "theirs", sort)
        if our_days != their_days:
            raise SystemExit(f"{sum(1 for key in our_days if our_days[key] != their_days.get(key))} files lie apart")
        ours.append(mine)
        theirs.append(other)
        print(f"round {number + 1}: {mine}, {name} {other}", flush=True)
    by_clock = median(other.seconds for other in theirs) / median(mine.seconds for mine in ours)
    used = median(other.processor_seconds for other in theirs) / median(mine.processor_seconds for mine in ours)
    print(f"{files} files: {by_clock:.0f} times as fast as {name}, {used:.0f} times less processor time")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--phockup", default=shutil.which("phockup"), help="the command, when it is not in the path")
    parser.add_argument("--folder", type=Path, default=None, help="where to work; a temporary folder when not given")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        measure(given.files, given.rounds, Path(folder), given.phockup)


if __name__ == "__main__":
    main()
