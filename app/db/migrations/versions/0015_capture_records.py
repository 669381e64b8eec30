"""What every file said of its date and its camera, and how sure its date is.

Revision ID: 0015
Revises: 0009
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, Integer, Text, text

revision = "0015"
down_revision: str | None = "0009"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make the table; files that were dated before have no row in it."""
    op.create_table(
        "capture_records",
        Column("asset_id", Integer, primary_key=True),
        Column("candidates", Text, nullable=False),
        Column("camera_make", Text),
        Column("camera_model", Text),
        Column("confidence", Text, nullable=False),
        ForeignKeyConstraint(["asset_id"], ["assets.id"]),
    )
    weak = text("confidence = 'weak'")
    op.create_index("ix_capture_records_weak", "capture_records", ["asset_id"], sqlite_where=weak,
                    postgresql_where=weak)
