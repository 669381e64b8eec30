"""Sidecars with decided dates, and decisions that are still to be written beside the archive: all of them at first.

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, Integer, Text, text

revision = "0019"
down_revision: str | None = "0018"
branch_labels: str | None = None
depends_on: str | None = None

COLUMNS = "sha256, action, text, zone, decided_by, decided_at"


def upgrade() -> None:
    """Make both tables, and note every decision that stands."""
    op.create_table(
        "decision_notes",
        Column("id", Integer, primary_key=True),
        Column("sha256", Text, nullable=False),
        Column("action", Text, nullable=False),
        Column("text", Text, nullable=False),
        Column("zone", Text, nullable=False),
        Column("decided_by", Text, nullable=False),
        Column("decided_at", Text, nullable=False),
    )
    op.create_table(
        "date_sidecars",
        Column("asset_id", Integer, primary_key=True),
        Column("sidecar_id", Integer),
        Column("sha256", Text),
        Column("due_at", Text),
        Column("note", Text),
        ForeignKeyConstraint(["asset_id"], ["assets.id"]),
        ForeignKeyConstraint(["sidecar_id"], ["assets.id"]),
    )
    due = text("due_at IS NOT NULL")
    op.create_index("ix_date_sidecars_due", "date_sidecars", ["due_at"], sqlite_where=due, postgresql_where=due)
    op.create_index("ix_date_sidecars_sidecar", "date_sidecars", ["sidecar_id"])
    op.get_bind().exec_driver_sql(
        f"INSERT INTO decision_notes ({COLUMNS}) SELECT {COLUMNS} FROM date_decisions WHERE sha256 IS NOT NULL"
    )
