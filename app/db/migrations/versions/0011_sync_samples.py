"""How far a delivery was at a peer, moment by moment.

Revision ID: 0011
Revises: 0014
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Float, Integer, Text

revision = "0011"
down_revision: str | None = "0014"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make the table and its indexes."""
    op.create_table(
        "sync_samples",
        Column("id", Integer, primary_key=True),
        Column("batch_id", Integer, nullable=False),
        Column("device_id", Text, nullable=False),
        Column("at", Text, nullable=False),
        Column("confirmed_files", BigInteger, nullable=False),
        Column("confirmed_bytes", BigInteger, nullable=False),
        Column("need_items", BigInteger),
        Column("need_bytes", BigInteger),
        Column("rate", Float),
        Column("connected", Integer),
    )
    op.create_index("ix_sync_samples_batch", "sync_samples", ["batch_id", "device_id", "id"])
    op.create_index("ix_sync_samples_at", "sync_samples", ["at"])
