"""Indexes that are made when all rows are there: for very many at once that costs a fraction of one entry after the
other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

INDEXES = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL"


@contextmanager
def late_indexes(conn: Connection, table: str) -> Iterator[None]:
    """Have the table no indexes inside, and all of them again afterwards.

    For a table that was empty before. It all happens in the transaction of the caller: nobody else ever sees the table
    without its indexes, and what is cut off has never been.
    """
    indexes = conn.exec_driver_sql(INDEXES, (table,)).all()
    for name, _ in indexes:
        conn.exec_driver_sql(f'DROP INDEX "{name}"')
    yield
    for _, sql in indexes:
        conn.exec_driver_sql(sql)
