"""No list reads more rows in a large library than in a small one: every page is answered from an index.

So it is without what `ANALYZE` tells SQLite of the tables, and with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event

from app.db import (
    capture_records,
    date_decisions,
    dated_groups,
    decided_dates,
    doubtful_dates,
    duplicates,
    event_search,
    groups,
    lists,
    members,
    paging,
    past_places,
    present_names,
    search,
    undecided,
    waiting,
)
from app.db.connection import Connection
from app.db.doubtful_dates import DateFilter
from app.db.event_search import EventSearch
from app.db.search import AssetSearch
from app.model import AssetStatus, BatchStatus, RootKind, RunKind, RunStatus
from app.overview.files import asset_story, assets_at
from app.overview.troubled import left_files, troubled_files
from app.services import Services
from bench.library import build
from tests.conftest import make_services

SMALL, LARGE = 4_000, 32_000
#: Instructions of the database's machine between two counts.
GRAIN = 50
#: What a page may cost in any library: far less than one look at each row of the large one.
CEILING = 45_000
LIMIT = 20


@dataclass(frozen=True)
class Library:
    """A library of a size."""

    services: Services
    files: int


@dataclass(frozen=True)
class Libraries:
    """A small one and a large one."""

    small: Library
    large: Library
    #: What SQLite was told of their tables.
    is_analyzed: bool = False


#: Pages of a library of so many files, to be asked for one by one.
Pages = Callable[[Connection, int], Iterator[Callable[[], Any]]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Libraries]:
    made = [Library(make_services(tmp_path_factory.mktemp(str(size))), size) for size in (SMALL, LARGE)]
    for library in made:
        # as many files in each batch and events in each run, however many there are
        build(library.services, library.files, library.files * 2, library.files // 40, library.files // 40)
    yield Libraries(*made)
    for library in made:
        library.services.close()


@pytest.fixture(scope="module", params=["as it is", "analyzed"])
def libraries(request: pytest.FixtureRequest, built: Libraries) -> Libraries:
    """Both; what SQLite was told of their tables is new to every connection."""
    for library in (built.small, built.large):
        with library.services.db.transaction() as conn:
            if request.param == "analyzed":
                conn.exec_driver_sql("ANALYZE")
            elif _has_statistics(conn):
                conn.exec_driver_sql("DELETE FROM sqlite_stat1")
        library.services.db.close()
    return replace(built, is_analyzed=request.param == "analyzed")


def _has_statistics(conn: Connection) -> bool:
    return bool(conn.exec_driver_sql("SELECT COUNT(*) FROM sqlite_master WHERE name = 'sqlite_stat1'").scalar())


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "BUDGET", 400)
    monkeypatch.setattr(search, "FEW", 200)
    monkeypatch.setattr("app.overview.troubled.COUNTED", 200)
    monkeypatch.setattr(past_places, "NAMESAKES", 20)


FILTERS: dict[str, dict[str, Any]] = {
    "all": {},
    "archived": {"status": AssetStatus.ARCHIVED},
    "discovered": {"status": AssetStatus.DISCOVERED},
    "gone": {"status": AssetStatus.GONE},
    "name": {"name": "IMG_"},
    "rare name": {"name": "IMG_0077"},
    "name and status": {"name": "img_", "status": AssetStatus.DUPLICATE},
    "prefix": {"prefix": b"20"},
    "prefix and status": {"prefix": b"DCIM/", "status": AssetStatus.UNIQUE},
    "origin": {"origin": b"DCIM/"},
    "digest": {"digest": "0"},
    "rare digest": {"digest": "00af"},
    "ingest": {"root": RootKind.INGEST},
    "no such root": {"root": RootKind.REFERENCE},
    "taken": {"taken_since": "2012", "taken_until": "2022"},
    "taken in the archive": {"taken_since": "2015", "status": AssetStatus.ARCHIVED},
    "never": {"taken_since": "2031"},
    "source": {"taken_from": "mtime"},
    "no such source": {"taken_from": "xmp"},
    "batch": {"batch_id": 7},
    "duplicates": {"original_id": 50},
    "group": {"group_id": 50},
    "camera": {"camera": "EOS R6"},
    "camera in the archive": {"camera": "PowerShot", "status": AssetStatus.ARCHIVED},
    "no such camera": {"camera": "Lubitel"},
    "two statuses": {"statuses": (AssetStatus.DISCOVERED, AssetStatus.UNIQUE)},
    "most statuses": {"statuses": tuple(AssetStatus)[:8]},
}
#: Every filter in every order that it can be asked in; each with and without statistics, up and down.
SEARCHES = [
    (name, sort)
    for name, terms in FILTERS.items()
    for sort in search.SORTS
    if not (sort == "path" and terms.get("status") is AssetStatus.GONE)
]


def search_pages(name: str, sort: str, descending: bool) -> Pages:
    """The first page of a search, and one deep inside."""

    def pages(conn: Connection, files: int) -> Iterator[Callable[[], Any]]:
        wanted = AssetSearch(**FILTERS[name], sort=sort, descending=descending, limit=LIMIT)
        yield lambda: search.search(conn, wanted)
        deep = key_deep_inside(conn, wanted)
        if deep is not None:
            yield lambda: search.search(conn, replace(wanted, after=deep))

    return pages


@pytest.mark.parametrize("name", FILTERS)
def test_a_search_of_files_costs_the_same_in_a_library_eight_times_as_large(
    libraries: Libraries, name: str
) -> None:
    """In every order, one of the four ways today: with or without statistics, up or down."""
    today = datetime.now(UTC).date().toordinal()
    for number, (other, sort) in enumerate(SEARCHES):
        way = (today + number) % 4
        if other == name and libraries.is_analyzed == bool(way & 1):
            compare(libraries, search_pages(name, sort, bool(way & 2)))


@pytest.mark.torture
@pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])
@pytest.mark.parametrize(("name", "sort"), SEARCHES)
def test_every_search_of_files_costs_the_same_in_a_library_eight_times_as_large(
    libraries: Libraries, name: str, sort: str, descending: bool
) -> None:
    compare(libraries, search_pages(name, sort, descending))


def key_deep_inside(conn: Connection, wanted: AssetSearch) -> tuple[Any, ...] | None:
    """The key of the row in the middle of the list, in the order that is asked for."""
    key = search.SORTS[wanted.sort]
    where = " AND ".join(f"{column} IS NOT NULL" for column in key)
    middle = conn.exec_driver_sql(
        f"SELECT {', '.join(key)} FROM assets WHERE {where} ORDER BY {', '.join(key)} "
        f"LIMIT 1 OFFSET (SELECT COUNT(*) * 3 / 4 FROM assets WHERE {where})"
    ).first()
    return tuple(middle) if middle is not None else None


EVENTS: dict[str, dict[str, Any]] = {
    "all": {},
    "batches": {"kind": "batch."},
    "a kind that never was": {"kind": "config.saved"},
    "errors": {"level": "error"},
    "errors of steps": {"level": "error", "kind": "step."},
    "info": {"level": "info", "kind": "scan."},
    "words": {"text": "file 77"},
    "words that never were said": {"text": "unicorn"},
    "words in steps": {"text": "unicorn", "kind": "step."},
    "run": {"run_id": 7},
    "run and batch": {"run_id": 7, "batch_id": 7},
    "asset": {"asset_id": 7},
    "since": {"since": "2026-01-01T06:00:00.000000+00:00"},
    "until": {"until": "2026-01-01T06:00:00.000000+00:00"},
    "between, with words": {"since": "2026-01-01T03", "until": "2026-01-01T20", "text": "unicorn"},
    "never": {"since": "2027"},
}


@pytest.mark.parametrize("name", EVENTS)
def test_a_search_of_the_journal_costs_the_same_in_one_eight_times_as_long(
    libraries: Libraries, name: str
) -> None:
    def pages(conn: Connection, files: int) -> Iterator[Callable[[], Any]]:
        wanted = EventSearch(**EVENTS[name], limit=LIMIT)
        for where in ({}, {"before_id": files}, {"after_id": 0}, {"after_id": files}):
            yield lambda where=where: event_search.search(conn, replace(wanted, **where))

    compare(libraries, pages)


def every_other_list(conn: Connection, files: int) -> Iterator[Callable[[], Any]]:
    """First pages, and pages deep inside."""
    middle, batch = files // 2, files // 80
    for before in (None, batch):
        yield lambda before=before: lists.page_of_batches(conn, None, "", before, LIMIT)
        yield lambda before=before: lists.page_of_batches(conn, BatchStatus.SORTED, "", before, LIMIT)
        yield lambda before=before: lists.page_of_batches(conn, None, "nothing", before, LIMIT)
        yield lambda before=before: lists.page_of_runs(conn, None, None, None, before, LIMIT)
        yield lambda before=before: lists.page_of_runs(conn, RunKind.UNDO, RunStatus.DONE, 3, before, LIMIT)
    for after in (0, middle):
        yield lambda after=after: lists.page_of_moves(conn, after_id=after, limit=LIMIT)
        yield lambda after=after: lists.page_of_moves(conn, batch_id=batch, run_id=9, after_id=after, limit=LIMIT)
        yield lambda after=after: left_files(conn, "", after, LIMIT)
        yield lambda after=after: left_files(conn, "nothing", after, LIMIT)
        yield lambda after=after: troubled_files(conn, AssetStatus.FAILED, after, LIMIT)
        yield lambda after=after: troubled_files(conn, AssetStatus.SET_ASIDE, after, LIMIT)
        yield lambda after=after: duplicates.list_original_ids(conn, after, LIMIT)
    yield lambda: asset_story(conn, middle)
    yield lambda: assets_at(conn, "DCIM/0001APPLE/IMG_1234.JPG")
    yield lambda: assets_at(conn, "nowhere/IMG_1234.JPG")
    yield lambda: past_places.list_called(conn, b"IMG_1234.JPG", 10)


def test_every_other_list_costs_the_same_in_a_library_eight_times_as_large(libraries: Libraries) -> None:
    compare(libraries, every_other_list)


def every_question_about_groups_and_dates(conn: Connection, files: int) -> Iterator[Callable[[], Any]]:
    """As the stages, the doors and what shows a file ask for a few of them."""
    ids = list(range(files // 2, files // 2 + LIMIT))
    found = doubtful_dates.list_assets(conn, ids)
    ingest, archive = (conn.exec_driver_sql("SELECT id FROM roots WHERE kind = ?", (kind,)).scalar_one()
                       for kind in ("ingest", "archive"))  # fmt: skip
    stem, name = found[0].path.rpartition(b".")[0], search.begins("name", b"img_%07d" % ids[0])
    yield lambda: groups.ensure(conn, ingest, [(b"DCIM/0001APPLE", b"IMG_%04d" % n) for n in range(1000, 1020)])
    yield lambda: groups.list_kindred(conn, ids)
    yield lambda: groups.list_names_in(conn, ingest, b"DCIM/0001APPLE")
    yield lambda: members.list_archived_of_groups(conn, ids, archive)
    yield lambda: members.list_drawn_along(conn, files // 80)
    yield lambda: undecided.list_members(conn, ids)
    yield lambda: undecided.list_gone_on(conn, ids)
    yield lambda: dated_groups.list_weak(conn, ids)
    yield lambda: dated_groups.list_others(conn, found)
    yield lambda: dated_groups.list_with_stem(conn, archive, stem)
    yield lambda: dated_groups.list_first(conn, [AssetStatus.ARCHIVED, AssetStatus.UNIQUE], LIMIT)
    yield lambda: list(dated_groups.list_taken(conn, "2015-03-04", "1990", "2027"))
    yield lambda: waiting.list_members(conn, ids)
    yield lambda: decided_dates.list_acts(conn, None, LIMIT)
    yield lambda: capture_records.find(conn, ids[0])
    yield lambda: capture_records.list_of(conn, ids)
    yield lambda: capture_records.list_cameras(conn, ids)
    yield lambda: date_decisions.list_of(conn, ids)
    yield lambda: present_names.list_called(conn, b"IMG_%07d.JPG" % ids[0], LIMIT)
    yield lambda: present_names.list_within(conn, name, LIMIT)
    for wanted in (DateFilter(), DateFilter(reason="mtime"), DateFilter(camera="EOS R6"), DateFilter(folder=b"DCIM")):
        for after in (0, files // 2):
            yield lambda wanted=wanted, after=after: doubtful_dates.list_page(conn, wanted, after, LIMIT)
        yield lambda wanted=wanted: doubtful_dates.list_ids(conn, wanted, doubtful=True, limit=LIMIT)
        yield lambda wanted=wanted: doubtful_dates.list_ids(conn, wanted, doubtful=False, limit=LIMIT)


def test_every_question_about_groups_and_dates_costs_the_same_in_a_library_eight_times_as_large(
    libraries: Libraries,
) -> None:
    compare(libraries, every_question_about_groups_and_dates)


def compare(libraries: Libraries, pages: Pages) -> None:
    """Each page takes about as many instructions in both, or few enough: a few hundred rows, as the limits allow."""
    costs = []
    for library in (libraries.small, libraries.large):
        with library.services.db.reading() as conn:
            costs.append([cost_of(conn, page) for page in pages(conn, library.files)])
    small, large = costs
    assert len(small) == len(large)
    for few, many in zip(small, large, strict=True):
        assert many <= max(few * 1.5, CEILING), (few, many)


def cost_of(conn: Connection, page: Callable[[], Any]) -> int:
    """Instructions that the database's machine carries out for a page, whose plans never sort what is unbounded."""
    driver: Any = conn.connection.driver_connection
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += GRAIN
        return 0

    with noting_statements(conn) as said:
        driver.set_progress_handler(count, GRAIN)
        try:
            page()
        finally:
            driver.set_progress_handler(None, 0)
    for sql, values in said:
        refuse_unbounded(conn, sql, values)
    return steps


