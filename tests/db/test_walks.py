"""A list that is read page by page shows each file exactly once, whatever is written in between."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.db import assets, paging, roots, search
from app.db.connection import Database
from app.db.migrate import migrate, open_database
from app.db.search import AssetSearch
from app.model import ASSET_CHANGES, AssetStatus, RootKind, Signature

FIRST = 40


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of the first files, closed, to be copied."""
    path = tmp_path_factory.mktemp("filled") / "db.sqlite"
    migrate(str(path))
    opened = open_database(str(path))
    with opened.transaction() as conn:
        roots.add(conn, RootKind.INGEST, b"/in", "id")
        roots.add(conn, RootKind.ARCHIVE, b"/out", "id")
    insert(opened, 0, FIRST)
    opened.close()
    return path


@pytest.fixture
def db(tmp_path: Path, filled: Path) -> Iterator[Database]:
    opened = open_database(str(shutil.copytree(filled.parent, tmp_path / "state") / filled.name))
    yield opened
    opened.close()


def insert(db: Database, first: int, count: int) -> None:
    found = [
        (b"%d/IMG_%d.jpg" % (n * 7 % 5, n * 13 % 17), Signature(1, n + 1, 5, 0, 0), None)
        for n in range(first, first + count)
    ]
    with db.transaction() as conn:
        # the same names again and again, each time in a place of its own
        assets.insert_discovered(conn, 1, [(b"%d/" % s.inode + path, s, g) for path, s, g in found])


def change(db: Database, asset_id: int, status: AssetStatus) -> None:
    """Give a file another status if it may have it, and another place."""
    with db.transaction() as conn:
        asset = assets.get(conn, asset_id)
        if status in ASSET_CHANGES[asset.status]:
            assets.mark(conn, [asset], status)
            assets.place(conn, asset_id, 2, b"moved/%d-%d" % (asset_id, status is not None), asset.signature, None)


def walk(db: Database, wanted: AssetSearch, between: Iterator[None]) -> list[int]:
    found: list[int] = []
    while True:
        with db.reading() as conn:
            page, key = search.search(conn, wanted)
        found += [asset.id for asset in page]
        if key is None:
            return found
        wanted = replace(wanted, after=key)
        next(between, None)


STEADY = st.sampled_from(["id", "name", "origin"])
WRITES = st.lists(st.tuples(st.integers(1, FIRST), st.sampled_from([*AssetStatus])), max_size=8)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_each_file_is_met_once_while_others_come_and_all_change(
    tmp_path_factory: pytest.TempPathFactory, filled: Path, data: st.DataObject
) -> None:
    folder = shutil.copytree(filled.parent, tmp_path_factory.mktemp("walk") / "state")
    db = open_database(str(folder / filled.name))
    sort, down = data.draw(STEADY), data.draw(st.booleans())

    def between() -> Iterator[None]:
        for number in range(6):
            insert(db, FIRST * (number + 1), data.draw(st.integers(0, 5)))
            for asset_id, status in data.draw(WRITES):
                change(db, asset_id, status)
            yield

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paging, "BUDGET", 9)
        patch.setattr(search, "FEW", 3)
        found = walk(db, AssetSearch(sort=sort, descending=down, limit=7), between())
    db.close()
    assert len(found) == len(set(found))
    assert {*range(1, FIRST + 1)} <= set(found)


@pytest.mark.parametrize("sort", ["id", "name", "origin"])
def test_each_file_is_met_once_while_another_thread_writes(db: Database, sort: str) -> None:
    other, over = open_database(db.path), threading.Event()

    def write() -> None:
        for number in range(30):
            if over.is_set():
                return
            insert(other, FIRST * (number + 1), 20)
            change(other, number + 1, AssetStatus.UNIQUE)

    writer = threading.Thread(target=write)
    writer.start()
    walks = [walk(db, AssetSearch(sort=sort, limit=5), iter(())) for _ in range(6)]
    over.set()
    writer.join()
    other.close()
    for found in walks:
        assert len(found) == len(set(found))
        assert {*range(1, FIRST + 1)} <= set(found)
