"""Decisions about dates by the instant at which they were made: they are listed newest first.

Revision ID: 0021
Revises: 0020
"""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision: str | None = "0020"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_date_decisions_decided_at", "date_decisions", ["decided_at"])
