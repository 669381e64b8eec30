"""The newest run of a kind is found by an index, however many runs there are, and so in a database of before it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.db import runs
from app.db.connection import Connection, Database
from app.db.migrate import migrate
from app.model import RunKind
from app.overview import preview
from tests.db.test_list_plans import noting_statements
from tests.db.test_migrate import upgrade_to

ADD = "INSERT INTO runs (id, kind, \"trigger\", status, stages, requested_at) VALUES (?, ?, 'api', 'done', '[]', 'x')"
KINDS = {1: "preview", 2: "workflow", 3: "preview", **dict.fromkeys(range(4, 40), "stage"), 40: "verify"}


@pytest.fixture
def earlier(tmp_path: Path) -> str:
    """A database without the index, with runs."""
    path = str(tmp_path / "state" / "db.sqlite")
    upgrade_to(path, "0033")
    db = Database(path)
    with db.transaction() as conn:
        conn.exec_driver_sql(ADD, list(KINDS.items()))
    db.close()
    return path


@pytest.mark.parametrize(
    ("ask", "found"),
    [
        (preview._newest, 3),
        (lambda conn: runs.find_last(conn, RunKind.WORKFLOW, RunKind.STAGE), 39),
        (lambda conn: runs.find_last(conn, RunKind.WORKFLOW), 2),
        (lambda conn: runs.find_last(conn, RunKind.UNDO), None),
        (runs.find_last, 40),
    ],
    ids=["preview", "of two kinds", "of one", "of none", "of any"],
)
def test_the_newest_run_is_found_without_a_look_at_all_others(
    earlier: str, ask: Callable[[Connection], Any], found: int | None
) -> None:
    migrate(earlier)
    db = Database(earlier)
    with db.reading() as conn:
        with noting_statements(conn) as said:
            run = ask(conn)
        plans = [row[3] for sql, values in said for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
        kept = dict(conn.exec_driver_sql("SELECT id, kind FROM runs").all())
    db.close()
    assert (run and run.id) == found
    assert plans and not [line for line in plans if line == "SCAN runs" or "TEMP B-TREE" in line], plans
    assert kept == KINDS
