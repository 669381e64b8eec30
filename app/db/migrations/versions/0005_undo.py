"""What taking a batch back needs: what its files become, when that ended, and which folders were made for files.

Revision ID: 0005
Revises: 0007
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, Integer, LargeBinary, PrimaryKeyConstraint, Text

revision = "0005"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make these columns and this table."""
    op.add_column("batches", Column("returns_as", Text))
    op.add_column("batches", Column("undone_at", Text))
    op.create_table(
        "made_folders",
        Column("root_id", Integer, nullable=False),
        Column("path", LargeBinary, nullable=False),
        PrimaryKeyConstraint("root_id", "path"),
        ForeignKeyConstraint(["root_id"], ["roots.id"]),
    )
