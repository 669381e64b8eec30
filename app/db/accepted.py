"""What a person took for right although it was not as the rows said: new content of an asset, a file without a row."""

from __future__ import annotations

from sqlalchemy import Connection, update

from app.db import totals
from app.db.clock import now
from app.db.names import name_key
from app.db.tables import assets
from app.model import Asset, AssetStatus, Signature

INSERT = (
    "INSERT INTO assets (root_id, path, status, size_bytes, mtime_ns, ctime_ns, device, inode, group_id, digest, "
    "digest_algorithm, sha256, origin_root_id, origin_path, name, first_seen_at, updated_at, verified_at) "
    "VALUES (?, ?, 'archived', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"
)


def take_content(
    conn: Connection, asset: Asset, signature: Signature, *, digest: str, algorithm: str, sha256: str
) -> None:
    """An asset holds something else from now on, in the same place and with the same status; totals follow its size."""
    at = now()
    values = {
        "size_bytes": signature.size_bytes,
        "mtime_ns": signature.mtime_ns,
        "ctime_ns": signature.ctime_ns,
        "device": signature.device,
        "inode": signature.inode,
        "digest": digest,
        "digest_algorithm": algorithm,
        "sha256": sha256,
        "head_digest": None,
        "verified_at": at,
        "updated_at": at,
    }
    conn.execute(update(assets).where(assets.c.id == asset.id).values(**values))
    totals.add(conn, {asset.status: (0, signature.size_bytes - asset.size_bytes)})


def insert_archived(
    conn: Connection,
    place: tuple[int, bytes],
    signature: Signature,
    group_id: int,
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
