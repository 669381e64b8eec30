"""An archive that is filed anew under other settings is the one that sorting the library under these settings makes,
but for the numbers of equals; and right after sorting nothing is to be filed anew."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.conftest import make_jpeg, make_services
from tests.pipeline.library import assert_rows_agree
from tests.pipeline.refiling import archive, plan, refile, report_of, take_back, tree
from tests.pipeline.test_any_order import BESIDE, FOLDERS, STEMS, Library, content_of, cut

COMMON: dict[str, Any] = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}

SORTERS = (
    {},
    {"folder_pattern": "{year}"},
    {"folder_pattern": "{year}/{month_name}", "language": "de"},
    {"folder_pattern": "all/{type}"},
    {"folder_pattern": "{folder}"},
    {"folder_pattern": "{year}", "name_pattern": "{year}-{month:02d}"},
    {"folder_pattern": "{year}", "name_pattern": "shot_{counter:03d}"},
    {"folder_pattern": "{year}", "safe_names": "portable"},
    {"folder_pattern": "{year}/{month:02d}", "weak_dates": "unknown_folder"},
    {"folder_pattern": "{year}/{month:02d}", "weak_dates": "review"},
)
ZONES = ("UTC", "Asia/Tokyo", "America/Los_Angeles")


@dataclass(frozen=True, repr=False)
class Case:
    """A library that comes in lots, and the section sorter before and after."""

    library: Library
    lots: tuple[tuple[str, ...], ...]
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    def __repr__(self) -> str:
        """Without contents."""
        return f"Case({self.lots}, {self.before}, {self.after})"


@st.composite
def cases(draw: st.DrawFn, most: int = 6) -> Case:
    library = draw(libraries(most))
    lots = tuple(map(tuple, draw(cut(sorted(library))))) if draw(st.booleans()) else (tuple(library),)
    sorters = [{**draw(st.sampled_from(SORTERS)), "timezone": draw(st.sampled_from(ZONES))} for _ in range(2)]
    return Case(library, lots, sorters[0], sorters[1])


@st.composite
def libraries(draw: st.DrawFn, most: int) -> Library:
    """Shots of the same names again and again, no content twice, some without a date of their own."""
    library: dict[str, bytes] = {}
    places = st.tuples(st.sampled_from(FOLDERS), st.sampled_from(STEMS))
    for number, (folder, stem) in enumerate(draw(st.lists(places, min_size=1, max_size=most, unique=True))):
        day, hour = draw(st.integers(1, 2)), draw(st.sampled_from((1, 10, 23)))
        taken = draw(st.sampled_from((f"2024:05:{day:02d} {hour:02d}:00:00", None)))
        library[f"{folder}{stem}.jpg"] = make_jpeg(taken, seed=number)
        for ending in draw(st.lists(st.sampled_from(BESIDE), max_size=3, unique=True)):
            library[folder + stem + ending] = content_of(stem, ending, number)
    return library


def sorted_under(
    base: str, case: Case, lots: tuple[tuple[str, ...], ...], sorter: Mapping[str, Any]
) -> dict[str, bytes]:
    services = make_services(Path(base), dedup={"threads": 1}, sorter=sorter)
    try:
        for lot in lots:
            archive(services, {name: case.library[name] for name in lot})
        if "name_pattern" not in sorter:
            assert report_of(services, plan(services))["files"] == 0
        return tree(services)
    finally:
        services.close()


def files_of(found: Mapping[str, bytes]) -> dict[str, bytes]:
    return {path: content for path, content in found.items() if not path.endswith("/")}


def places(found: Mapping[str, bytes], sorter: Mapping[str, Any]) -> object:
    """Where each content lies; who of equals has which number does not count, unless a pattern ranks them."""
    if "name_pattern" in sorter:
        return files_of(found)
    return {content: re.sub(r"_\d{1,2}(?=\.[^/]*$)", "", path) for path, content in files_of(found).items()}


def empty_folders(found: Mapping[str, bytes]) -> set[str]:
    return {path for path in found if path.endswith("/")}


def check(case: Case) -> None:
    with TemporaryDirectory() as fresh, TemporaryDirectory() as base:
        expected = sorted_under(fresh, case, (tuple(case.library),), case.after)
        before = sorted_under(base, case, case.lots, case.before)
        services = make_services(Path(base), dedup={"threads": 1}, sorter=case.after)
        try:
            planned = report_of(services, plan(services))
            assert tree(services) == before
            run = refile(services)
            after = tree(services)
            assert places(after, case.after) == places(expected, case.after)
            assert empty_folders(after) <= empty_folders(before)
            assert report_of(services, run)["moved"] == planned["files"]
            assert_rows_agree(services)
            assert report_of(services, refile(services))["files"] == 0
            if planned["files"]:
                take_back(services, run)
            assert files_of(tree(services)) == files_of(before)
            assert_rows_agree(services)
        finally:
            services.close()


@settings(max_examples=6, phases=(Phase.generate,), **COMMON)
@seed(datetime.now(UTC).date().toordinal())
@given(case=cases())
def test_an_archive_filed_anew_is_the_one_that_sorting_makes(case: Case) -> None:
    check(case)


@pytest.mark.torture
@pytest.mark.timeout(7_200)
@settings(max_examples=200, derandomize=True, phases=(Phase.generate,), **COMMON)
@given(case=cases(most=8))
def test_200_archives_filed_anew_are_those_that_sorting_makes(case: Case) -> None:
    check(case)
