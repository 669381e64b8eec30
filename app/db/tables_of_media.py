"""The tables of media: roots, groups, batches, assets, where files are and were, and what was proven."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from app.db.partial_index import partial_index

metadata = MetaData()

roots = Table(
    "roots",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("label", Text, nullable=False, server_default=""),
    Column("path", LargeBinary, nullable=False),
    Column("marker_id", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    UniqueConstraint("kind", "path", name="uq_roots_kind_path"),
)

groups = Table(
    "groups",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("root_id", Integer, ForeignKey("roots.id"), nullable=False),
    Column("folder", LargeBinary, nullable=False),
    Column("stem", LargeBinary, nullable=False),
    UniqueConstraint("root_id", "folder", "stem", name="uq_groups_place"),
)

batches = Table(
    "batches",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("status", Text, nullable=False, index=True),
    Column("file_count", Integer, nullable=False, server_default="0"),
    Column("size_bytes", BigInteger, nullable=False, server_default="0"),
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
    Column("confirmed_count", Integer, nullable=False, server_default="0"),
    Column("confirmed_bytes", BigInteger, nullable=False, server_default="0"),
    Column("sync_detail", Text),
    Column("next_look_at", Text),
    Column("error", Text),
    Column("error_from", Text),
    Column("manifest_path", LargeBinary),
    Column("run_id", Integer),
    Column("returns_as", Text),
    Column("undone_at", Text),
    Column("hold", Text),
)

assets = Table(
    "assets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("root_id", Integer, ForeignKey("roots.id"), nullable=False),
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
    Column("original_id", Integer, ForeignKey("assets.id")),
    Column("group_id", Integer, ForeignKey("groups.id"), index=True),
    Column("batch_id", Integer, ForeignKey("batches.id")),
    Column("taken_at", Text),
    Column("taken_local", Text),
    Column("taken_from", Text),
    Column("content_identifier", Text),
    Column("inspected_at", Text),
    Column("origin_root_id", Integer, ForeignKey("roots.id")),
    Column("origin_path", LargeBinary),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("reason", Text),
    Column("first_seen_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    Column("verified_at", Text),
    Column("name", LargeBinary),
    Index("ix_assets_status_id", "status", "id"),
    Index("ix_assets_name", "name", "id"),
    Index("ix_assets_origin", "origin_root_id", "origin_path", "id"),
    partial_index("ix_assets_taken", "taken_local", "id", where="taken_local IS NOT NULL"),
    partial_index("ix_assets_sha256", "sha256", where="sha256 IS NOT NULL"),
    partial_index("ix_assets_content_identifier", "content_identifier", where="content_identifier IS NOT NULL"),
    partial_index("ix_assets_batch_id", "batch_id", where="batch_id IS NOT NULL"),
    partial_index("ix_assets_digest", "digest", where="digest IS NOT NULL"),
    Index("ix_assets_ends", "size_bytes", "head_digest"),
    partial_index("ix_assets_original", "original_id", where="original_id IS NOT NULL"),
    partial_index("uq_assets_place", "root_id", "path", unique=True, where="status != 'gone'"),
    partial_index("ix_assets_verified", "root_id", "verified_at", "id", "status", where="status != 'gone'"),
)

#: Only files that are called otherwise than when they came; `assets.name` is the name that they came with.
present_names = Table(
    "present_names",
    metadata,
    Column("asset_id", Integer, ForeignKey("assets.id"), primary_key=True),
    Column("name", LargeBinary, nullable=False),
    Index("ix_present_names_name", "name", "asset_id"),
)

kept_copies = Table(
    "kept_copies",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("asset_id", Integer, ForeignKey("assets.id"), nullable=False, index=True),
    Column("root_id", Integer, ForeignKey("roots.id"), nullable=False),
    Column("path", LargeBinary, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("ctime_ns", BigInteger, nullable=False),
    Column("device", BigInteger, nullable=False),
    Column("inode", BigInteger, nullable=False),
    Column("verified_at", Text),
    UniqueConstraint("root_id", "path", name="uq_kept_copies_place"),
)

left_in_place = Table(
    "left_in_place",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("root_id", Integer, ForeignKey("roots.id"), nullable=False),
    Column("path", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("seen_at", Text, nullable=False),
    UniqueConstraint("root_id", "path", name="uq_left_in_place"),
)

made_folders = Table(
    "made_folders",
    metadata,
    Column("root_id", Integer, ForeignKey("roots.id"), primary_key=True),
    Column("path", LargeBinary, primary_key=True),
)

moves = Table(
    "moves",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("run_id", Integer),
    Column("batch_id", Integer, ForeignKey("batches.id"), index=True),
    Column("asset_id", Integer, ForeignKey("assets.id"), index=True),
    Column("is_directory", Boolean, nullable=False, server_default="0"),
    Column("keep_source", Boolean, nullable=False, server_default="0"),
    Column("places_asset", Boolean, nullable=False, server_default="1"),
    Column("src_root_id", Integer, ForeignKey("roots.id"), nullable=False),
    Column("src_path", LargeBinary, nullable=False),
    Column("dst_root_id", Integer, ForeignKey("roots.id"), nullable=False),
    Column("dst_path", LargeBinary, nullable=False),
    Column("tmp_name", LargeBinary),
    Column("trash_root_id", Integer),
    Column("trash_path", LargeBinary),
    Column("trashed_at", Text),
    Column("trash_dropped_at", Text),
    Column("digest", Text),
    Column("digest_algorithm", Text),
    Column("size_bytes", BigInteger, nullable=False, server_default="0"),
    Column("src_device", BigInteger),
    Column("src_inode", BigInteger),
    Column("src_mtime_ns", BigInteger),
    Column("dst_inode", BigInteger),
    Column("method", Text),
    Column("status_after", Text),
    Column("attempt", Integer, nullable=False, server_default="1"),
    Column("boot_id", Text),
    Column("note", Text),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    partial_index("ix_moves_state", "state", where="state NOT IN ('DONE', 'ABORTED')"),
    partial_index("ix_moves_trash", "trashed_at", where="trashed_at IS NOT NULL AND trash_dropped_at IS NULL"),
    partial_index("uq_moves_open_src", "src_root_id", "src_path", unique=True, where="state IN ('PLANNED', 'PLACED')"),
    partial_index("uq_moves_open_dst", "dst_root_id", "dst_path", unique=True, where="state IN ('PLANNED', 'PLACED')"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("asset_id", Integer, ForeignKey("assets.id"), primary_key=True),
    Column("device_id", Text, primary_key=True),
    Column("batch_id", Integer, ForeignKey("batches.id"), nullable=False, index=True),
    Column("confirmed_at", Text, nullable=False),
    Column("version", Text),
    Column("released_at", Text),
)

#: Which devices must have a batch, and what the last look found of each; rows of Syncthing's devices only.
batch_devices = Table(
    "batch_devices",
    metadata,
    Column("batch_id", Integer, ForeignKey("batches.id"), primary_key=True),
    Column("device_id", Text, primary_key=True),
    Column("name", Text, nullable=False, server_default=""),
    Column("added_at", Text, nullable=False),
    Column("looked_at", Text),
    Column("connected", Boolean),
    Column("last_seen_at", Text),
    Column("code", Text),
    Column("words", Text),
    Column("need_items", Integer),
    Column("need_bytes", BigInteger),
)

#: Why a file is not proven at a device, where that is more than "not yet"; device "" means at none.
delivery_obstacles = Table(
    "delivery_obstacles",
    metadata,
    Column("asset_id", Integer, ForeignKey("assets.id"), primary_key=True),
    Column("device_id", Text, primary_key=True),
    Column("batch_id", Integer, ForeignKey("batches.id"), nullable=False, index=True),
    Column("code", Text, nullable=False),
    Column("words", Text),
    Column("found_at", Text, nullable=False),
)
