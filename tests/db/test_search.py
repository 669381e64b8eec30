"""Searches of assets and events find what a plain filter over all rows finds, in order, each row once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.db import event_search, journal, paging, search
from app.db.connection import Connection, Database
from app.db.event_search import EventSearch
from app.db.migrate import migrate, open_database
from app.db.names import after_prefix, name_key
from app.db.search import SORTS, AssetSearch
from app.db.tables import assets as table
from app.errors import BadRequest
from app.model import AssetStatus, RootKind

ASSETS = 120
ROOTS = ((1, RootKind.INGEST), (2, RootKind.BATCH), (3, RootKind.ARCHIVE))
STATUSES = [*AssetStatus]
NAMES = [
    b"IMG_0001.JPG",
    b"img_0002.jpg",
    b"IMG_12.HEIC",
    "Straße.jpg".encode(),
    "É.jpg".encode(),
    b"a\xff.jpg",
    b"IMG_12 (1).HEIC",
]


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path = str(tmp_path_factory.mktemp("state") / "db.sqlite")
    migrate(path)
    with closing(sqlite3.connect(path)) as conn:
        fill(conn)
        conn.commit()
    opened = open_database(path)
    yield opened
    opened.close()


def fill(conn: sqlite3.Connection) -> None:
    for root_id, kind in ROOTS:
        conn.execute("INSERT INTO roots VALUES (?, ?, '', ?, 'm', '')", (root_id, kind.value, b"/%d" % root_id))
    conn.execute("INSERT INTO batches (id, name, status, target, transfer_mode, peer_policy, created_at) "
                 "VALUES (1, 'b', 'SORTED', 'none', 'move', 'keep', '')")  # fmt: skip
    for folder in range(6):
        conn.execute("INSERT INTO groups VALUES (?, 1, ?, ?)", (folder + 1, b"%d" % folder, b"s"))
    for n in range(1, ASSETS + 1):
        conn.execute(
            "INSERT INTO assets (id, root_id, path, status, size_bytes, mtime_ns, ctime_ns, device, inode, digest, "
            "sha256, original_id, group_id, batch_id, taken_local, taken_from, origin_root_id, origin_path, "
            "first_seen_at, updated_at, name) VALUES (?, ?, ?, ?, 1, 1, 1, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', ?)",
            values(n),
        )
    renamed = [(n, name_key(values(n)[2])) for n in range(1, ASSETS + 1)]
    conn.executemany(
        "INSERT INTO present_names SELECT id, ? FROM assets WHERE id = ? AND name != ?",
        [(name, n, name) for n, name in renamed],
    )
    kinds = sorted(journal.KINDS)
    for n in range(1, 301):
        conn.execute(
            "INSERT INTO events (id, at, kind, level, message, run_id, batch_id, asset_id) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (n + n // 7, f"2026-05-{n // 15 + 1:02d}T{n % 15:02d}:00:00.000000+00:00", kinds[n * 5 % len(kinds)],
             ("info", "info", "info", "warning", "error")[n % 5], f"Step {n % 9} of Batch {n % 4}.", n % 6 + 1,
             n % 4 or None, n % 11 or None),
        )  # fmt: skip


def values(n: int) -> tuple[Any, ...]:
    status = STATUSES[n * 7 % len(STATUSES)]
    name = NAMES[n % len(NAMES)]
    origin = b"dcim/%d/" % (n % 4) + name
    path = origin if n % 3 else b"2024/%02d/%d_" % (n % 5, n) + name
    path = b"%d/" % n + path if n % 2 else path + b"%d" % n
    path = b"2024/gone/" + name if status is AssetStatus.GONE else path
    digest = f"{n * 2654435761 % 2**32:08x}" if n % 5 else None
    taken = f"20{n % 9 + 10}-{n % 12 + 1:02d}-{n % 28 + 1:02d}T{n % 24:02d}:00:00" if n % 4 else None
    return (
        n, ROOTS[n % 3][0], path, status.value, n, digest, f"{n * 40503 % 2**16:04x}{n:04x}" if n % 6 else None,
        n - n % 10 if n % 10 in (3, 4) and n > 10 else None, n % 6 + 1 if n % 5 else None, 1 if n % 3 == 0 else None,
        taken, ("exif", "mtime", "filename")[n % 3] if taken else None, ROOTS[n % 2][0], origin, name_key(origin),
    )  # fmt: skip


def rows(conn: Connection) -> list[Any]:
    return list(conn.execute(select(table).order_by(table.c.id)))


def expected(conn: Connection, wanted: AssetSearch) -> list[int]:
    """The same search, told plainly."""
    kinds = dict(ROOTS)
    found = [row for row in rows(conn) if fits(row, wanted, kinds)]
    key = SORTS[wanted.sort]
    found = [row for row in found if all(getattr(row, column) is not None for column in key)]
    if wanted.sort == "path":
        found = [row for row in found if row.status != "gone"]
    found.sort(key=lambda row: tuple(getattr(row, column) for column in key), reverse=wanted.descending)
    return [row.id for row in found]


def fits(row: Any, wanted: AssetSearch, kinds: dict[int, RootKind]) -> bool:
    equal = ("batch_id", "group_id", "original_id", "status")
    here = row.status != "gone" or wanted.status is AssetStatus.GONE
    return (
        all(getattr(wanted, name) in (None, getattr(row, name)) for name in equal)
        and (not wanted.taken_from or row.taken_from == wanted.taken_from)
        and any(name.startswith(name_key(wanted.name.encode())) for name in (row.name, name_key(row.path)))
        and (not wanted.digest or any((d or "-").startswith(wanted.digest.lower()) for d in (row.digest, row.sha256)))
        and (not wanted.prefix or (here and row.path.startswith(wanted.prefix)))
        and row.origin_path.startswith(wanted.origin)
        and (wanted.root is None or (here and kinds[row.root_id] is wanted.root))
        and (not wanted.taken_since or (row.taken_local or "") >= wanted.taken_since)
        and (not wanted.taken_until or "" < (row.taken_local or "") < wanted.taken_until + "\x7f")
    )


def walk(conn: Connection, wanted: AssetSearch) -> list[int]:
    """Page after page, until there is none."""
    found: list[int] = []
    for _ in range(ASSETS * 20):
        page, next_key = search.search(conn, wanted)
        assert len(page) <= wanted.limit
        found += [asset.id for asset in page]
        if next_key is None:
            return found
        wanted = replace(wanted, after=next_key)
    raise AssertionError("the list does not end")


MAYBE = st.booleans()
SEARCHES = st.builds(
    AssetSearch,
    name=st.sampled_from(["", "", "img_", "IMG_12", "stra", "STRASSE", "é", "x", "1", "12_", "é.jpg1"]),
    prefix=st.sampled_from([b"", b"", b"2024/", b"1", b"dcim/1/", b"\xff"]),
    origin=st.sampled_from([b"", b"", b"dcim/", b"dcim/2/IMG", b"z"]),
    digest=st.sampled_from(["", "", "0", "A", "1f", "ffff"]),
    status=st.sampled_from([None, None, *AssetStatus]),
    batch_id=st.sampled_from([None, None, 1, 2]),
    group_id=st.sampled_from([None, None, 1, 6]),
    original_id=st.sampled_from([None, None, 20, 50]),
    root=st.sampled_from([None, None, *RootKind]),
    taken_from=st.sampled_from(["", "", "exif", "mtime"]),
    taken_since=st.sampled_from(["", "", "2012", "2015-05-01"]),
    taken_until=st.sampled_from(["", "", "2016", "2014-06-30"]),
    sort=st.sampled_from([*SORTS]),
    descending=MAYBE,
    limit=st.integers(1, 9),
)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(SEARCHES, st.integers(1, 40), st.integers(8, 40))
def test_every_search_finds_what_a_plain_filter_finds_in_order_each_once(
    db: Database, wanted: AssetSearch, few: int, budget: int
) -> None:
    with pytest.MonkeyPatch.context() as patch, db.reading() as conn:
        patch.setattr(search, "FEW", few)
        patch.setattr(paging, "BUDGET", budget)
        try:
            search.refuse_contradictions(wanted)
        except BadRequest:
            assert expected(conn, wanted) == [] or wanted.root is not None
            return
        assert walk(conn, wanted) == expected(conn, wanted)


def test_an_order_that_there_is_not_is_refused_with_those_that_there_are(db: Database) -> None:
    with db.reading() as conn, pytest.raises(BadRequest, match="id, name, path, origin, taken"):
        search.search(conn, AssetSearch(sort="size"))


EVENTS = st.builds(
    EventSearch,
    kind=st.sampled_from(["", "", "batch.", "asset.failed", "nothing."]),
    level=st.sampled_from(["", "", "info", "warning", "error"]),
    text=st.sampled_from(["", "", "step 3", "BATCH 1.", "%", "nowhere"]),
    since=st.sampled_from(["", "", "2026-05-03", "2026-05-10T07:00:00.000000+00:00", "2027"]),
    until=st.sampled_from(["", "", "2026-05-12", "2026-05-04T03:00:00.000000+00:00", "2025"]),
    run_id=st.sampled_from([None, None, 3]),
    batch_id=st.sampled_from([None, None, 2]),
    asset_id=st.sampled_from([None, None, 5]),
    limit=st.integers(1, 20),
)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(EVENTS, MAYBE, st.integers(20, 60))
def test_every_search_of_the_journal_finds_what_a_plain_filter_finds(
    db: Database, wanted: EventSearch, follows: bool, budget: int
) -> None:
    with pytest.MonkeyPatch.context() as patch, db.reading() as conn:
        patch.setattr(paging, "BUDGET", budget)
        every = [event for event in journal.list_events(conn, limit=10_000) if happened(event, wanted)]
        found: list[int] = []
        bound: int | None = 0 if follows else None
        for _ in range(2_000):
            start = {"after_id": bound} if follows else {"before_id": bound}
            page, bound = event_search.search(conn, replace(wanted, **start))
            found += [event.id for event in page]
            if bound is None:
                break
        assert found == [event.id for event in (every[::-1] if follows else every)]


def happened(event: Any, wanted: EventSearch) -> bool:
    return (
        event.kind.startswith(wanted.kind)
        and wanted.level in ("", event.level)
        and wanted.text.lower() in event.message.lower()
        and event.at >= wanted.since
        and (not wanted.until or event.at < wanted.until + "\x7f")
        and all(getattr(wanted, n) in (None, getattr(event, n)) for n in ("run_id", "batch_id", "asset_id"))
    )


@given(st.binary(min_size=1, max_size=4), st.binary(max_size=6))
def test_what_begins_so_lies_between_a_prefix_and_its_end(prefix: bytes, other: bytes) -> None:
    end = after_prefix(prefix)
    assert other.startswith(prefix) == (other >= prefix and (end is None or other < end))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"a/IMG_1.JPG", b"img_1.jpg"),
        ("É.jpg".encode(), "e\u0301.JPG".encode()),
        (b"STRASSE", "Straße".encode()),
    ],
)
def test_names_that_people_take_for_the_same_have_one_key(one: bytes, other: bytes) -> None:
    assert name_key(one) == name_key(other)


def test_a_name_that_is_no_text_has_a_key_of_its_own() -> None:
    assert name_key(b"x/A\xff\xfe.jpg") == b"a\xff\xfe.jpg"


def test_an_older_database_gets_the_names_of_its_files(tmp_path: Path) -> None:
    from tests.db.test_migrate import upgrade_to

    path = str(tmp_path / "state" / "db.sqlite")
    upgrade_to(path, "0003")
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("INSERT INTO roots VALUES (1, 'ingest', '', ?, 'm', '')", (b"/in",))
        conn.executemany(
            "INSERT INTO assets (id, root_id, path, status, size_bytes, mtime_ns, ctime_ns, device, inode, "
            "origin_root_id, origin_path, first_seen_at, updated_at) "
            "VALUES (?, 1, ?, 'discovered', 1, 1, 1, 1, ?, 1, ?, '', '')",
            [(1, b"2024/IMG_1_2.JPG", 1, "DCIM/IMG_Ä.JPG".encode()), (2, b"x/B.jpg", 2, None)],
        )
        conn.commit()
    migrate(path)
    db = open_database(path)
    with db.reading() as conn:
        assert [row.name for row in rows(conn)] == ["img_ä.jpg".encode(), b"b.jpg"]
    db.close()
