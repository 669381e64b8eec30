"""What people decided about dates, and doubtful dates of before 0015 among those that are listed.

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, Integer, Text

revision = "0016"
down_revision: str | None = "0015"
branch_labels: str | None = None
depends_on: str | None = None

#: Files that have no date of their own to doubt.
SIDECARS = tuple(f"%.{ending}" for ending in ("xmp", "aae", "thm", "json", "lrv", "srt"))
DOUBTFUL = (
    "INSERT INTO capture_records (asset_id, candidates, confidence) SELECT id, '[]', 'weak' FROM assets "
    "WHERE taken_from IN ('mtime', 'folder', 'exif_modified') "
    "AND NOT EXISTS (SELECT 1 FROM capture_records WHERE asset_id = assets.id)"
    + " AND CAST(path AS TEXT) NOT LIKE ?" * len(SIDECARS)
)


def upgrade() -> None:
    """Make the table, and note every doubtful date of which nothing is noted yet."""
    op.create_table(
        "date_decisions",
        Column("asset_id", Integer, primary_key=True),
        Column("action", Text, nullable=False),
        Column("text", Text, nullable=False),
        Column("zone", Text, nullable=False),
        Column("sha256", Text),
        Column("decided_by", Text, nullable=False),
        Column("decided_at", Text, nullable=False),
        ForeignKeyConstraint(["asset_id"], ["assets.id"]),
    )
    op.get_bind().exec_driver_sql(DOUBTFUL, SIDECARS)
