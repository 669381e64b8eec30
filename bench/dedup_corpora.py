"""Trees for bench/dedup.py, the same bytes each time: many small pictures, large media, and a folder of backups.

No photo of anybody: each file is the head of a JPEG (or the box of a film) and then bytes that come out of its number.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from bench.pipeline import dated_jpeg

KIB, MIB = 1 << 10, 1 << 20
EPOCH_NS = 1_200_000_000 * 10**9
YEARS_NS = 15 * 365 * 86_400 * 10**9
#: How much of the media is what: suffix, smallest and largest file, share of the files.
MEDIA = (
    (".jpg", MIB, 8 * MIB, 0.52),
    (".heic", MIB, 3 * MIB, 0.37),
    (".png", MIB // 5, 4 * MIB // 5, 0.095),
    (".dng", 25 * MIB, 25 * MIB, 0.011),
    (".mp4", 50 * MIB, 300 * MIB, 0.004),
)
#: The mean of all that in bytes, for how many files make so many gigabytes.
MEDIA_MEAN_BYTES = 3.2 * MIB


@dataclass(frozen=True, slots=True)
class File:
    """One file to be made: its content comes out of `seed`; `last` and `middle` overwrite a byte of it."""

    seed: int
    size_bytes: int
    suffix: str = ".jpg"
    last: int | None = None
    middle: int | None = None

    def content(self) -> bytes:
        """All its bytes. Files with one suffix begin alike, as those of one camera do."""
        head = dated_head(self.suffix)
        filling = blake3(self.seed.to_bytes(8, "big")).digest(length=max(0, self.size_bytes - len(head)))
        content = bytearray(head + filling)
        if self.last is not None:
            content[-1] = self.last
        if self.middle is not None:
            content[len(content) // 2] = self.middle
        return bytes(content)


_heads: dict[str, bytes] = {}


def dated_head(suffix: str) -> bytes:
    """What every file with this suffix begins with."""
    if suffix not in _heads:
        film = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0\0\x10\0free"
        _heads[suffix] = film if suffix in (".mp4", ".heic") else dated_jpeg()
    return _heads[suffix]


def small(files: int) -> Iterator[File]:
    """Pictures of 4 to 64 KiB: a fifth are duplicates, and one in 250 differs from another in its last byte only."""
    chance, traps = random.Random(11), files // 500
    unique = files - files // 5 - 2 * traps
    sizes = [_between(chance, 4 * KIB, 64 * KIB) for _ in range(unique)]
    yield from (File(seed, size) for seed, size in enumerate(sizes))
    for pair in range(traps):
        size = 30_000 + 7 * pair
        yield File(10**9 + pair, size, last=0)
        yield File(10**9 + pair, size, last=1)
    for _ in range(files // 5):
        # Some originals have several copies.
        seed = chance.randrange(max(1, unique * 6 // 10))
        yield File(seed, sizes[seed])


def media(gigabytes: float) -> Iterator[File]:
    """Photos and films, 15 % of them duplicates; pairs of one size that differ in the middle or in the end only."""
    chance = random.Random(12)
    files = max(20, round(gigabytes * 10**9 / MEDIA_MEAN_BYTES))
    made = []
    for suffix, smallest, largest, share in MEDIA:
        for _ in range(max(1, round(files * 0.85 * share))):
            # A film of full size would be more than all the rest of a small corpus.
            size = _between(chance, smallest, largest)
            made.append(File(len(made), min(size, max(smallest // 8, round(gigabytes * 10**9 / 12))), suffix))
    yield from made
    for pair in range(max(2, files // 90)):
        suffix, size = (".dng", 25 * MIB) if pair % 9 == 8 else (".jpg", 3 * MIB)
        for value in (0, 1):
            place = {"last": value} if pair % 2 else {"middle": value}
            yield File(10**9 + pair, size + 4096 * pair, suffix, **place)
    for _ in range(round(files * 0.15)):
        yield chance.choice(made)


def backups(files: int) -> Iterator[File]:
    """Backups of backups: two thirds duplicates, in sets of up to a dozen, and sizes that thousands of files share."""
    chance = random.Random(13)
    unique = max(1, files // 3)
    sizes = [min(2**28, 16 * KIB << min(8, int(chance.expovariate(0.9)))) for _ in range(unique)]
    made = [File(2 * 10**9 + seed, size, chance.choice((".jpg", ".nef", ".mov"))) for seed, size in enumerate(sizes)]
    yield from made
    for _ in range(files - unique):
        # Squared, so that a few were copied again and again.
        yield made[int(chance.random() ** 2 * unique)]


def _between(chance: random.Random, smallest: int, largest: int) -> int:
    """Any size, small ones as often as large ones by their logarithm."""
    return int(smallest * (largest / smallest) ** chance.random())


def write(folder: Path, files: Iterator[File], per_folder: int, depth: int = 2) -> tuple[int, int]:
    """Make the files in any order, below folders of so many; returns (files, bytes)."""
    made, chance = list(files), random.Random(14)
    chance.shuffle(made)
    size_bytes = 0
    for number, file in enumerate(made):
        part = _part(folder, number // per_folder, depth)
        path = part / f"PIC{number:07d}{file.suffix}"
        content = file.content()
        path.write_bytes(content)
        at = EPOCH_NS + chance.randrange(YEARS_NS)
        os.utime(path, ns=(at, at))
        size_bytes += len(content)
    return len(made), size_bytes


def _part(folder: Path, number: int, depth: int) -> Path:
    """Folders of a year and an album, or deeper."""
    names = [f"{2008 + number % 16}", *(f"level {level}" for level in range(depth - 2)), f"Album {number:04d}"]
    part = folder.joinpath(*names)
    part.mkdir(parents=True, exist_ok=True)
    return part
