"""Sets of files made to mislead whoever looks for duplicates: each is taken in by a scan that judges by itself, and by
dedup after a scan."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.files.head_reader import END_BYTES
from app.pipeline import arrivals
from app.services import Services
from tests.conftest import write_tree
from tests.pipeline.stages import ingest, rows, run_dedup, run_scan, states
from tests.pipeline.test_arrivals import scan_with_dedup
from tests.pipeline.test_dedup import unprivileged_children

__all__ = ["unprivileged_children"]

LONG = random.Random(1).randbytes(5 * END_BYTES)
OTHER_MIDDLE = LONG[: 2 * END_BYTES] + b"another middle".ljust(END_BYTES, b".") + LONG[3 * END_BYTES :]
OTHER_LAST = LONG[:-1] + bytes([LONG[-1] ^ 1])
SPARSE_BYTES = 64 << 20


@pytest.fixture(params=[True, False], ids=["at once", "apart"])
def is_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the scan judges by itself."""
    monkeypatch.setattr(arrivals, "FEW", 4)
    return bool(request.param)


def take_in(services: Services, is_at_once: bool) -> dict[bytes, str]:
    """By path, what became of each file."""
    if is_at_once:
        scan_with_dedup(services)
    else:
        run_scan(services)
        run_dedup(services)
    return states(services)


def sparse(path: Path, byte_at: int | None = None) -> None:
    """A large file without blocks, or with one byte somewhere in it."""
    with path.open("wb") as file:
        file.truncate(SPARSE_BYTES)
        if byte_at is not None:
            os.pwrite(file.fileno(), b"x", byte_at)


@contextmanager
def changing_all_the_time(path: Path, contents: Iterator[bytes]) -> Iterator[None]:
    """A file that has another content every moment, and is closed in between."""
    over = threading.Event()

    def change() -> None:
        while not over.wait(0.001):
            with path.open("r+b") as file:
                file.write(next(contents))

    changer = threading.Thread(target=change)
    changer.start()
    try:
        yield
    finally:
        over.set()
        changer.join()


@pytest.mark.usefixtures("unprivileged_children")
def test_files_that_mislead_are_told_apart(services: Services, is_at_once: bool) -> None:
    folder = Path(os.fsdecode(ingest(services)))
    tree = {
        "ends/a.jpg": LONG, "ends/b.jpg": OTHER_MIDDLE, "ends/c.jpg": LONG, "ends/d.jpg": OTHER_LAST,
        "empty/a.jpg": b"", "empty/b.jpg": b"", "linked/a.jpg": b"one file", "closed/a.jpg": b"closed",
        "open.jpg": b"closed",
    }  # fmt: skip
    write_tree(folder, tree)
    (folder / "closed/a.jpg").chmod(0)
    (folder / "linked" / "b.jpg").hardlink_to(folder / "linked" / "a.jpg")
    for name, byte_at in {"a": None, "b": SPARSE_BYTES // 2, "c": None}.items():
        sparse(folder / f"sparse {name}.mp4", byte_at)
    for number, path in enumerate(sorted(folder.rglob("*.*"))):
        os.utime(path, (1_500_000_000 + number,) * 2)
    found = take_in(services, is_at_once)
    assert found.pop(b"closed/a.jpg") == "discovered"
    assert {path: status for path, status in found.items() if status != "unique"} == {
        b"ends/c.jpg": "duplicate", b"linked/b.jpg": "set_aside", b"sparse c.mp4": "duplicate",
    }  # fmt: skip
    (folder / "closed/a.jpg").chmod(0o644)
    assert take_in(services, is_at_once=False)[b"closed/a.jpg"] == "duplicate"


def test_a_file_that_changes_while_it_is_read_is_like_no_other(services: Services, is_at_once: bool) -> None:
    folder = Path(os.fsdecode(ingest(services)))
    write_tree(folder, {f"{n}.jpg": LONG for n in range(5)} | {"small.jpg": b"%09d" % 0, "other.jpg": b"%09d" % 0})
    counts = iter(range(1, 10**9))
    with (
        changing_all_the_time(folder / "4.jpg", (LONG[:-9] + b"%09d" % count for count in counts)),
        changing_all_the_time(folder / "small.jpg", (b"%09d" % count for count in counts)),
    ):
        found = take_in(services, is_at_once)
    assert [found[b"%d.jpg" % n] for n in range(4)].count("duplicate") == 3
    assert "duplicate" not in (found[b"4.jpg"], found[b"small.jpg"])
    assert found[b"other.jpg"] in ("unique", "discovered")
    take_in(services, is_at_once=False)
    assert {rows(services)[name].status for name in (b"4.jpg", b"small.jpg", b"other.jpg")} == {"unique"}
