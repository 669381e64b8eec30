"""Every table, as SQLAlchemy Core sees it. Migrations live in app/db/migrations; this is the newest shape.

Paths are BLOBs (bytes end to end); instants are UTC ISO 8601 text; statuses are the words of app/model/.
"""

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
    text,
)

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
    Column("batch_id", Integer, ForeignKey("batches.id"), index=True),
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
    Index("ix_assets_status_id", "status", "id"),
    Index("ix_assets_digest", "digest"),
    Index("ix_assets_size", "size_bytes"),
    Index("ix_assets_original", "original_id"),
    Index("uq_assets_place", "root_id", "path", unique=True, sqlite_where=text("status != 'gone'"),
          postgresql_where=text("status != 'gone'")),
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
    Index("ix_moves_state", "state", sqlite_where=text("state NOT IN ('DONE', 'ABORTED')"),
          postgresql_where=text("state NOT IN ('DONE', 'ABORTED')")),
    Index("ix_moves_trash", "trashed_at", sqlite_where=text("trashed_at IS NOT NULL AND trash_dropped_at IS NULL"),
          postgresql_where=text("trashed_at IS NOT NULL AND trash_dropped_at IS NULL")),
    Index("uq_moves_open_src", "src_root_id", "src_path", unique=True,
          sqlite_where=text("state IN ('PLANNED', 'PLACED')"),
          postgresql_where=text("state IN ('PLANNED', 'PLACED')")),
    Index("uq_moves_open_dst", "dst_root_id", "dst_path", unique=True,
          sqlite_where=text("state IN ('PLANNED', 'PLACED')"),
          postgresql_where=text("state IN ('PLANNED', 'PLACED')")),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("asset_id", Integer, ForeignKey("assets.id"), primary_key=True),
    Column("device_id", Text, primary_key=True),
    Column("batch_id", Integer, ForeignKey("batches.id"), nullable=False, index=True),
    Column("confirmed_at", Text, nullable=False),
    Column("version", Text),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("stages", Text, nullable=False),
    Column("batch_id", Integer, ForeignKey("batches.id")),
    Column("config_revision", Text),
    Column("requested_at", Text, nullable=False),
    Column("started_at", Text),
    Column("ended_at", Text),
    Column("wish", Text),
    Column("error", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("slot", Integer),
    Column("arguments", Text, nullable=False, server_default="{}"),
    Index("ix_runs_status", "status"),
    Index("uq_runs_slot", "slot", unique=True),
)

steps = Table(
    "steps",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", Integer, ForeignKey("runs.id"), nullable=False, index=True),
    Column("stage", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("batch_id", Integer),
    Column("started_at", Text, nullable=False),
    Column("ended_at", Text),
    Column("report", Text, nullable=False, server_default="{}"),
    Column("progress_done", BigInteger, nullable=False, server_default="0"),
    Column("progress_total", BigInteger, nullable=False, server_default="0"),
    Column("progress_bytes", BigInteger, nullable=False, server_default="0"),
    Column("error", Text),
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("level", Text, nullable=False, server_default="info"),
    Column("message", Text, nullable=False),
    Column("run_id", Integer, index=True),
    Column("batch_id", Integer, index=True),
    Column("asset_id", Integer, index=True),
    Column("detail", Text, nullable=False, server_default="{}"),
)

totals = Table(
    "totals",
    metadata,
    Column("status", Text, primary_key=True),
    Column("file_count", BigInteger, nullable=False, server_default="0"),
    Column("size_bytes", BigInteger, nullable=False, server_default="0"),
)

config_revisions = Table(
    "config_revisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("changed_keys", Text, nullable=False, server_default="[]"),
)

facts = Table(
    "facts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

findings = Table(
    "findings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("asset_id", Integer, ForeignKey("assets.id"), index=True),
    Column("root_id", Integer, ForeignKey("roots.id"), nullable=False),
    Column("path", LargeBinary, nullable=False),
    Column("size_bytes", BigInteger),
    Column("reason", Text, nullable=False),
    Column("found_at", Text, nullable=False),
    UniqueConstraint("root_id", "path", name="uq_findings_place"),
)

known_digests = Table(
    "known_digests",
    metadata,
    Column("device", BigInteger, primary_key=True),
    Column("inode", BigInteger, primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("ctime_ns", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("digest_algorithm", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("noted_at", Text, nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key", Text, primary_key=True),
    Column("request", Text, nullable=False),
    Column("status", Integer),
    Column("answer", Text),
    Column("at", Text, nullable=False),
    Index("ix_idempotency_keys_at", "at"),
)
