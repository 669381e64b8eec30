"""Ten thousand damaged photos and films of every format: no reader crashes, hangs, or takes too much memory."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.files.capture_time import CaptureReaders, Reading
from app.files.digest import Wanted
from app.files.walk import signature_at
from app.model import Place, Root, RootKind
from tests.files import camera_files as files
from tests.files.media import movie
from tests.files.test_agreement import FILMS, PICTURES, RAW, moment, xmp

ALL, SAMPLE = 10_000, 300
MEMORY_KB = 512 << 10
SLICE = 500
#: Numbers that lengths and places may not have.
NASTY = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1", b"\xff\xff\xff\x7f", b"\x80\0\0\0")


def seeds(folder: Path, chance: random.Random) -> list[tuple[str, bytes]]:
    """A sound file of every format, with the end of its name."""
    makes = {**PICTURES, **RAW, **FILMS}
    sound = [(name.rpartition(".")[2], make(chance)) for name, make in makes.items()]
    for name in ("a.mp4", "a.3gp", "a.mkv", "a.avi"):
        sound.append((name[2:], files.film(folder, name, moment(chance))))
    sound.append(("mts", files.camcorder_film(folder, "a.mts", moment(chance))))
    sound += [("mov", movie(moment(chance))), ("xmp", xmp(chance)), ("wmv", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" * 99)]
    return sound


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The file after one to eight accidents; most of them at its beginning, where it is read."""
    found = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(found) if chance.random() < 0.3 else min(600, len(found)))
        match chance.randrange(6):
            case 0:
                found[at] ^= 1 << chance.randrange(8)
            case 1:
                found[at] = chance.randrange(256)
            case 2:
                found[at : at + 4] = chance.choice(NASTY)
            case 3:
                found[at:at] = found[at : at + chance.randint(1, 200)]
            case 4:
                del found[at : at + chance.randint(1, 50)]
            case _:
                if chance.random() < 0.2:
                    del found[max(1, at) :]
        found = found or bytearray(b"\0")
    return bytes(found)


def write(folder: Path, sound: list[tuple[str, bytes]], numbers: range, chance: random.Random) -> Iterator[Wanted]:
    root = Root(1, RootKind.INGEST, "", os.fsencode(folder), "marker")
    for number in numbers:
        ending, content = sound[number % len(sound)]
        name = f"{number}.{ending}"
        (folder / name).write_bytes(damaged(content, chance))
        signature = signature_at(root, os.fsencode(name))
        assert signature is not None
        yield Wanted(number, Place(root, os.fsencode(name)), signature)


def descendants_kb() -> int:
    """The most memory that a process below this one has had."""
    peaks, parents = {}, {}
    for entry in filter(str.isdecimal, os.listdir("/proc")):
        with suppress(OSError), open(f"/proc/{entry}/status", encoding="utf-8", errors="replace") as file:
            said = dict(line.rstrip("\n").split(":", 1) for line in file if ":" in line)
            parents[int(entry)] = int(said["PPid"])
            peaks[int(entry)] = int(said.get("VmHWM", "0 kB").split()[0])
    mine = {os.getpid()}
    for _ in range(5):
        mine |= {process for process, parent in parents.items() if parent in mine}
    return max((peaks[process] for process in mine - {os.getpid()}), default=0)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("count", [SAMPLE, pytest.param(ALL, marks=pytest.mark.torture)])
def test_damaged_files_cost_nothing_but_their_own_date(
    tmp_path: Path, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    day = datetime.now(UTC).date().toordinal() if count == SAMPLE else 0
    chance, readings, peak_kb = random.Random(day), dict[int, Reading](), 0
    sound = seeds(tmp_path, chance)
    with CaptureReaders(2) as readers:
        for start in range(0, count, SLICE):
            wanted = list(write(tmp_path, sound, range(start, min(count, start + SLICE)), chance))
            for reading in readers.read(wanted):
                if reading is not None:
                    readings[reading.key] = reading
            peak_kb = max(peak_kb, descendants_kb())
            for want in wanted:
                os.unlink(want.place.absolute)
    with capsys.disabled():
        dated = sum(1 for reading in readings.values() if reading.claims)
        print(f"\n{len(readings)} damaged files, {dated} of them still dated, peak {peak_kb >> 10} MB", end=" ")
    assert set(readings) == set(range(count))
    faults = {r.key: r.note for r in readings.values() if "crashed" in r.note or "took longer" in r.note}
    assert faults == {}, f"seed {day}"
    assert 0 < peak_kb < MEMORY_KB
