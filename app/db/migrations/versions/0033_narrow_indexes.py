"""Indexes of what few files have hold only those: every new file was written into them with nothing.

Revision ID: 0033
Revises: 0032
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0033"
down_revision: str | None = "0032"
branch_labels: str | None = None
depends_on: str | None = None

INDEXES = {
    "ix_assets_batch_id": "batch_id",
    "ix_assets_digest": "digest",
    "ix_assets_original": "original_id",
}


def upgrade() -> None:
    """Make each again."""
    for name, column in INDEXES.items():
        known = text(f"{column} IS NOT NULL")
        op.drop_index(name, "assets")
        op.create_index(name, "assets", [column], sqlite_where=known, postgresql_where=known)
