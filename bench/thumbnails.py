"""How much drawing thumbnails slows a run: `python bench/thumbnails.py [--files 4000] [--pictures 100] [--rounds 3]`.

Web and worker run as in production. Large pictures are archived first; then a dump of small files is taken in by a
whole run, once with nobody looking and once while somebody looks at those pictures, whose thumbnails the same worker
draws meanwhile. Both in turns, on folders of their own. Prints medians, their ratio and how many were drawn.
"""

from __future__ import annotations

import argparse
import io
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.pipeline import make_small, service, timed_run

#: The size of a picture of a phone.
SIDES = (4000, 3000)
#: Between two questions of whoever looks.
PAUSE_SECONDS = 0.02


def make_pictures(folder: Path, count: int) -> None:
    """Large JPEGs, all different: one picture with other bytes behind its end."""
    source, out = random.Random(3), io.BytesIO()
    Image.effect_noise(SIDES, 12).convert("RGB").save(out, "JPEG", quality=80)
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"DSC_{number:05d}.jpg").write_bytes(out.getvalue() + source.randbytes(4096))


class Looking(threading.Thread):
    """Somebody who looks at every picture again until its thumbnail is there."""

    def __init__(self, url: str, pictures: int) -> None:
        super().__init__()
        self.url, self.waiting = url, list(range(1, pictures + 1))
        self.pictures, self.ended = pictures, threading.Event()

    def run(self) -> None:
        """Look until all are drawn or the run is over."""
        while self.waiting and not self.ended.is_set():
            self.waiting = [one for one in self.waiting if not self._is_drawn(one)]

    def _is_drawn(self, asset_id: int) -> bool:
        if self.ended.wait(PAUSE_SECONDS):
            return False
        with urllib.request.urlopen(f"{self.url}/files/{asset_id}/thumbnail", timeout=60) as answer:
            return bool(answer.headers["Content-Type"] == "image/webp")

    @property
    def drawn(self) -> int:
        """How many thumbnails have come."""
        return self.pictures - len(self.waiting)


@contextmanager
def looking(url: str, pictures: int) -> Iterator[Looking]:
    """Somebody looks meanwhile; at nothing where there are no pictures to look at."""
    person = Looking(url, pictures)
    person.start()
    try:
        yield person
    finally:
        person.ended.set()
        person.join()


def measure(scratch: Path, files: int, pictures: int, looked_at: int) -> tuple[float, float]:
    """Seconds of the run over the small files, and thumbnails drawn each second of it."""
    folder = scratch / "round"
    with service(folder) as (url, pids):
        ingest = folder / "media" / "ingest"
        shutil.copytree(scratch / "pictures", ingest / "pictures")
        timed_run(url, pids, pictures)
        shutil.copytree(scratch / "small", ingest / "small")
        with looking(url, looked_at) as person:
            # so that the drawing is under way when the run begins
            time.sleep(1)
            before = person.drawn
            seconds, _ = timed_run(url, pids, pictures + files)
            drawn = (person.drawn - before) / seconds
        if looked_at and not person.waiting:
            raise SystemExit("every thumbnail was drawn before the run was over; give more --pictures")
    shutil.rmtree(folder)
    return seconds, drawn


def main() -> int:
    """Both in turns; ends with an error when drawing costs more than a tenth."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=4_000)
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to work")
    given = parser.parse_args()
    alone, beside = [], []
    with tempfile.TemporaryDirectory(prefix="media-pipeline-thumbnails-", dir=given.folder) as name:
        scratch = Path(name).resolve()
        make_small(scratch / "small", given.files)
        make_pictures(scratch / "pictures", given.pictures)
        for _ in range(given.rounds):
            alone.append(measure(scratch, given.files, given.pictures, 0)[0])
            seconds, drawn = measure(scratch, given.files, given.pictures, given.pictures)
            beside.append(seconds)
            print(f"alone {alone[-1]:.2f} s, beside thumbnails {seconds:.2f} s, {drawn:.1f} drawn a second", flush=True)
    ratio = statistics.median(beside) / statistics.median(alone)
    print(f"a run takes {ratio:.2f} times as long while thumbnails are drawn (aim: at most 1.10)")
    return int(ratio > 1.10)


if __name__ == "__main__":
    sys.exit(main())
