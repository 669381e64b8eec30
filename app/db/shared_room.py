"""The shared_room table: duplicates whose bytes lie where those of their original lie, where a disk can do that."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from app.db.clock import now
from app.db.duplicates import list_by_ids
from app.model import Asset

WAITING = """
SELECT a.id, a.original_id FROM assets AS a JOIN assets AS o ON o.id = a.original_id
LEFT JOIN shared_room AS s ON s.asset_id = a.id AND s.original_id = a.original_id AND s.sha256 = a.sha256
WHERE a.status = 'duplicate' AND a.id > ? AND a.size_bytes > 0 AND a.sha256 IS NOT NULL AND o.status <> 'gone'
  AND s.asset_id IS NULL AND a.root_id IN ({marks})
ORDER BY a.id LIMIT ?
"""


def list_waiting(conn: Connection, root_ids: Sequence[int], after_id: int, limit: int) -> list[tuple[Asset, Asset]]:
    """(duplicate, original) of duplicates under these roots that have room of their own, in id order after an id."""
    sql = WAITING.format(marks=", ".join("?" * len(root_ids)))
    pairs = [(row[0], row[1]) for row in conn.exec_driver_sql(sql, (after_id, *root_ids, limit))]
    found = list_by_ids(conn, list({asset_id for pair in pairs for asset_id in pair}))
    return [(found[asset_id], found[original_id]) for asset_id, original_id in pairs]


def note(conn: Connection, shared: Sequence[tuple[Asset, Asset]]) -> None:
    """Write down that these duplicates share the room of these originals."""
    at = now()
    rows = [(asset.id, original.id, asset.sha256, asset.size_bytes, at) for asset, original in shared]
    if rows:
        conn.exec_driver_sql(
            "INSERT INTO shared_room (asset_id, original_id, sha256, size_bytes, shared_at) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (asset_id) DO UPDATE SET original_id = excluded.original_id, sha256 = excluded.sha256, "
            "size_bytes = excluded.size_bytes, shared_at = excluded.shared_at",
            rows,
        )


def is_shared(conn: Connection, asset: Asset) -> bool:
    """Whether an asset, as it is now, shares the room of its original."""
    sql = "SELECT 1 FROM shared_room WHERE asset_id = ? AND original_id = ? AND sha256 = ?"
    return conn.exec_driver_sql(sql, (asset.id, asset.original_id, asset.sha256)).first() is not None
