"""Files are told apart by size and both ends before any is read whole: an index of the two.

Revision ID: 0030
Revises: 0024
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0030"
down_revision: str | None = "0024"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """One index in place of that of sizes; what a preview read keeps its head digest too."""
    op.drop_index("ix_assets_size", "assets")
    op.create_index("ix_assets_ends", "assets", ["size_bytes", "head_digest"])
    op.add_column("known_digests", Column("head_digest", Text))
