"""When a peer released a file, and how well a batch is protected from what a peer does.

Revision ID: 0010
Revises: 0011
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0010"
down_revision: str | None = "0011"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add these columns."""
    op.add_column("deliveries", Column("released_at", Text))
    op.add_column("batches", Column("hold", Text))
