"""The table of what people and programs are to be told."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text

from app.db.tables_of_media import metadata

#: `target` is the name of an entry of the settings, never its address. `told` is a JSON list of the first events.
notices = Table(
    "notices",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("count", Integer, nullable=False),
    Column("told", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("due_at", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("error", Text),
    Column("ended_at", Text),
    Index("ix_notices_state_due", "state", "due_at"),
    Index("ix_notices_target", "channel", "target", "event", "state"),
)
