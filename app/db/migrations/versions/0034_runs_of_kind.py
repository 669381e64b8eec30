"""The newest run of a kind is found without a look at every run since: an index on runs by kind.

Revision ID: 0034
Revises: 0033
"""

from __future__ import annotations

from alembic import op

revision = "0034"
down_revision: str | None = "0033"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make it."""
    op.create_index("ix_runs_kind_id", "runs", ["kind", "id"])
