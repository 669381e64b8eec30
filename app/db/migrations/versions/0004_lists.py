"""What lists and searches need: the name of each file by itself, and the indexes that answer them.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import unicodedata

from alembic import op
from sqlalchemy import Column, Integer, LargeBinary, text

revision = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None

#: Rows given a name in one statement.
SLICE = 5_000


def upgrade() -> None:
    """Make the column, fill it, then make the indexes: so each is built in order, once."""
    op.add_column("assets", Column("name", LargeBinary))
    op.add_column("idempotency_keys", Column("run_id", Integer))
    _name_all()
    op.create_index("ix_assets_name", "assets", ["name", "id"])
    op.create_index("ix_assets_origin", "assets", ["origin_root_id", "origin_path", "id"])
    _create_partial("ix_assets_taken", "assets", ["taken_local", "id"], "taken_local IS NOT NULL")
    _create_partial("ix_assets_sha256", "assets", ["sha256"], "sha256 IS NOT NULL")
    op.create_index("ix_events_kind_id", "events", ["kind", "id"])
    _create_partial("ix_events_level_id", "events", ["level", "id"], "level != 'info'")


def _create_partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=text(where), postgresql_where=text(where))


def _name_all() -> None:
    conn, last = op.get_bind(), 0
    while True:
        rows = conn.exec_driver_sql(
            "SELECT id, COALESCE(origin_path, path) FROM assets WHERE id > ? ORDER BY id LIMIT ?", (last, SLICE)
        ).all()
        if not rows:
            return
        conn.exec_driver_sql("UPDATE assets SET name = ? WHERE id = ?", [(_name(row[1]), row[0]) for row in rows])
        last = rows[-1][0]


def _name(path: bytes) -> bytes:
    """As app/db/names.py makes it; written out here because a migration never changes again."""
    name = path.rpartition(b"/")[2]
    if name.isascii():
        return name.lower()
    folded = unicodedata.normalize("NFC", name.decode("utf-8", "surrogateescape")).casefold()
    return unicodedata.normalize("NFC", folded).encode("utf-8", "surrogateescape")