@contextmanager
def noting_statements(conn: Connection) -> Iterator[list[tuple[str, Any]]]:
    said: list[tuple[str, Any]] = []

    def note(_conn: Any, _cursor: Any, sql: str, values: Any, *_rest: Any) -> None:
        said.append((sql, values))

    event.listen(conn.engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(conn.engine, "before_cursor_execute", note)


def test_one_look_at_every_row_would_be_noticed(libraries: Libraries) -> None:
    with libraries.large.services.db.reading() as conn:
        assert cost_of(conn, lambda: conn.exec_driver_sql("SELECT COUNT(size_bytes) FROM assets").all()) > 2 * CEILING
        with pytest.raises(AssertionError):
            refuse_unbounded(conn, "SELECT id FROM assets WHERE reason = ?", ("x",))
        with pytest.raises(AssertionError):
            refuse_unbounded(conn, "SELECT id FROM assets WHERE id > ? ORDER BY mtime_ns", (1,))


LARGE_TABLES = "assets|events|moves|left_in_place|groups|capture_records|present_names"


def refuse_unbounded(conn: Connection, sql: str, values: Any) -> None:
    """A large table is never read without an index, and sorted only where a limit inside, or a group, bounds what is
    sorted."""
    plan = [row[3] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
    scans = [line for line in plan if re.search(rf"SCAN ({LARGE_TABLES})\b(?!.*USING)", line)]
    assert scans == [] or "LIMIT" in sql, (sql, plan)
    sorts = any("USE TEMP B-TREE FOR ORDER BY" in line for line in plan) and re.search(LARGE_TABLES, str(plan))
    is_bounded = any(line.startswith(("CO-ROUTINE", "MATERIALIZE", "SCAN anon")) or "(group_id=?)" in line
                     for line in plan)  # fmt: skip
    assert not sorts or is_bounded or " IN (" in sql, (sql, plan)
