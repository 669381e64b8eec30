"""How many files a second tell when they were taken, beside one process of exiftool.

    python bench/capture_time.py [--files 10000] [--rounds 3] [--folder DIR]

Three folders: small JPEGs, HEIC and MP4, each file with a date of its own; every second MP4 has its header at the end,
as phones write it. Each round reads each folder with our readers (two processes, then one; their start counts) and
with `exiftool -fast2 -json` (one process), in turns, from what the system remembers of the files. Every date that we
read must be the right one; how many exiftool found is printed. Prints medians and their ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from app.files.capture_time import CaptureReaders  # noqa: E402  the program lies beside this folder
from app.files.digest import Wanted  # noqa: E402
from app.files.walk import signature_at  # noqa: E402
from app.model import Place, Root, RootKind  # noqa: E402
from tests.files import camera_files  # noqa: E402
from tests.files.media import EPOCH_OF_MOVIES  # noqa: E402
from tests.files.tiff_data import Shot, tiff  # noqa: E402

#: What the templates say; each file says another date in its place.
BEGIN = datetime(2015, 3, 4, 5, 6, 7, tzinfo=UTC)
EVERY = timedelta(hours=7, seconds=11)
TEXT = "%Y:%m:%d %H:%M:%S"


def written(at: datetime) -> bytes:
    return at.strftime(TEXT).encode()


def counted(at: datetime) -> bytes:
    """A time of QuickTime's."""
    return int((at - EPOCH_OF_MOVIES).total_seconds()).to_bytes(4, "big")


def shot() -> Shot:
    """What a phone says."""
    taken = BEGIN.strftime(TEXT)
    return Shot(taken, taken, taken, "25", "+02:00", "Maker", "Phone 5", "2015:03:04", (3, 6, 7))


def jpegs(_folder: Path) -> list[bytes]:
    return [camera_files.jpeg(shot()) + os.urandom(8_000)]


def heics(_folder: Path) -> list[bytes]:
    return [camera_files.picture("HEIF", camera_files.EXIF_START + tiff(shot())) + bytes(8_000)]


def movies(folder: Path) -> list[bytes]:
    """One with its header at the end, one with it in front."""
    last = camera_files.film(folder, "last.mp4", BEGIN)
    return [last, camera_files.film(folder, "front.mp4", BEGIN, "-movflags", "+faststart")]


Spelled = Callable[[datetime], bytes]
#: The end of the name, what the templates are, how a date stands in them, and which of our sources tells it.
KINDS: dict[str, tuple[Callable[[Path], list[bytes]], Spelled, str]] = {
    "jpg": (jpegs, written, "exif"),
    "heic": (heics, written, "exif"),
    "mp4": (movies, counted, "mvhd"),
}


def make(folder: Path, ending: str, files: int) -> dict[str, str]:
    """Write the files of one kind; returns the date of each."""
    templates, spelled, _ = KINDS[ending]
    sound, dates = templates(folder.parent), {}
    folder.mkdir()
    for number in range(files):
        at = BEGIN + number * EVERY
        name = f"{number:06d}.{ending}"
        content = sound[number % len(sound)].replace(spelled(BEGIN), spelled(at))
        (folder / name).write_bytes(content)
        dates[name] = at.strftime(TEXT)
    return dates


def ours(folder: Path, ending: str, dates: dict[str, str], processes: int) -> float:
    """Seconds that our readers take, their start included; every date must be the right one."""
    root = Root(1, RootKind.INGEST, "", os.fsencode(folder), "marker")
    names, wanted = sorted(dates), []
    for key, name in enumerate(names):
        signature = signature_at(root, os.fsencode(name))
        assert signature is not None
        wanted.append(Wanted(key, Place(root, os.fsencode(name)), signature))
    began = time.perf_counter()
    with CaptureReaders(processes) as readers:
        readings = [reading for reading in readers.read(wanted) if reading is not None]
    seconds = time.perf_counter() - began
    source = KINDS[ending][2]
    for reading in readings:
        told = next((c.text for c in reading.claims if c.source == source), "")
        if told.partition(".")[0] != dates[names[reading.key]]:
            raise SystemExit(f"{names[reading.key]} was read wrongly: {reading}")
    assert len(readings) == len(dates)
    return seconds


def exiftool(folder: Path) -> tuple[float, int]:
    """Seconds that exiftool takes, and in how many files it finds a date."""
    words = ["exiftool", "-fast2", "-json", "-DateTimeOriginal", "-CreateDate", "-OffsetTimeOriginal", str(folder)]
    began = time.perf_counter()
    said = subprocess.run(words, check=True, capture_output=True, stdin=subprocess.DEVNULL).stdout
    seconds = time.perf_counter() - began
    return seconds, sum(1 for one in json.loads(said) if "CreateDate" in one)


def measure(ending: str, files: int, rounds: int, parent: Path) -> None:
    """Make the files of one kind and read them all ways, in turns."""
    with tempfile.TemporaryDirectory(dir=parent) as base:
        folder = Path(base, ending)
        dates = make(folder, ending, files)
        seconds: dict[str, list[float]] = {"two readers": [], "one reader": [], "exiftool": []}
        found = 0
        for _ in range(rounds):
            seconds["two readers"].append(ours(folder, ending, dates, 2))
            seconds["one reader"].append(ours(folder, ending, dates, 1))
            taken, found = exiftool(folder)
            seconds["exiftool"].append(taken)
    print(f"{ending}: {files:,} files; exiftool -fast2 found the date of {found:,}")
    slowest = statistics.median(seconds["exiftool"])
    for what, taken_by in seconds.items():
        middle = statistics.median(taken_by)
        each = ", ".join(f"{one:.2f}" for one in taken_by)
        print(f"  {what:12} {each} s; median {files / middle:,.0f} files/s, {slowest / middle:.1f} x exiftool")


def main() -> None:
    """Measure all three kinds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000, help="of each kind")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="on the disk to measure")
    options = parser.parse_args()
    for ending in KINDS:
        measure(ending, options.files, options.rounds, options.folder)


if __name__ == "__main__":
    main()
