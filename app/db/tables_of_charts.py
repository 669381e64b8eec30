"""The tables behind the charts: what was done when, and how full the folders' disks were."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Table, Text

from app.db.tables_of_media import metadata

#: Sums by quarter of an hour (UTC), from which the days of any time zone can be added up.
activity = Table(
    "activity",
    metadata,
    Column("at", Text, primary_key=True),
    Column("what", Text, primary_key=True),
    Column("file_count", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
)

#: One row per root and day (UTC): the last look of that day.
room_samples = Table(
    "room_samples",
    metadata,
    Column("root_id", Integer, ForeignKey("roots.id"), primary_key=True),
    Column("day", Text, primary_key=True),
    Column("at", Text, nullable=False),
    Column("free_bytes", BigInteger, nullable=False),
    Column("total_bytes", BigInteger, nullable=False),
    Column("own_files", BigInteger, nullable=False),
    Column("own_bytes", BigInteger, nullable=False),
)
