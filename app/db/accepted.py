"""What a person took for right although it was not as the rows said: exchanged places, a file without a row."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from app.db import assets, totals
from app.db.clock import now
from app.db.names import name_key
from app.model import Asset, AssetStatus, Signature

INSERT = (
    "INSERT INTO assets (root_id, path, status, size_bytes, mtime_ns, ctime_ns, device, inode, group_id, digest, "
    "digest_algorithm, sha256, origin_root_id, origin_path, name, first_seen_at, updated_at, verified_at) "
    "VALUES (?, ?, 'archived', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"
)


def exchange_places(conn: Connection, placed: Sequence[tuple[Asset, int, bytes, Signature]]) -> None:
    """Files that took each other's places: (asset as read, root id, path, signature there), all in one go.

    Each keeps its digests. In between, their rows stand where no file can: no two rows may have one place.
    """
    conn.exec_driver_sql(
        "UPDATE assets SET path = ? WHERE id = ?", [(b"\0%d" % asset.id, asset.id) for asset, *_ in placed]
    )
    assets.place_many(conn, placed, None)


def insert_archived(
    conn: Connection,
    place: tuple[int, bytes],
    signature: Signature,
    group_id: int | None,
    *,
    digest: str,
    algorithm: str,
    sha256: str,
) -> int:
    """A file that lies in the archive already becomes an archived asset; returns its id."""
    (root_id, path), s, at = place, signature, now()
    facts = (s.size_bytes, s.mtime_ns, s.ctime_ns, s.device, s.inode)
    content = (digest, algorithm, sha256)
    row = (root_id, path, *facts, group_id, *content, root_id, path, name_key(path), at, at, at)
    asset_id = int(conn.exec_driver_sql(INSERT, row).scalar_one())
    totals.add(conn, {AssetStatus.ARCHIVED: (1, s.size_bytes)})
    return asset_id
