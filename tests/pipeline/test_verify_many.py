"""Many files with a few flipped bytes: each of those is found, and no other; a tree that was renamed."""

from __future__ import annotations

import hashlib
import os
import random
import time

import pytest

from app.model import FindingKind
from app.services import Services
from tests.pipeline.verifying import archive_without_workflow, flip_a_byte, found, report, root, verify


def contents(files: int, size_bytes: int) -> dict[str, bytes]:
    """Files over many folders, each with content of its own; sizes differ around the given one."""
    chance = random.Random(files)
    return {
        f"{2000 + n % 20}/{n % 12:02d}/img_{n:06d}.jpg": hashlib.sha256(b"%d" % n).digest()
        + chance.randbytes(size_bytes // 2 + chance.randrange(size_bytes))
        for n in range(files)
    }


def flip_some(services: Services, names: list[str], flipped: int) -> set[bytes]:
    """One bit in each of so many files, anywhere in them: first and last byte included. Times stay as they were."""
    chance = random.Random(7)
    chosen = sorted(chance.sample(names, flipped))
    for number, name in enumerate(chosen):
        path = root(services).path + b"/" + os.fsencode(name)
        size = os.stat(path).st_size
        flip_a_byte(path, offset=(0, size - 1, chance.randrange(size))[number % 3])
    return {os.fsencode(name) for name in chosen}


def find_them_all(services: Services, files: int, size_bytes: int, flipped: int) -> tuple[float, int]:
    """(seconds, bytes) of the verification that found exactly the flipped ones."""
    tree = contents(files, size_bytes)
    archive_without_workflow(services, tree)
    harmed = flip_some(services, list(tree), flipped)
    began = time.monotonic()
    run = verify(services)
    seconds = time.monotonic() - began
    assert found(services) == dict.fromkeys(harmed, FindingKind.ALTERED)
    told = report(services, run)
    assert (told["intact"], told["findings"]["altered"]) == (files - flipped, flipped)
    return seconds, sum(map(len, tree.values()))


def test_ten_thousand_small_files_with_twenty_flipped_bytes(services: Services) -> None:
    find_them_all(services, 10_000, 4_000, 20)


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_ten_thousand_files_with_twenty_flipped_bytes(services: Services, capsys: pytest.CaptureFixture[str]) -> None:
    seconds, size_bytes = find_them_all(services, 10_000, 100_000, 20)
    with capsys.disabled():
        print(f"\n10,000 files, {size_bytes / 1e6:,.0f} MB in {seconds:.1f} s: {size_bytes / 1e6 / seconds:,.0f} MB/s")


def test_a_whole_folder_tree_that_was_renamed_is_one_pair_for_each_file(services: Services) -> None:
    tree = contents(1_500, 500)
    archive_without_workflow(services, tree)
    place = root(services).path
    for year in range(2000, 2020):
        os.rename(place + b"/%d" % year, place + b"/y%d" % year)
    verify(services)
    assert found(services) == {os.fsencode(name): FindingKind.MOVED for name in tree}
