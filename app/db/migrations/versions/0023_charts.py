"""What was done when, and how full the disks were, for the charts of the dashboard.

Revision ID: 0023
Revises: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision: str | None = "0022"
branch_labels: str | None = None
depends_on: str | None = None

#: The quarter of an hour of an instant, as text.
SLOT = (
    "substr({at}, 1, 14) || CASE WHEN substr({at}, 15, 2) < '15' THEN '00' WHEN substr({at}, 15, 2) < '30' THEN '15' "
    "WHEN substr({at}, 15, 2) < '45' THEN '30' ELSE '45' END"
)
#: What is known of the time before: when each file was first seen; deliveries and the archive by whole batches.
SEEN = (
    "INSERT INTO activity (at, what, file_count, size_bytes) SELECT " + SLOT.format(at="first_seen_at") + ", 'seen', "
    "COUNT(*), SUM(size_bytes) FROM assets GROUP BY 1"
)
BATCHES = (
    "INSERT INTO activity (at, what, file_count, size_bytes) SELECT {slot}, '{what}', SUM(file_count), SUM(size_bytes) "
    "FROM batches WHERE {at} IS NOT NULL AND status <> 'CANCELLED' AND file_count > 0 GROUP BY 1"
)


def upgrade() -> None:
    """Make the tables, and fill the first one as far as rows tell."""
    op.create_table(
        "activity",
        sa.Column("at", sa.Text, primary_key=True),
        sa.Column("what", sa.Text, primary_key=True),
        sa.Column("file_count", sa.BigInteger, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "room_samples",
        sa.Column("root_id", sa.Integer, sa.ForeignKey("roots.id"), primary_key=True),
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("free_bytes", sa.BigInteger, nullable=False),
        sa.Column("total_bytes", sa.BigInteger, nullable=False),
        sa.Column("own_files", sa.BigInteger, nullable=False),
        sa.Column("own_bytes", sa.BigInteger, nullable=False),
    )
    conn = op.get_bind()
    conn.exec_driver_sql(SEEN)
    for what, at in (("delivered", "synced_at"), ("archived", "sorted_at")):
        conn.exec_driver_sql(BATCHES.format(slot=SLOT.format(at=at), what=what, at=at))
