"""Databases of earlier versions: what the present one knows, in the tables and columns that there were then."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

from app.files.kinds import group_stem
from tests.db.test_migrate import upgrade_to

#: Each was the schema of a version that people could run.
REVISIONS = ("0008", "0014", "0011", "0015", "0016", "0017")
#: The first that knew what people decide about dates.
DECISIONS = "0016"

OLD_GROUPS = (
    "CREATE TEMP TABLE stems AS SELECT id, COALESCE(origin_root_id, root_id) AS root_id, "
    "folder_of(COALESCE(origin_path, path)) AS folder, stem_of(COALESCE(origin_path, path)) AS stem FROM assets",
    "DELETE FROM groups",
    "INSERT INTO groups (root_id, folder, stem) SELECT DISTINCT root_id, folder, stem FROM stems",
    "UPDATE assets SET group_id = (SELECT g.id FROM groups AS g JOIN stems AS s "
    "ON (g.root_id, g.folder, g.stem) = (s.root_id, s.folder, s.stem) WHERE s.id = assets.id)",
)
#: A doubtful date that somebody found right was still a doubtful one.
UNDECIDED = "UPDATE assets SET taken_from = 'mtime' WHERE taken_from = 'person'"


def database_of(revision: str, present: str, path: str) -> None:
    """Make a database of this revision at `path` with every row that the one at `present` has and it could hold.

    Files are in groups by their folder and stem, as all were before revision 0018.
    """
    upgrade_to(path, revision)
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("ATTACH ? AS present", (present,))
        for table in _tables(conn):
            columns = ", ".join(f'"{name}"' for name in shared_columns(conn, table))
            conn.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM present.{table}")
        conn.create_function("folder_of", 1, os.path.dirname)
        conn.create_function("stem_of", 1, lambda origin: group_stem(os.path.basename(origin)))
        for statement in OLD_GROUPS:
            conn.execute(statement)
        if revision < DECISIONS:
            conn.execute(UNDECIDED)
            if "capture_records" in _tables(conn):
                conn.execute("DELETE FROM capture_records WHERE asset_id IN (SELECT asset_id FROM "
                             "present.date_decisions)")  # fmt: skip
        assert conn.execute("PRAGMA foreign_key_check").fetchall() == []


def _tables(conn: sqlite3.Connection) -> list[str]:
    rows = conn.execute("SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return [name for (name,) in rows if name != "alembic_version"]


def shared_columns(conn: sqlite3.Connection, table: str) -> list[str]:
    """The columns of a table that both databases have."""
    both = [
        {row[1] for row in conn.execute(f"PRAGMA {schema}.table_info({table})")} for schema in ("main", "present")
    ]
    return sorted(both[0] & both[1])


#: What an upgrade works out anew, and what a comparison with the disk writes as well.
ANEW: dict[str, tuple[str, ...]] = {"assets": ("group_id", "inspected_at", "updated_at"), "left_in_place": ("seen_at",)}
NOT_COMPARED = ("groups", "totals")


def lost_rows(old: str, present: str) -> dict[str, int]:
    """How many rows of an old database are in the present one no more, by table; groups and totals aside."""
    with closing(sqlite3.connect(old)) as conn:
        conn.execute("ATTACH ? AS present", (present,))
        lost = {}
        for table in _tables(conn):
            if table in NOT_COMPARED:
                continue
            kept = [name for name in shared_columns(conn, table) if name not in ANEW.get(table, ())]
            columns = ", ".join(f'"{name}"' for name in kept)
            query = f"SELECT {columns} FROM main.{table} EXCEPT SELECT {columns} FROM present.{table}"
            lost[table] = conn.execute(f"SELECT COUNT(*) FROM ({query})").fetchone()[0]
    return {table: count for table, count in lost.items() if count}
