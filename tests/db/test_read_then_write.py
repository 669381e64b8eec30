"""A transaction that reads long lets others write meanwhile, and never writes what follows from the past."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from app.db.connection import TRIES_BESIDE_OTHERS, Connection, Database
from app.errors import StateError


@pytest.fixture
def db(tmp_path: Path) -> Database:
    database = Database(str(tmp_path / "db.sqlite"))
    with database.transaction() as conn:
        conn.exec_driver_sql("CREATE TABLE numbers (value INTEGER)")
        conn.exec_driver_sql("INSERT INTO numbers VALUES (1)")
    return database


def add(conn: Connection) -> int:
    """Write the sum of all numbers, and return it."""
    total = int(conn.exec_driver_sql("SELECT SUM(value) FROM numbers").scalar_one())
    conn.exec_driver_sql("INSERT INTO numbers VALUES (?)", (total,))
    return total


def numbers(db: Database) -> list[int]:
    with db.reading() as conn:
        return list(conn.exec_driver_sql("SELECT value FROM numbers ORDER BY rowid").scalars())


def disturbed(db: Database, times: int) -> Callable[[Connection], int]:
    """`add`, while somebody else writes between its reading and its writing, so many times."""
    left = [times]

    def act(conn: Connection) -> int:
        conn.exec_driver_sql("SELECT * FROM numbers").all()
        if left[0]:
            left[0] -= 1
            with db.transaction() as other:
                other.exec_driver_sql("INSERT INTO numbers VALUES (10)")
        return add(conn)

    return act


@pytest.mark.parametrize("times", range(TRIES_BESIDE_OTHERS + 1))
def test_what_others_write_meanwhile_is_kept_and_counted(db: Database, times: int) -> None:
    assert db.read_then_write(disturbed(db, times)) == 1 + 10 * times
    assert numbers(db) == [1, *[10] * times, 1 + 10 * times]


def test_while_another_one_writes_nothing_is_written_and_in_the_end_it_is_waited_for(db: Database) -> None:
    other = sqlite3.connect(db.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO numbers VALUES (10)")
    calls: list[int] = []

    def act(conn: Connection) -> int:
        calls.append(1)
        if len(calls) == TRIES_BESIDE_OTHERS:
            other.execute("COMMIT")
        return add(conn)

    assert (db.read_then_write(act), len(calls)) == (11, TRIES_BESIDE_OTHERS)
    other.close()


def test_an_error_undoes_what_was_written(db: Database) -> None:
    def act(conn: Connection) -> None:
        add(conn)
        raise StateError("no")

    with pytest.raises(StateError, match="no"):
        db.read_then_write(act)
    assert numbers(db) == [1]
