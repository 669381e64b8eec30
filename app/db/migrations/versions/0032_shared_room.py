"""Which duplicates share the room of their originals on the disk.

Revision ID: 0032
Revises: 0031
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Integer, Text

revision = "0032"
down_revision: str | None = "0031"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "shared_room",
        Column("asset_id", Integer, primary_key=True),
        Column("original_id", Integer, nullable=False),
        Column("sha256", Text, nullable=False),
        Column("size_bytes", BigInteger, nullable=False),
        Column("shared_at", Text, nullable=False),
        ForeignKeyConstraint(["asset_id"], ["assets.id"]),
        ForeignKeyConstraint(["original_id"], ["assets.id"]),
    )
