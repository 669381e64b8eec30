"""Indexes over those rows only that a condition picks. The condition is written once, for every database that can."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index over the rows that `where`, a condition in SQL, is true of."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where))


@compiles(CreateIndex, "postgresql")
def _on_postgresql(create: CreateIndex, compiler: Any, **options: Any) -> str:
    # An index that named PostgreSQL itself would load that dialect, 2 MB, into every process on SQLite.
    index = create.element
    index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]
    return str(compiler.visit_create_index(create, **options))
