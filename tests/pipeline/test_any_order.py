"""The same library, in whatever order it is seen, comes or is batched, becomes the same archive."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from app.model import RunStatus
from app.services import Services
from tests.conftest import make_jpeg, make_services, read_tree
from tests.pipeline.library import assert_rows_agree
from tests.pipeline.running import workflow
from tests.pipeline.stages import rows, run_scan
from tests.pipeline.undoing import end_runs

MTIME = 1_700_000_000
COMMON: dict[str, Any] = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}

#: What lies beside a photo, by how its name goes on; a JSON is told its title.
BESIDE = (".MOV", ".CR2", ".xmp", ".jpg.xmp", ".AAE", "-edited.jpg", ".jpg.json", ".jpg.supplemental-metadata.json")
STEMS = ("IMG_0001", "IMG_0002", "img_0001", "PXL_20240506_080910111", "x" * 120, "写真", "IMG_0001(1)")
FOLDERS = ("", "a/", "a/b/", "phone/")

Library = Mapping[str, bytes]


@dataclass(frozen=True)
class Case:
    """A library, and two orders in which its files come, cut into lots."""

    library: Library
    lots: tuple[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]]
    max_files: tuple[int, int]


def write(services: Services, library: Library, names: Sequence[str]) -> None:
    for name in names:
        path = Path(services.config.paths.source_dir, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(library[name])
        os.utime(path, (MTIME, MTIME))


def content_of(name: str, ending: str, number: int) -> bytes:
    if ending.endswith(".json"):
        taken = {"timestamp": str(1_600_000_000 + number)}
        return json.dumps({"title": name + ".jpg", "photoTakenTime": taken}).encode()
    return f"{ending} of {name}, {number}".encode()


@st.composite
def libraries(draw: st.DrawFn, most: int, *, unlike_days: bool) -> Library:
    """Shots of the same names again and again; with `unlike_days` no two of them have the same day."""
    library: dict[str, bytes] = {}
    places = st.tuples(st.sampled_from(FOLDERS), st.sampled_from(STEMS))
    for number, (folder, stem) in enumerate(draw(st.lists(places, min_size=1, max_size=most, unique=True))):
        day = number if unlike_days else draw(st.integers(0, 1))
        twin = not unlike_days and draw(st.integers(0, 4)) == 0
        library[f"{folder}{stem}.jpg"] = make_jpeg(f"2024:05:{day + 1:02d} 10:00:00", seed=0 if twin else number)
        for ending in draw(st.lists(st.sampled_from(BESIDE), max_size=3, unique=True)):
            library[folder + stem + ending] = content_of(stem, ending, number)
    return library


@st.composite
def cases(draw: st.DrawFn, most: int = 6, *, unlike_days: bool = False) -> Case:
    library = draw(libraries(most, unlike_days=unlike_days))
    lots = tuple(tuple(map(tuple, draw(cut(sorted(library))))) for _ in range(2))
    sizes = draw(st.tuples(st.sampled_from([0, 1, 2, 5]), st.sampled_from([0, 1, 3])))
    return Case(library, (lots[0], lots[1]), sizes)


@st.composite
def cut(draw: st.DrawFn, names: list[str]) -> list[list[str]]:
    """The names in some order, in up to three lots."""
    order = draw(st.permutations(names))
    ends = sorted(draw(st.lists(st.integers(0, len(order)), max_size=2)))
    return [order[start:end] for start, end in zip([0, *ends], [*ends, len(order)], strict=True)]


def run_to_the_end(services: Services) -> None:
    run = workflow(services)
    assert run.status is RunStatus.DONE, run.error


def archive_of(case: Case, which: int, *, run_after_each_lot: bool) -> tuple[dict[str, bytes], set[frozenset[bytes]]]:
    """The archive after all lots have come, and which files became one group."""
    size = case.max_files[which]
    with TemporaryDirectory(dir="/dev/shm") as base:
        services = make_services(
            Path(base), dedup={"threads": 1}, batch={"selection_mode": "files", "max_files": size},
        )  # fmt: skip
        try:
            for lot in case.lots[which]:
                write(services, case.library, lot)
                if run_after_each_lot:
                    run_to_the_end(services)
                else:
                    run_scan(services)
                    end_runs(services)
            run_to_the_end(services)
            assert_rows_agree(services)
            tree = read_tree(services.config.paths.sorted_dir)
            return {path: content for path, content in tree.items() if not path.endswith("/")}, groups_of(services)
        finally:
            services.close()


def groups_of(services: Services) -> set[frozenset[bytes]]:
    found: dict[int | None, set[bytes]] = {}
    for path, asset in rows(services).items():
        found.setdefault(asset.group_id, set()).add(asset.origin_path or path)
    return {frozenset(paths) for paths in found.values()}


def check_seen_in_any_order(case: Case) -> None:
    """Names collide, contents come twice: all of it is there before the first is sorted."""
    one, other = (archive_of(case, which, run_after_each_lot=False) for which in (0, 1))
    assert one == other


def check_come_in_any_order(case: Case) -> None:
    """Parts of groups come a day later: each lot is sorted before the next comes."""
    one, other = (archive_of(case, which, run_after_each_lot=True) for which in (0, 1))
    assert one == other
    assert sorted(one[0].values()) == sorted(case.library.values())


@settings(max_examples=8, phases=(Phase.generate,), **COMMON)
@seed(datetime.now(UTC).date().toordinal())
@given(case=cases())
def test_files_seen_in_any_order_become_the_same_archive(case: Case) -> None:
    check_seen_in_any_order(case)


@settings(max_examples=8, phases=(Phase.generate,), **COMMON)
@seed(datetime.now(UTC).date().toordinal())
@given(case=cases(most=3, unlike_days=True))
def test_files_that_come_in_any_order_become_the_same_archive(case: Case) -> None:
    check_come_in_any_order(case)


@pytest.mark.torture
@pytest.mark.timeout(7_200)
@settings(max_examples=150, derandomize=True, **COMMON)
@given(case=cases())
def test_150_libraries_seen_in_any_order_become_the_same_archive(case: Case) -> None:
    check_seen_in_any_order(case)


@pytest.mark.torture
@pytest.mark.timeout(7_200)
@settings(max_examples=150, derandomize=True, **COMMON)
@given(case=cases(most=3, unlike_days=True))
def test_150_libraries_that_come_in_any_order_become_the_same_archive(case: Case) -> None:
    check_come_in_any_order(case)


def test_an_archive_that_is_sorted_again_becomes_the_same_archive() -> None:
    """Numbers and all: what was told apart once keeps its names."""
    shots = {f"{folder}IMG_0001{ending}": content_of(folder, ending, number)
             for number, folder in enumerate(FOLDERS) for ending in (".MOV", ".jpg.xmp", "-edited.jpg")}
    photos = {f"{folder}IMG_0001.jpg": make_jpeg("2024:05:06 10:00:00", seed=n) for n, folder in enumerate(FOLDERS)}
    library = {**shots, **photos}
    first, _ = archive_of(Case(library, ((tuple(library),), ((),)), (0, 0)), 0, run_after_each_lot=False)
    second, _ = archive_of(Case(first, ((tuple(first),), ((),)), (0, 0)), 0, run_after_each_lot=False)
    assert len(first) == len(library)
    assert second == first
