"""The tables of files: roots, assets, groups, batches and moves.

Revision ID: 0001
Revises: nothing
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make these tables."""
    _create_roots()
    _create_groups()
    _create_batches()
    _create_assets()
    _create_kept_copies()
    _create_moves()
    _create_facts()


def _create_roots() -> None:
    op.create_table(
        "roots",
        Column("id", Integer, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("label", Text, server_default="", nullable=False),
        Column("path", LargeBinary, nullable=False),
        Column("marker_id", Text, nullable=False),
        Column("created_at", Text, nullable=False),
        UniqueConstraint("kind", "path", name="uq_roots_kind_path"),
    )


def _create_groups() -> None:
    op.create_table(
        "groups",
        Column("id", Integer, primary_key=True),
        Column("root_id", Integer, nullable=False),
        Column("folder", LargeBinary, nullable=False),
        Column("stem", LargeBinary, nullable=False),
        ForeignKeyConstraint(
            ["root_id"],
            ["roots.id"],
        ),
        UniqueConstraint("root_id", "folder", "stem", name="uq_groups_place"),
    )


def _create_batches() -> None:
    op.create_table(
        "batches",
        Column("id", Integer, primary_key=True),
        Column("name", Text, nullable=False),
        Column("status", Text, nullable=False),
        Column("file_count", Integer, server_default="0", nullable=False),
        Column("size_bytes", BigInteger, server_default="0", nullable=False),
        Column("target", Text, nullable=False),
        Column("transfer_mode", Text, nullable=False),
        Column("peer_policy", Text, nullable=False),
        Column("device_id", Text),
        Column("created_at", Text, nullable=False),
        Column("published_at", Text),
        Column("syncing_at", Text),
        Column("synced_at", Text),
        Column("released_at", Text),
        Column("sorted_at", Text),
        Column("cleaned_at", Text),
        Column("confirmed_count", Integer, server_default="0", nullable=False),
        Column("confirmed_bytes", BigInteger, server_default="0", nullable=False),
        Column("sync_detail", Text),
        Column("next_look_at", Text),
        Column("error", Text),
        Column("error_from", Text),
        Column("manifest_path", LargeBinary),
        Column("run_id", Integer),
        UniqueConstraint("name"),
    )
    op.create_index("ix_batches_status", "batches", ["status"])


def _create_assets() -> None:
    op.create_table(
        "assets",
        Column("id", Integer, primary_key=True),
        Column("root_id", Integer, nullable=False),
        Column("path", LargeBinary, nullable=False),
        Column("status", Text, nullable=False),
        Column("size_bytes", BigInteger, nullable=False),
        Column("mtime_ns", BigInteger, nullable=False),
        Column("ctime_ns", BigInteger, nullable=False),
        Column("device", BigInteger, nullable=False),
        Column("inode", BigInteger, nullable=False),
        Column("digest", Text),
        Column("digest_algorithm", Text),
        Column("sha256", Text),
        Column("head_digest", Text),
        Column("original_id", Integer),
        Column("group_id", Integer),
        Column("batch_id", Integer),
        Column("taken_at", Text),
        Column("taken_local", Text),
        Column("taken_from", Text),
        Column("content_identifier", Text),
        Column("inspected_at", Text),
        Column("origin_root_id", Integer),
        Column("origin_path", LargeBinary),
        Column("attempts", Integer, server_default="0", nullable=False),
        Column("reason", Text),
        Column("first_seen_at", Text, nullable=False),
        Column("updated_at", Text, nullable=False),
        ForeignKeyConstraint(
            ["batch_id"],
            ["batches.id"],
        ),
        ForeignKeyConstraint(
            ["group_id"],
            ["groups.id"],
        ),
        ForeignKeyConstraint(
            ["origin_root_id"],
            ["roots.id"],
        ),
        ForeignKeyConstraint(
            ["original_id"],
            ["assets.id"],
        ),
        ForeignKeyConstraint(
            ["root_id"],
            ["roots.id"],
        ),
    )
    op.create_index("ix_assets_batch_id", "assets", ["batch_id"])
    op.create_index("ix_assets_digest", "assets", ["digest"])
    op.create_index("ix_assets_group_id", "assets", ["group_id"])
    op.create_index("ix_assets_original", "assets", ["original_id"])
    op.create_index("ix_assets_size", "assets", ["size_bytes"])
    op.create_index("ix_assets_status_id", "assets", ["status", "id"])
    op.create_index(
        "uq_assets_place",
        "assets",
        ["root_id", "path"],
        unique=True,
        sqlite_where=text("status != 'gone'"),
        postgresql_where=text("status != 'gone'"),
    )


def _create_kept_copies() -> None:
    op.create_table(
        "kept_copies",
        Column("id", Integer, primary_key=True),
        Column("asset_id", Integer, nullable=False),
        Column("root_id", Integer, nullable=False),
        Column("path", LargeBinary, nullable=False),
        Column("size_bytes", BigInteger, nullable=False),
        Column("mtime_ns", BigInteger, nullable=False),
        Column("ctime_ns", BigInteger, nullable=False),
        Column("device", BigInteger, nullable=False),
        Column("inode", BigInteger, nullable=False),
        ForeignKeyConstraint(
            ["asset_id"],
            ["assets.id"],
        ),
        ForeignKeyConstraint(
            ["root_id"],
            ["roots.id"],
        ),
        UniqueConstraint("root_id", "path", name="uq_kept_copies_place"),
    )
    op.create_index("ix_kept_copies_asset_id", "kept_copies", ["asset_id"])


def _create_moves() -> None:
    op.create_table(
        "moves",
        Column("id", Integer, primary_key=True),
        Column("purpose", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("run_id", Integer),
        Column("batch_id", Integer),
        Column("asset_id", Integer),
        Column("is_directory", Boolean, server_default="0", nullable=False),
        Column("keep_source", Boolean, server_default="0", nullable=False),
        Column("places_asset", Boolean, server_default="1", nullable=False),
        Column("src_root_id", Integer, nullable=False),
        Column("src_path", LargeBinary, nullable=False),
        Column("dst_root_id", Integer, nullable=False),
        Column("dst_path", LargeBinary, nullable=False),
        Column("tmp_name", LargeBinary),
        Column("trash_root_id", Integer),
        Column("trash_path", LargeBinary),
        Column("trashed_at", Text),
        Column("trash_dropped_at", Text),
        Column("digest", Text),
        Column("digest_algorithm", Text),
        Column("size_bytes", BigInteger, server_default="0", nullable=False),
        Column("src_device", BigInteger),
        Column("src_inode", BigInteger),
        Column("src_mtime_ns", BigInteger),
        Column("dst_inode", BigInteger),
        Column("method", Text),
        Column("status_after", Text),
        Column("attempt", Integer, server_default="1", nullable=False),
        Column("boot_id", Text),
        Column("note", Text),
        Column("created_at", Text, nullable=False),
        Column("updated_at", Text, nullable=False),
        ForeignKeyConstraint(
            ["asset_id"],
            ["assets.id"],
        ),
        ForeignKeyConstraint(
            ["batch_id"],
            ["batches.id"],
        ),
        ForeignKeyConstraint(
            ["dst_root_id"],
            ["roots.id"],
        ),
        ForeignKeyConstraint(
            ["src_root_id"],
            ["roots.id"],
        ),
    )
    op.create_index("ix_moves_asset_id", "moves", ["asset_id"])
    op.create_index("ix_moves_batch_id", "moves", ["batch_id"])
    op.create_index(
        "ix_moves_state",
        "moves",
        ["state"],
        sqlite_where=text("state NOT IN ('DONE', 'ABORTED')"),
        postgresql_where=text("state NOT IN ('DONE', 'ABORTED')"),
    )
    op.create_index(
        "ix_moves_trash",
        "moves",
        ["trashed_at"],
        sqlite_where=text("trashed_at IS NOT NULL AND trash_dropped_at IS NULL"),
        postgresql_where=text("trashed_at IS NOT NULL AND trash_dropped_at IS NULL"),
    )
    op.create_index(
        "uq_moves_open_dst",
        "moves",
        ["dst_root_id", "dst_path"],
        unique=True,
        sqlite_where=text("state IN ('PLANNED', 'PLACED')"),
        postgresql_where=text("state IN ('PLANNED', 'PLACED')"),
    )
    op.create_index(
        "uq_moves_open_src",
        "moves",
        ["src_root_id", "src_path"],
        unique=True,
        sqlite_where=text("state IN ('PLANNED', 'PLACED')"),
        postgresql_where=text("state IN ('PLANNED', 'PLACED')"),
    )


def _create_facts() -> None:
    op.create_table(
        "facts",
        Column("name", Text, nullable=False),
        Column("value", Text, nullable=False),
        PrimaryKeyConstraint("name"),
    )
