"""The tables of dates: what files tell of theirs, what people decided, and the sidecars that tell it to others."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text

from app.db.partial_index import partial_index
from app.db.tables_of_media import metadata

#: What a file said of its date and its camera when it was inspected; none for files that were dated before 0015.
capture_records = Table(
    "capture_records",
    metadata,
    Column("asset_id", Integer, ForeignKey("assets.id"), primary_key=True),
    Column("candidates", Text, nullable=False),
    Column("camera_make", Text),
    Column("camera_model", Text),
    Column("confidence", Text, nullable=False),
    partial_index("ix_capture_records_weak", "asset_id", where="confidence = 'weak'"),
    partial_index("ix_capture_records_model", "camera_model", where="camera_model IS NOT NULL"),
    partial_index("ix_capture_records_make", "camera_make",
                  where="camera_model IS NULL AND camera_make IS NOT NULL"),
)

#: What a person decided about the date of a file, as long as that holds the content with this SHA-256.
date_decisions = Table(
    "date_decisions",
    metadata,
    Column("asset_id", Integer, ForeignKey("assets.id"), primary_key=True),
    Column("action", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("sha256", Text),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Text, nullable=False),
    Column("alone", Boolean, nullable=False, server_default="0"),
    Index("ix_date_decisions_decided_at", "decided_at"),
)

#: Decisions that are still to be written beside the archive; without an order of their own but that of their ids.
decision_notes = Table(
    "decision_notes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Text, nullable=False),
    Column("alone", Boolean, nullable=False, server_default="0"),
)

#: Photos and videos beside which a sidecar with the decided date lies, or is to lie: `sidecar_id` is the asset that it
#: is, `sha256` what was written, or is being written; `due_at` is there while it is to be looked at, from then on.
date_sidecars = Table(
    "date_sidecars",
    metadata,
    Column("asset_id", Integer, ForeignKey("assets.id"), primary_key=True),
    Column("sidecar_id", Integer, ForeignKey("assets.id")),
    Column("sha256", Text),
    Column("due_at", Text),
    Column("note", Text),
    partial_index("ix_date_sidecars_due", "due_at", where="due_at IS NOT NULL"),
    Index("ix_date_sidecars_sidecar", "sidecar_id"),
)
