"""Decisions about one file that does not belong to the others of its group.

Revision ID: 0022
Revises: 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision: str | None = "0021"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add the column; so far each decision was about a whole group."""
    for table in ("date_decisions", "decision_notes"):
        op.add_column(table, sa.Column("alone", sa.Boolean, nullable=False, server_default="0"))
