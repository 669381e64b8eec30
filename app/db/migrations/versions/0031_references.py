"""What lies in reference folders, and which duplicates lean on it.

Revision ID: 0031
Revises: 0030
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Integer, LargeBinary, Text

revision = "0031"
down_revision: str | None = "0030"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "reference_files",
        Column("id", Integer, primary_key=True),
        Column("root_id", Integer, nullable=False),
        Column("path", LargeBinary, nullable=False),
        Column("size_bytes", BigInteger, nullable=False),
        Column("mtime_ns", BigInteger, nullable=False),
        Column("ctime_ns", BigInteger, nullable=False),
        Column("device", BigInteger, nullable=False),
        Column("inode", BigInteger, nullable=False),
        Column("head_digest", Text),
        Column("digest", Text),
        Column("digest_algorithm", Text),
        Column("sha256", Text),
        ForeignKeyConstraint(["root_id"], ["roots.id"]),
    )
    op.create_index("uq_reference_files_place", "reference_files", ["root_id", "path"], unique=True)
    op.create_index("ix_reference_files_ends", "reference_files", ["size_bytes", "head_digest"])
    op.create_index("ix_reference_files_sha256", "reference_files", ["sha256"])
    op.create_table(
        "reference_labels",
        Column("asset_id", Integer, primary_key=True),
        Column("reference_id", Integer, nullable=False),
        ForeignKeyConstraint(["asset_id"], ["assets.id"]),
    )
    op.create_index("ix_reference_labels_reference_id", "reference_labels", ["reference_id"])
