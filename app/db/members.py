"""What is asked of the assets of one batch as a whole: the database picks, counts and marks; few rows travel."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, and_, func, or_, select, text, update

from app.db import totals
from app.db.assets import CHUNK, CONVERTERS
from app.db.clock import now
from app.db.plans import unindexed
from app.db.rows import build, columns_for
from app.db.tables import assets, batches
from app.model import ASSET_CHANGES, Asset, AssetStatus

#: What a member must have to be moved into its batch.
READY = (AssetStatus.UNIQUE, AssetStatus.BATCHED)

#: Only what is drawn along moves within the archive, and still has the number of the batch that it came with.
DRAWN_ALONG = (
    "SELECT DISTINCT a.path, a.group_id FROM moves AS m JOIN assets AS a ON a.id = m.asset_id "
    "WHERE m.batch_id = ? AND m.state = 'DONE' AND m.purpose = 'archive' AND m.src_root_id = m.dst_root_id "
    "AND a.status = 'archived' AND a.root_id = m.dst_root_id AND a.path = m.dst_path AND a.batch_id <> m.batch_id "
    "AND a.group_id IS NOT NULL"
)

#: By the same mark, wherever such a file is now.
DRAWN_WAYS = (
    "SELECT a.id, m.src_path, m.dst_path FROM moves AS m JOIN assets AS a ON a.id = m.asset_id "
    "WHERE m.batch_id = ? AND m.state = 'DONE' AND m.purpose = 'archive' AND m.src_root_id = m.dst_root_id "
    "AND a.status = 'archived' AND a.root_id = m.dst_root_id AND a.batch_id <> m.batch_id ORDER BY m.id"
)


def list_of(
    conn: Connection, batch_id: int, statuses: Sequence[AssetStatus], root_ids: Sequence[int] | None = None
) -> list[Asset]:
    """The assets of a batch with one of these statuses, under one of these roots if given, in id order."""
    c = assets.c
    query = select(*columns_for(assets, Asset)).where(c.batch_id == batch_id, c.status.in_(statuses))
    if root_ids is not None:
        query = query.where(c.root_id.in_(root_ids))
    return [build(Asset, row, CONVERTERS) for row in conn.execute(query.order_by(c.id)).all()]


def list_archived_of_groups(conn: Connection, group_ids: Sequence[int], archive_id: int) -> list[Asset]:
    """The members of these groups that lie in the archive, those that wait there for a review too, in id order."""
    c = assets.c
    in_archive = (AssetStatus.ARCHIVED, AssetStatus.SET_ASIDE)
    there = (unindexed(c.root_id) == archive_id, unindexed(c.status).in_(in_archive))
    found: list[Asset] = []
    for start in range(0, len(group_ids), CHUNK):
        query = select(*columns_for(assets, Asset)).where(c.group_id.in_(group_ids[start : start + CHUNK]), *there)
        found += [build(Asset, row, CONVERTERS) for row in conn.execute(query.order_by(c.id))]
    return found


def list_drawn_along(conn: Connection, batch_id: int) -> list[tuple[bytes, int]]:
    """(path, group id) of archived files of other batches that this one took along to the folder of their group."""
    return sorted((row[0], row[1]) for row in conn.exec_driver_sql(DRAWN_ALONG, (batch_id,)))


def list_drawn_ways(conn: Connection, batch_id: int) -> dict[int, tuple[bytes, bytes]]:
    """By asset id, from where and to where this batch took archived files of other batches along."""
    ways: dict[int, tuple[bytes, bytes]] = {}
    for asset_id, source, target in conn.exec_driver_sql(DRAWN_WAYS, (batch_id,)):
        ways[asset_id] = (ways.get(asset_id, (source, target))[0], target)
    return ways


def list_names_in(conn: Connection, root_id: int, folder: bytes) -> list[bytes]:
    """The names of assets in one folder of a root, not below it."""
    c = assets.c
    prefix = folder + b"/" if folder else b""
    # "0" is the character after the slash.
    within = (c.path > prefix, c.path < folder + b"0") if folder else ()
    query = select(c.path).where(c.root_id == root_id, text("status != 'gone'"), *within)
    names = (path[len(prefix) :] for path in conn.execute(query).scalars())
    return [name for name in names if b"/" not in name]


def list_unready_ids(conn: Connection, batch_id: int, source_ids: Sequence[int]) -> list[int]:
    """The assets of a batch being built which may not be moved in: a scan has found them changed, or they are not
    under one of these roots (any more)."""
    c = assets.c
    lacks = or_(c.status.not_in(READY), c.digest.is_(None), c.sha256.is_(None), c.inspected_at.is_(None))
    is_out_of_reach = and_(c.status == AssetStatus.UNIQUE, c.root_id.not_in(source_ids))
    return list(conn.execute(select(c.id).where(c.batch_id == batch_id, or_(lacks, is_out_of_reach))).scalars())


def count(conn: Connection, batch_id: int) -> dict[AssetStatus, tuple[int, int]]:
    """(files, bytes) of a batch per status, without those that have none."""
    c = assets.c
    query = select(c.status, func.count(), func.sum(c.size_bytes)).where(c.batch_id == batch_id).group_by(c.status)
    found = {row[0]: (row[1], row[2]) for row in conn.execute(query).all()}
    return {status: found[status.value] for status in AssetStatus if status.value in found}


def sizes_by_root(conn: Connection, batch_id: int, statuses: Sequence[AssetStatus]) -> dict[int, int]:
    """Bytes under each root that the assets of a batch with these statuses hold."""
    c = assets.c
    query = select(c.root_id, func.sum(c.size_bytes)).where(c.batch_id == batch_id, c.status.in_(statuses))
    return {row[0]: row[1] for row in conn.execute(query.group_by(c.root_id)).all()}


def mark_all(conn: Connection, batch_id: int, before: AssetStatus, after: AssetStatus) -> tuple[int, int]:
    """Give every asset of a batch that has one status another, with the totals; returns (files, bytes)."""
    assert after in ASSET_CHANGES[before]
    files, size_bytes = count(conn, batch_id).get(before, (0, 0))
    here = update(assets).where(assets.c.batch_id == batch_id, assets.c.status == before.value)
    conn.execute(here.values(status=after.value, reason=None, updated_at=now()))
    totals.add(conn, {before: (-files, -size_bytes), after: (files, size_bytes)})
    return files, size_bytes


def recount(conn: Connection, batch_id: int) -> None:
    """Write into the row of an undelivered batch what is in it now, after a file has failed or is tried again."""
    files, size_bytes = count(conn, batch_id).get(AssetStatus.BATCHED, (0, 0))
    conn.execute(update(batches).where(batches.c.id == batch_id).values(file_count=files, size_bytes=size_bytes))


def list_batch_ids(conn: Connection, status: AssetStatus) -> list[int]:
    """The ids of the batches that have an asset of this status."""
    query = select(assets.c.batch_id).where(assets.c.status == status, assets.c.batch_id.is_not(None)).distinct()
    return sorted(conn.execute(query).scalars())


def rebase(conn: Connection, batch_id: int, from_root_id: int, to_root_id: int) -> None:
    """After the batch folder itself was renamed to another root: its assets keep their relative paths."""
    conn.execute(
        update(assets)
        .where(assets.c.batch_id == batch_id, assets.c.root_id == from_root_id)
        .values(root_id=to_root_id, updated_at=now())
    )
