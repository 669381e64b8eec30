"""How a query is kept to the index that is meant for it, whatever SQLite guesses of the tables or ANALYZE tells it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, String


def unindexed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The value of a column in a form that no index answers: for a condition that nearly all rows of a library fulfil
    beside one that few do."""
    return column.concat("") if isinstance(column.type, String) else column + 0
