"""Who writes one transaction after the other lets others write in between."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from app.db import connection
from app.db.connection import LONG_SECONDS, Database
from app.errors import StateError

PARTS = 40


@pytest.fixture
def db(tmp_path: Path) -> Database:
    database = Database(str(tmp_path / "db.sqlite"))
    with database.transaction() as conn:
        conn.exec_driver_sql("CREATE TABLE parts (number INTEGER)")
    return database


def write_parts(db: Database, has_begun: threading.Event) -> None:
    for number in range(PARTS):
        with db.transaction() as conn:
            conn.exec_driver_sql("INSERT INTO parts VALUES (?)", (number,))
            has_begun.set()
            time.sleep(1.2 * LONG_SECONDS)


def test_a_writer_that_waits_comes_in_long_before_all_parts_are_written(db: Database) -> None:
    has_begun = threading.Event()
    much = threading.Thread(target=write_parts, args=(Database(db.path), has_begun))
    much.start()
    try:
        assert has_begun.wait(30)
        with db.transaction() as conn:
            written = conn.exec_driver_sql("SELECT COUNT(*) FROM parts").scalar_one()
            conn.exec_driver_sql("INSERT INTO parts VALUES (-1)")
    finally:
        much.join()
    assert written < PARTS / 2
    with db.reading() as conn:
        assert conn.exec_driver_sql("SELECT COUNT(*) FROM parts").scalar_one() == PARTS + 1


def test_who_waits_in_vain_is_told_so_and_can_write_later(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BUSY_TIMEOUT_SECONDS", 0)
    other = Database(db.path)
    with db.transaction(), pytest.raises(StateError, match="locked"), other.transaction():
        pass
    with other.transaction() as conn:
        conn.exec_driver_sql("INSERT INTO parts VALUES (1)")
    with db.reading() as conn:
        assert conn.exec_driver_sql("SELECT number FROM parts").scalar_one() == 1
