"""Indexes over part of a table: the condition is there on every database, and no other database's dialect in memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Dialect, Index
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex

from app.db.tables import moves

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=lambda dialect: str(dialect.name))
def test_the_condition_stands_in_the_statement(dialect: Dialect) -> None:
    index: Index = next(index for index in moves.indexes if index.name == "uq_moves_open_src")
    made = str(CreateIndex(index).compile(dialect=dialect))
    assert made.startswith("CREATE UNIQUE INDEX uq_moves_open_src ON moves (src_root_id, src_path)")
    assert made.endswith("WHERE state IN ('PLANNED', 'PLACED')")


def test_the_tables_bring_no_dialect_but_sqlites() -> None:
    program = "import sys, app.db.tables; print(*[m for m in sys.modules if m.count('.') == 2 and '.dialects.' in m])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert set(done.stdout.split()) == {"sqlalchemy.dialects.sqlite", "sqlalchemy.dialects._typing"}
