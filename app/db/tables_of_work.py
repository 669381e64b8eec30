"""The tables of work: runs, steps, events, totals, settings, findings, and what repeats and rebuilds need."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from app.db.partial_index import partial_index
from app.db.tables_of_media import metadata

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
    Index("ix_runs_kind_id", "kind", "id"),
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
    Index("ix_events_kind_id", "kind", "id"),
    partial_index("ix_events_level_id", "level", "id", where="level != 'info'"),
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
    Index("ix_findings_kind_id", "kind", "id"),
    Index("ix_findings_run_id", "run_id", "id"),
    Index("ix_findings_size", "size_bytes"),
    partial_index("ix_findings_sha256", "sha256", where="sha256 IS NOT NULL"),
    sqlite_autoincrement=True,
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
    Column("head_digest", Text),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key", Text, primary_key=True),
    Column("request", Text, nullable=False),
    Column("status", Integer),
    Column("answer", Text),
    Column("at", Text, nullable=False),
    Column("run_id", Integer),
    Index("ix_idempotency_keys_at", "at"),
)

sync_samples = Table(
    "sync_samples",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("batch_id", Integer, nullable=False),
    Column("device_id", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("confirmed_files", BigInteger, nullable=False),
    Column("confirmed_bytes", BigInteger, nullable=False),
    Column("need_items", BigInteger),
    Column("need_bytes", BigInteger),
    Column("rate", Float),
    Column("connected", Integer),
    Index("ix_sync_samples_batch", "batch_id", "device_id", "id"),
    Index("ix_sync_samples_at", "at"),
)

rebuild_files = Table(
    "rebuild_files",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("root_id", Integer, ForeignKey("roots.id"), nullable=False),
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
    Column("asset_id", Integer, index=True),
    Column("finding", Text),
    Column("note", Text),
    UniqueConstraint("root_id", "path", name="uq_rebuild_files_place"),
    Index("ix_rebuild_files_sha256", "sha256"),
    partial_index("ix_rebuild_files_finding", "finding", "id", where="finding IS NOT NULL"),
)

rebuild_entries = Table(
    "rebuild_entries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("batch_id", Integer, nullable=False, index=True),
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
    Index("ix_rebuild_entries_sha256", "sha256"),
    partial_index("ix_rebuild_entries_lost", "id", where="note IS NOT NULL"),
)

#: What the newest plans for filing the archive anew say, and what became of it: a row for each file that is to move, or
#: cannot. Files of one group have one `group_key`.
refile_entries = Table(
    "refile_entries",
    metadata,
    Column("run_id", Integer, primary_key=True),
    Column("asset_id", Integer, primary_key=True),
    Column("group_key", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("from_folder", LargeBinary, nullable=False),
    Column("from_path", LargeBinary, nullable=False),
    Column("to_folder", LargeBinary),
    Column("to_path", LargeBinary),
    Column("suffixed", Integer, nullable=False),
    Column("status_after", Text),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Index("ix_refile_entries_from", "run_id", "from_path"),
    Index("ix_refile_entries_to", "run_id", "to_path"),
)
