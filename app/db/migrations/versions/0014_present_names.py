"""The names of files that are called otherwise than when they came.

Revision ID: 0014
Revises: 0008
"""

from __future__ import annotations

import unicodedata

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, Integer, LargeBinary

revision = "0014"
down_revision: str | None = "0008"
branch_labels: str | None = None
depends_on: str | None = None

#: Rows looked through at once.
SLICE = 5_000


def upgrade() -> None:
    """Make the table, then write into it every file that has got another name since it came."""
    op.create_table(
        "present_names",
        Column("asset_id", Integer, primary_key=True),
        Column("name", LargeBinary, nullable=False),
        ForeignKeyConstraint(["asset_id"], ["assets.id"]),
    )
    _name_all()
    op.create_index("ix_present_names_name", "present_names", ["name", "asset_id"])


def _name_all() -> None:
    conn, last = op.get_bind(), 0
    while True:
        rows = conn.exec_driver_sql(
            "SELECT id, path, name FROM assets WHERE id > ? ORDER BY id LIMIT ?", (last, SLICE)
        ).all()
        if not rows:
            return
        renamed = [(row[0], name) for row in rows if (name := _name(row[1])) != row[2]]
        if renamed:
            conn.exec_driver_sql("INSERT INTO present_names (asset_id, name) VALUES (?, ?)", renamed)
        last = rows[-1][0]


def _name(path: bytes) -> bytes:
    """As app/db/names.py makes it; written out here because a migration never changes again."""
    name = path.rpartition(b"/")[2]
    if name.isascii():
        return name.lower()
    folded = unicodedata.normalize("NFC", name.decode("utf-8", "surrogateescape")).casefold()
    return unicodedata.normalize("NFC", folded).encode("utf-8", "surrogateescape")
