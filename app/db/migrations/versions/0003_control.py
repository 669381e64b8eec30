"""What previews, verifications and repeated requests need: arguments of runs, findings, known digests, keys.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)

revision = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make these columns and tables."""
    op.add_column("runs", Column("arguments", Text, server_default="{}", nullable=False))
    op.add_column("assets", Column("verified_at", Text))
    _create_findings()
    _create_known_digests()
    _create_idempotency_keys()


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
        UniqueConstraint("root_id", "path", name="uq_findings_place"),
        ForeignKeyConstraint(["asset_id"], ["assets.id"]),
        ForeignKeyConstraint(["root_id"], ["roots.id"]),
    )
    op.create_index("ix_findings_asset_id", "findings", ["asset_id"])


def _create_known_digests() -> None:
    op.create_table(
        "known_digests",
        Column("device", BigInteger, nullable=False),
        Column("inode", BigInteger, nullable=False),
        Column("size_bytes", BigInteger, nullable=False),
        Column("mtime_ns", BigInteger, nullable=False),
        Column("ctime_ns", BigInteger, nullable=False),
        Column("digest", Text, nullable=False),
        Column("digest_algorithm", Text, nullable=False),
        Column("sha256", Text, nullable=False),
        Column("noted_at", Text, nullable=False),
        PrimaryKeyConstraint("device", "inode"),
    )


def _create_idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        Column("key", Text, nullable=False),
        Column("request", Text, nullable=False),
        Column("status", Integer),
        Column("answer", Text),
        Column("at", Text, nullable=False),
        PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_idempotency_keys_at", "idempotency_keys", ["at"])
