"""Which devices must have a batch, what the last look found of each, and why a file is not proven at one.

Revision ID: 0009
Revises: 0010
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Text

revision = "0009"
down_revision: str | None = "0010"
branch_labels: str | None = None
depends_on: str | None = None

#: Until now a batch had one device, in its own row.
FILL = """
INSERT INTO batch_devices (batch_id, device_id, added_at)
SELECT id, device_id, COALESCE(published_at, created_at) FROM batches
WHERE target = 'syncthing' AND COALESCE(device_id, '') <> '' AND published_at IS NOT NULL
"""


def upgrade() -> None:
    """Create both tables and fill the first from what is known."""
    op.create_table(
        "batch_devices",
        Column("batch_id", Integer, nullable=False),
        Column("device_id", Text, nullable=False),
        Column("name", Text, nullable=False, server_default=""),
        Column("added_at", Text, nullable=False),
        Column("looked_at", Text),
        Column("connected", Boolean),
        Column("last_seen_at", Text),
        Column("code", Text),
        Column("words", Text),
        Column("need_items", Integer),
        Column("need_bytes", BigInteger),
        PrimaryKeyConstraint("batch_id", "device_id"),
        ForeignKeyConstraint(["batch_id"], ["batches.id"]),
    )
    op.create_table(
        "delivery_obstacles",
        Column("asset_id", Integer, nullable=False),
        Column("device_id", Text, nullable=False),
        Column("batch_id", Integer, nullable=False),
        Column("code", Text, nullable=False),
        Column("words", Text),
        Column("found_at", Text, nullable=False),
        PrimaryKeyConstraint("asset_id", "device_id"),
        ForeignKeyConstraint(["asset_id"], ["assets.id"]),
        ForeignKeyConstraint(["batch_id"], ["batches.id"]),
    )
    op.create_index("ix_delivery_obstacles_batch_id", "delivery_obstacles", ["batch_id"])
    op.execute(FILL)
