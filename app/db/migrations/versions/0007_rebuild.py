"""What a rebuild works with: every file that it saw on disk, and every entry of every manifest.

Revision ID: 0007
Revises: 0004
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Integer, LargeBinary, Text, UniqueConstraint, text

revision = "0007"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make these tables and their indexes."""
    _create_files()
    _create_entries()


def _create_files() -> None:
    op.create_table(
        "rebuild_files",
        Column("id", Integer, primary_key=True),
        Column("root_id", Integer, nullable=False),
        Column("path", LargeBinary, nullable=False),
        Column("area", Text, nullable=False),
        Column("group_name", LargeBinary, nullable=False),
        Column("size_bytes", BigInteger, nullable=False),
        Column("mtime_ns", BigInteger, nullable=False),
        Column("ctime_ns", BigInteger, nullable=False),
        Column("device", BigInteger, nullable=False),
        Column("inode", BigInteger, nullable=False),
        Column("digest", Text),
        Column("digest_algorithm", Text),
        Column("sha256", Text),
        Column("seen", Integer, nullable=False),
        Column("asset_id", Integer),
        Column("finding", Text),
        Column("note", Text),
        UniqueConstraint("root_id", "path", name="uq_rebuild_files_place"),
        ForeignKeyConstraint(["root_id"], ["roots.id"]),
    )
    op.create_index("ix_rebuild_files_asset_id", "rebuild_files", ["asset_id"])
    op.create_index("ix_rebuild_files_sha256", "rebuild_files", ["sha256"])
    _create_partial("ix_rebuild_files_finding", "rebuild_files", ["finding", "id"], "finding IS NOT NULL")


def _create_entries() -> None:
    op.create_table(
        "rebuild_entries",
        Column("id", Integer, primary_key=True),
        Column("batch_id", Integer, nullable=False),
        Column("asset_id", Integer, nullable=False),
        Column("path", LargeBinary, nullable=False),
        Column("size_bytes", BigInteger, nullable=False),
        Column("sha256", Text, nullable=False),
        Column("digest", Text, nullable=False),
        Column("digest_algorithm", Text, nullable=False),
        Column("origin", LargeBinary, nullable=False),
        Column("group_key", Integer),
        Column("taken_at", Text),
        Column("taken_local", Text),
        Column("taken_from", Text),
        Column("found_asset_id", Integer),
        Column("note", Text),
    )
    op.create_index("ix_rebuild_entries_batch_id", "rebuild_entries", ["batch_id"])
    op.create_index("ix_rebuild_entries_sha256", "rebuild_entries", ["sha256"])
    _create_partial("ix_rebuild_entries_lost", "rebuild_entries", ["id"], "note IS NOT NULL")


def _create_partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=text(where), postgresql_where=text(where))
