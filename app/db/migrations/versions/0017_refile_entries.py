"""What plans for filing the archive anew say, and what became of it.

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Text

revision = "0017"
down_revision: str | None = "0016"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "refile_entries",
        Column("run_id", Integer, primary_key=True),
        Column("asset_id", Integer, primary_key=True),
        Column("group_key", Integer, nullable=False),
        Column("size_bytes", BigInteger, nullable=False),
        Column("from_folder", LargeBinary, nullable=False),
        Column("from_path", LargeBinary, nullable=False),
        Column("to_folder", LargeBinary),
        Column("to_path", LargeBinary),
        Column("suffixed", Integer, nullable=False),
        Column("status_after", Text),
        Column("state", Text, nullable=False),
        Column("reason", Text),
    )
    op.create_index("ix_refile_entries_from", "refile_entries", ["run_id", "from_path"])
    op.create_index("ix_refile_entries_to", "refile_entries", ["run_id", "to_path"])
