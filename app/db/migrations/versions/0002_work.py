"""The tables of work: runs, steps, deliveries, files left in place, journal, totals and configuration revisions.

Revision ID: 0002
Revises: 0001
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

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make these tables."""
    _create_deliveries()
    _create_left_in_place()
    _create_config_revisions()
    _create_events()
    _create_totals()
    _create_runs()
    _create_steps()


def _create_config_revisions() -> None:
    op.create_table(
        "config_revisions",
        Column("id", Integer, primary_key=True),
        Column("digest", Text, nullable=False),
        Column("at", Text, nullable=False),
        Column("actor", Text, nullable=False),
        Column("changed_keys", Text, server_default="[]", nullable=False),
    )


def _create_events() -> None:
    op.create_table(
        "events",
        Column("id", Integer, primary_key=True),
        Column("at", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("level", Text, server_default="info", nullable=False),
        Column("message", Text, nullable=False),
        Column("run_id", Integer),
        Column("batch_id", Integer),
        Column("asset_id", Integer),
        Column("detail", Text, server_default="{}", nullable=False),
    )
    op.create_index("ix_events_asset_id", "events", ["asset_id"])
    op.create_index("ix_events_batch_id", "events", ["batch_id"])
    op.create_index("ix_events_run_id", "events", ["run_id"])


def _create_totals() -> None:
    op.create_table(
        "totals",
        Column("status", Text, nullable=False),
        Column("file_count", BigInteger, server_default="0", nullable=False),
        Column("size_bytes", BigInteger, server_default="0", nullable=False),
        PrimaryKeyConstraint("status"),
    )


def _create_runs() -> None:
    op.create_table(
        "runs",
        Column("id", Integer, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("trigger", Text, nullable=False),
        Column("status", Text, nullable=False),
        Column("stages", Text, nullable=False),
        Column("batch_id", Integer),
        Column("config_revision", Text),
        Column("requested_at", Text, nullable=False),
        Column("started_at", Text),
        Column("ended_at", Text),
        Column("wish", Text),
        Column("error", Text),
        Column("attempts", Integer, server_default="0", nullable=False),
        Column("slot", Integer),
        ForeignKeyConstraint(
            ["batch_id"],
            ["batches.id"],
        ),
    )
    op.create_index("ix_runs_status", "runs", ["status"])
    op.create_index("uq_runs_slot", "runs", ["slot"], unique=True)


def _create_steps() -> None:
    op.create_table(
        "steps",
        Column("id", Integer, primary_key=True),
        Column("run_id", Integer, nullable=False),
        Column("stage", Text, nullable=False),
        Column("status", Text, nullable=False),
        Column("batch_id", Integer),
        Column("started_at", Text, nullable=False),
        Column("ended_at", Text),
        Column("report", Text, server_default="{}", nullable=False),
        Column("progress_done", BigInteger, server_default="0", nullable=False),
        Column("progress_total", BigInteger, server_default="0", nullable=False),
        Column("progress_bytes", BigInteger, server_default="0", nullable=False),
        Column("error", Text),
        ForeignKeyConstraint(
            ["run_id"],
            ["runs.id"],
        ),
    )
    op.create_index("ix_steps_run_id", "steps", ["run_id"])


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        Column("asset_id", Integer, nullable=False),
        Column("device_id", Text, nullable=False),
        Column("batch_id", Integer, nullable=False),
        Column("confirmed_at", Text, nullable=False),
        Column("version", Text),
        ForeignKeyConstraint(
            ["asset_id"],
            ["assets.id"],
        ),
        ForeignKeyConstraint(
            ["batch_id"],
            ["batches.id"],
        ),
        PrimaryKeyConstraint("asset_id", "device_id"),
    )
    op.create_index("ix_deliveries_batch_id", "deliveries", ["batch_id"])


def _create_left_in_place() -> None:
    op.create_table(
        "left_in_place",
        Column("id", Integer, primary_key=True),
        Column("root_id", Integer, nullable=False),
        Column("path", LargeBinary, nullable=False),
        Column("reason", Text, nullable=False),
        Column("seen_at", Text, nullable=False),
        ForeignKeyConstraint(
            ["root_id"],
            ["roots.id"],
        ),
        UniqueConstraint("root_id", "path", name="uq_left_in_place"),
    )
