"""The id of a finding that was settled never comes back: a late word about it must not hit another file.

Revision ID: 0008
Revises: 0006
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Integer, LargeBinary, Text, UniqueConstraint, text

revision = "0008"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None

COLUMNS = (
    "id, run_id, kind, asset_id, root_id, path, size_bytes, reason, found_at, device, inode, mtime_ns, ctime_ns, "
    "digest, digest_algorithm, sha256, new_root_id, new_path, told_as"
)


def upgrade() -> None:
    """Make the table anew, as SQLite gives no table this promise later, with every row that it has."""
    # The new table under its own name from the start: renamed, its text in the schema would be another one.
    op.rename_table("findings", "findings_before")
    _create_findings()
    op.execute(f"INSERT INTO findings ({COLUMNS}) SELECT {COLUMNS} FROM findings_before")
    op.drop_table("findings_before")
    _create_indexes()


def _create_findings() -> None:
    op.create_table(
        "findings",
        Column("id", Integer, primary_key=True),
        Column("run_id", Integer, nullable=False),
        Column("kind", Text, nullable=False),
        Column("asset_id", Integer),
        Column("root_id", Integer, nullable=False),
        Column("path", LargeBinary, nullable=False),
        Column("size_bytes", BigInteger),
        Column("reason", Text, nullable=False),
        Column("found_at", Text, nullable=False),
        Column("device", BigInteger),
        Column("inode", BigInteger),
        Column("mtime_ns", BigInteger),
        Column("ctime_ns", BigInteger),
        Column("digest", Text),
        Column("digest_algorithm", Text),
        Column("sha256", Text),
        Column("new_root_id", Integer),
        Column("new_path", LargeBinary),
        Column("told_as", Text),
        UniqueConstraint("root_id", "path", name="uq_findings_place"),
        ForeignKeyConstraint(["asset_id"], ["assets.id"]),
        ForeignKeyConstraint(["root_id"], ["roots.id"]),
        sqlite_autoincrement=True,
    )


def _create_indexes() -> None:
    op.create_index("ix_findings_asset_id", "findings", ["asset_id"])
    op.create_index("ix_findings_kind_id", "findings", ["kind", "id"])
    op.create_index("ix_findings_run_id", "findings", ["run_id", "id"])
    op.create_index("ix_findings_size", "findings", ["size_bytes"])
    known = text("sha256 IS NOT NULL")
    op.create_index("ix_findings_sha256", "findings", ["sha256"], sqlite_where=known, postgresql_where=known)
