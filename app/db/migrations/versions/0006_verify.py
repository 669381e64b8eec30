"""What verification needs: which file was not verified for longest, when a copy was, and what is known of a finding.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Text, text

revision = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make these columns and indexes."""
    op.add_column("kept_copies", Column("verified_at", Text))
    for name in ("device", "inode", "mtime_ns", "ctime_ns"):
        op.add_column("findings", Column(name, BigInteger))
    for name in ("digest", "digest_algorithm", "sha256"):
        op.add_column("findings", Column(name, Text))
    op.add_column("findings", Column("new_root_id", Integer))
    op.add_column("findings", Column("new_path", LargeBinary))
    op.add_column("findings", Column("told_as", Text))
    op.create_index("ix_findings_kind_id", "findings", ["kind", "id"])
    op.create_index("ix_findings_run_id", "findings", ["run_id", "id"])
    op.create_index("ix_findings_size", "findings", ["size_bytes"])
    _create_partial("ix_findings_sha256", "findings", ["sha256"], "sha256 IS NOT NULL")
    _create_partial("ix_assets_verified", "assets", ["root_id", "verified_at", "id", "status"], "status != 'gone'")


def _create_partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=text(where), postgresql_where=text(where))
