"""The kept_copies table: files that stayed at their first place when their asset was copied on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from app.db.assets import CHUNK
from app.db.tables import assets, kept_copies
from app.model import AssetStatus, Signature


@dataclass(frozen=True)
class KeptCopy:
    """One of them, as it was when it was written down."""

    id: int
    asset_id: int
    path: bytes
    signature: Signature


def add(conn: Connection, kept: Sequence[tuple[int, int, bytes, Signature]]) -> None:
    """Write (asset id, root id, path, signature) of copies that stay; a known place is written anew."""
    if kept:
        conn.exec_driver_sql(
            "INSERT INTO kept_copies (asset_id, root_id, path, size_bytes, mtime_ns, ctime_ns, device, inode) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (root_id, path) DO UPDATE SET asset_id = excluded.asset_id, "
            "size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, ctime_ns = excluded.ctime_ns, "
            "device = excluded.device, inode = excluded.inode, verified_at = NULL",
            [
                (asset_id, root_id, path, s.size_bytes, s.mtime_ns, s.ctime_ns, s.device, s.inode)
                for asset_id, root_id, path, s in kept
            ],
        )


def list_at(conn: Connection, root_id: int, paths: Sequence[bytes]) -> dict[bytes, tuple[int, int, Signature]]:
    """(row id, asset id, signature) of the kept copies at these paths."""
    c = kept_copies.c
    found: dict[bytes, tuple[int, int, Signature]] = {}
    if not paths or conn.execute(select(c.id).where(c.root_id == root_id).limit(1)).first() is None:
        return found
    for start in range(0, len(paths), CHUNK):
        query = select(c.path, c.id, c.asset_id, c.device, c.inode, c.size_bytes, c.mtime_ns, c.ctime_ns).where(
            c.root_id == root_id, c.path.in_(paths[start : start + CHUNK])
        )
        found.update({row[0]: (row[1], row[2], Signature(*row[3:8])) for row in conn.execute(query)})
    return found


def list_of(conn: Connection, asset_id: int) -> list[tuple[int, bytes, Signature]]:
    """(root id, path, signature) of every kept copy of an asset, the oldest first."""
    c = kept_copies.c
    query = select(c.root_id, c.path, c.device, c.inode, c.size_bytes, c.mtime_ns, c.ctime_ns)
    rows = conn.execute(query.where(c.asset_id == asset_id).order_by(c.id))
    return [(row[0], row[1], Signature(*row[2:7])) for row in rows]


def list_of_batch(conn: Connection, batch_id: int) -> list[tuple[int, int, bytes, Signature]]:
    """(asset id, root id, path, signature) of every kept copy of a batch's assets, asset by asset."""
    c = kept_copies.c
    query = select(c.asset_id, c.root_id, c.path, c.device, c.inode, c.size_bytes, c.mtime_ns, c.ctime_ns)
    query = query.join(assets, assets.c.id == c.asset_id).where(assets.c.batch_id == batch_id)
    return [(row[0], row[1], row[2], Signature(*row[3:8])) for row in conn.execute(query.order_by(c.asset_id, c.id))]


def list_places(conn: Connection, root_id: int) -> Iterator[tuple[int, bytes]]:
    """(row id, path) of every kept copy under a root, streamed."""
    query = select(kept_copies.c.id, kept_copies.c.path).where(kept_copies.c.root_id == root_id)
    for row in conn.execute(query):
        yield row[0], row[1]


def list_after(conn: Connection, root_id: int, after_id: int, limit: int | None) -> list[KeptCopy]:
    """Kept copies under a root in the order of their ids, those after `after_id`."""
    c = kept_copies.c
    query = select(c.id, c.asset_id, c.path, c.device, c.inode, c.size_bytes, c.mtime_ns, c.ctime_ns)
    query = query.where(c.root_id == root_id, c.id > after_id).order_by(c.id).limit(limit)
    return [KeptCopy(row[0], row[1], row[2], Signature(*row[3:8])) for row in conn.execute(query)]


def remove(conn: Connection, ids: Sequence[int]) -> None:
    """Forget these kept copies: they changed or vanished. The files themselves are not touched."""
    if ids:
        conn.exec_driver_sql("DELETE FROM kept_copies WHERE id = ?", [(i,) for i in ids])


def forget_outside(conn: Connection, batch_id: int, root_ids: Sequence[int]) -> None:
    """Forget every kept copy of a batch's assets that is not under one of these roots. Those of an asset that failed
    stay known: they may be all that is left of it."""
    of_batch = select(assets.c.id).where(assets.c.batch_id == batch_id, assets.c.status != AssetStatus.FAILED)
    outside = kept_copies.c.asset_id.in_(of_batch) & kept_copies.c.root_id.not_in(root_ids)
    conn.execute(kept_copies.delete().where(outside))


def remove_at(conn: Connection, places: Sequence[tuple[int, bytes]]) -> None:
    """Forget the kept copies at these (root id, path): the asset's own file lies there now."""
    if places:
        conn.exec_driver_sql("DELETE FROM kept_copies WHERE root_id = ? AND path = ?", places)
