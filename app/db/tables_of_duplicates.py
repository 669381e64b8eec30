"""The tables about duplicates: what lies in reference folders, and which files share the room of their originals."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from app.db.tables_of_media import assets, metadata, roots

#: What lies in reference folders. No asset: nothing that moves or marks files can ever reach them.
reference_files = Table(
    "reference_files",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("root_id", Integer, ForeignKey(roots.c.id), nullable=False),
    Column("path", LargeBinary, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("ctime_ns", BigInteger, nullable=False),
    Column("device", BigInteger, nullable=False),
    Column("inode", BigInteger, nullable=False),
    Column("head_digest", Text),
    Column("digest", Text),
    Column("digest_algorithm", Text),
    Column("sha256", Text),
    Index("uq_reference_files_place", "root_id", "path", unique=True),
    Index("ix_reference_files_ends", "size_bytes", "head_digest"),
    Index("ix_reference_files_sha256", "sha256"),
)

#: The duplicates whose original lies in a reference folder.
reference_labels = Table(
    "reference_labels",
    metadata,
    Column("asset_id", Integer, ForeignKey(assets.c.id), primary_key=True),
    # No foreign key: a file that has left its folder has no row any more, and its labels are taken back then.
    Column("reference_id", Integer, nullable=False, index=True),
)

#: Duplicates whose room on the disk is that of their original, as long as they hold the content with this SHA-256.
shared_room = Table(
    "shared_room",
    metadata,
    Column("asset_id", Integer, ForeignKey(assets.c.id), primary_key=True),
    Column("original_id", Integer, ForeignKey(assets.c.id), nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("shared_at", Text, nullable=False),
)
