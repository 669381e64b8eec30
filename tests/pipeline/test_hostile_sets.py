"""Sets of files made to be taken for duplicates, or not to be: only the bytes decide, whatever else is alike."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app.files.hash_reader import END_BYTES
from app.model import Stage
from app.pipeline.digesting import Digesting
from app.pipeline.tally import Tally
from app.services import Services
from tests.conftest import write_tree
from tests.pipeline.library import a_step
from tests.pipeline.stages import events, ingest, rows, run_dedup, run_scan, states

Open = Callable[..., Services]
LONG = random.Random(3).randbytes(4 * END_BYTES + 17)


def folder_of(services: Services) -> Path:
    return Path(os.fsdecode(ingest(services)))


def sets_found(services: Services) -> set[frozenset[bytes]]:
    """Originals with their duplicates, as paths."""
    found: dict[int, set[bytes]] = {}
    known = rows(services)
    for path, asset in known.items():
        if asset.original_id is not None:
            found.setdefault(asset.original_id, set()).add(path)
    by_id = {asset.id: path for path, asset in known.items()}
    return {frozenset({by_id[original], *copies}) for original, copies in found.items()}


def sets_by_bytes(folder: Path) -> set[frozenset[bytes]]:
    """The same, by looking at every byte of every file."""
    same: dict[bytes, set[bytes]] = {}
    for path in folder.rglob("*.jpg"):
        same.setdefault(path.read_bytes(), set()).add(os.fsencode(path.relative_to(folder)))
    return {frozenset(paths) for content, paths in same.items() if content and len(paths) > 1}


def changed(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :]


def test_a_byte_anywhere_tells_files_apart_that_are_alike_in_size_head_and_tail(services: Services) -> None:
    size, end = len(LONG), len(LONG) - END_BYTES
    places = [0, 1, END_BYTES - 1, END_BYTES, END_BYTES + 1, size // 2, end - 1, end, size - 1]
    tree = {f"at{number}.jpg": changed(LONG, at) for number, at in enumerate(places)}
    write_tree(ingest(services), {**tree, "x.jpg": LONG, "y.jpg": LONG})
    run_scan(services)
    run_dedup(services)
    assert sets_found(services) == {frozenset({b"x.jpg", b"y.jpg"})}
    assert all(states(services)[os.fsencode(name)] == "unique" for name in tree)


@pytest.mark.parametrize("size", [1, END_BYTES - 1, END_BYTES, 2 * END_BYTES - 1, 2 * END_BYTES, 2 * END_BYTES + 1])
def test_files_as_long_as_what_is_read_first_are_told_apart(services: Services, size: int) -> None:
    content = LONG[:size]
    write_tree(ingest(services), {"a.jpg": content, "b.jpg": content, "c.jpg": changed(content, size // 2)})
    run_scan(services)
    run_dedup(services)
    assert sets_found(services) == {frozenset({b"a.jpg", b"b.jpg"})}


def test_holes_are_zeros_and_a_byte_between_them_counts(services: Services) -> None:
    folder, size = folder_of(services), 3 * END_BYTES
    for name in ("hole.jpg", "island.jpg"):
        with (folder / name).open("wb") as file:
            file.truncate(size)
    with (folder / "island.jpg").open("r+b") as file:
        file.seek(size // 2)
        file.write(b"x")
    (folder / "zeros.jpg").write_bytes(bytes(size))
    run_scan(services)
    run_dedup(services)
    assert sets_found(services) == {frozenset({b"hole.jpg", b"zeros.jpg"})}


def test_names_that_are_no_text_and_contents_that_are_none_do_not_mislead(services: Services) -> None:
    folder = ingest(services)
    for name in (b"caf\xe9.jpg", b"new\nline.jpg", b"\xff\xfe.jpg"):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(b"one content")
    write_tree(folder, {"empty1.jpg": b"", "empty2.jpg": b""})
    run_scan(services)
    run_dedup(services)
    assert sets_found(services) == {frozenset({b"caf\xe9.jpg", b"new\nline.jpg", b"\xff\xfe.jpg"})}
    assert states(services)[b"empty1.jpg"] == states(services)[b"empty2.jpg"] == "unique"


@pytest.mark.parametrize("seed", range(3))
def test_sets_are_those_that_reading_every_byte_finds_whatever_arrives_when(
    open_test_services: Open, seed: int
) -> None:
    """Contents that differ in one byte or in nothing, in several deliveries that overwrite each other."""
    chance, services = random.Random(seed), open_test_services()
    folder = folder_of(services)
    contents = [changed(LONG[: 2 * END_BYTES + 5], at) for at in (0, END_BYTES + 2, 2 * END_BYTES)]
    contents += [LONG[:100], changed(LONG[:100], 50), b"z" * 7, b""]
    for _ in range(3):
        for number in range(12):
            path = folder / f"{chance.randrange(3)}" / f"PIC{number:03d}.jpg"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(chance.choice(contents))
            at = chance.randrange(10**9, 2 * 10**9)
            os.utime(path, (at, at))
        run_scan(services)
        run_dedup(services)
        assert sets_found(services) == sets_by_bytes(folder)


def test_a_file_that_is_written_to_while_it_is_read_is_never_taken_for_what_it_was(services: Services) -> None:
    folder, opened, over = folder_of(services), threading.Event(), threading.Event()
    content = LONG * 40
    write_tree(folder, {"still.jpg": content, "moving.jpg": content})
    run_scan(services)

    def write() -> None:
        with (folder / "moving.jpg").open("r+b", buffering=0) as file:
            opened.set()
            number = 0
            while not over.is_set():
                file.seek(END_BYTES * 2)
                file.write(number.to_bytes(8, "big"))
                number += 1

    writer = threading.Thread(target=write)
    writer.start()
    opened.wait()
    try:
        run_dedup(services)
    finally:
        over.set()
        writer.join()
    assert states(services)[b"moving.jpg"] == "discovered"
    run_scan(services)
    run_dedup(services)
    assert sets_found(services) == set()


@pytest.mark.parametrize("policy", ["label", "quarantine"])
def test_no_name_of_a_file_is_lost_and_no_second_one_is_a_duplicate(open_test_services: Open, policy: str) -> None:
    services = open_test_services(dedup={"duplicate_policy": policy})
    folder = folder_of(services)
    write_tree(folder, {"a.jpg": b"one file", "copy.jpg": b"one file", "other.jpg": b"alone"})
    for name in ("a.jpg", "other.jpg"):
        os.link(folder / name, folder / f"second {name}")
    os.utime(folder / "a.jpg", (1, 1))
    run_scan(services)
    report = run_dedup(services)
    found = rows(services)
    aside = {b"second a.jpg": b"a.jpg", b"second other.jpg": b"other.jpg"}
    assert {path: states(services)[path] for path in (*aside, *aside.values())} == {
        **dict.fromkeys(aside, "set_aside"), **dict.fromkeys(aside.values(), "unique")
    }  # fmt: skip
    assert all(found[second].original_id == found[first].id for second, first in aside.items())
    assert (report.detail["duplicate"], report.detail["set_aside"]) == (1, 2)
    assert all((folder / os.fsdecode(name)).exists() for name in (*aside, *aside.values()))


def test_thousands_of_tiny_files_in_one_folder_are_compared_and_found_again_when_it_is_renamed(
    services: Services,
) -> None:
    folder = folder_of(services)
    (folder / "one").mkdir()
    for number in range(2_000):
        (folder / "one" / f"{number:04d}.jpg").write_bytes(b"%04d" % (number // 2))
    run_scan(services)
    run_dedup(services)
    assert len(sets_found(services)) == 1_000
    before = {asset.id for asset in rows(services).values()}
    (folder / "one").rename(folder / "two")
    report = run_scan(services)
    assert (report.detail["moved"], report.detail["new"], report.detail["vanished"]) == (2_000, 0, 0)
    assert {asset.id for asset in rows(services).values()} == before
    assert len(events(services, "asset.moved")) == 1
    assert (run_dedup(services).outcome, len(sets_found(services))) == ("idle", 1_000)


def test_a_dump_that_is_sent_again_is_read_once_and_what_it_repeats_not_at_all(services: Services) -> None:
    folder = folder_of(services)
    dump = {f"IMG_{n}.jpg": LONG[n : n + END_BYTES * (1 + n % 3)] + bytes([n]) for n in range(30)}
    write_tree(folder, {"first": dump})
    run_scan(services)
    run_dedup(services)
    with services.db.reading() as conn:
        digests = "SELECT COUNT(*) FROM assets WHERE sha256 IS NOT NULL"
        assert conn.exec_driver_sql(digests).scalar() == 0
    Digesting(services, a_step(services, Stage.DEDUP), Tally()).read_whole(list(rows(services).values()))
    write_tree(folder, {"again": dump})
    run_scan(services)
    report = run_dedup(services)
    assert (report.detail["duplicate"], report.detail["unique"]) == (30, 0)
    assert (report.detail["read"], report.size_bytes) == (30, sum(map(len, dump.values())))
