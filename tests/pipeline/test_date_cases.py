"""The right folder for every photo and film that a household has: a table of cases, sorted by the program itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.model import AssetStatus
from tests.conftest import make_services, write_tree
from tests.files.media import box
from tests.pipeline.date_cases import SETTINGS, Case, of_films, of_groups, of_names, of_photos
from tests.pipeline.running import workflow
from tests.pipeline.stages import ingest, rows

CASES = [*of_photos.CASES, *of_films.CASES, *of_names.CASES, *of_groups.CASES]
#: What ends a file of these kinds may be followed by anything.
OPEN_ENDED = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".gif", ".dng", ".nef", ".arw", ".pef", ".cr2", ".avi")
BOXED = (".mov", ".mp4", ".m4v", ".3gp", ".heic", ".avif")

Outcome = dict[str, tuple[str, str | None]]


def unlike_others(name: str, content: bytes, number: int) -> bytes:
    """The same file with a content of its own, so that it is a duplicate of none."""
    ending = os.path.splitext(name)[1].lower()
    if not content or ending not in (*OPEN_ENDED, *BOXED):
        return content
    mark = number.to_bytes(8, "big")
    return content + (box(b"free", mark) if ending in BOXED and content[4:8] == b"ftyp" else mark)


def lay_out(folder: bytes, cases: list[tuple[int, Case]]) -> None:
    for number, case in cases:
        tree = {f"c{number:04}/{n}": unlike_others(n, content, number) for n, content in case.files.items()}
        write_tree(folder, tree)
        for name in tree:
            os.utime(os.path.join(folder, os.fsencode(name)), (case.mtime.timestamp(),) * 2)


def sort_all(base: Path, settings: str) -> Outcome:
    """By their paths in ingest, the folders and the sources of all files of the cases with these settings."""
    services = make_services(base, sorter=SETTINGS[settings], scan={"settle_seconds": 0})
    try:
        lay_out(ingest(services), [(n, case) for n, case in enumerate(CASES) if case.settings == settings])
        workflow(services)
        return {
            os.fsdecode(asset.origin_path or path): (os.fsdecode(path.rpartition(b"/")[0]), asset.taken_from)
            for path, asset in rows(services).items()
            if asset.status is AssetStatus.ARCHIVED
        }
    finally:
        services.close()


@pytest.fixture(scope="module")
def sorted_by(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Outcome]]:
    done: dict[str, Outcome] = {}

    def of(settings: str) -> Outcome:
        if settings not in done:
            done[settings] = sort_all(tmp_path_factory.mktemp("library"), settings)
        return done[settings]

    yield of


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.name for case in CASES])
def test_a_file_is_filed_under_the_day_on_which_it_was_taken(
    number: int, sorted_by: Callable[[str], Outcome]
) -> None:
    case = CASES[number]
    found = sorted_by(case.settings)
    assert {name: found.get(f"c{number:04}/{name}") for name in case.expected} == dict(case.expected)


def test_the_table_is_as_long_as_promised_and_names_no_case_twice() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 150
