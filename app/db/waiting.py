"""What waits for a batch: groups of unique, inspected assets in capture order, and what never gets that far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, or_, select, text

from app.db.assets import CHUNK, CONVERTERS
from app.db.clock import now
from app.db.plans import unindexed
from app.db.rows import build, columns_for
from app.db.tables import assets
from app.model import Asset, AssetStatus

#: A group waits for members that are not through dedup and inspect yet, so that it can move as a whole.
GROUPS = text("""
SELECT COALESCE(group_id, -id) AS group_key, MIN(taken_local) AS first_taken, COUNT(*), SUM(size_bytes)
FROM assets
WHERE status = 'unique' AND inspected_at IS NOT NULL AND batch_id IS NULL AND root_id IN :root_ids
  AND (group_id IS NULL OR group_id NOT IN (
    SELECT group_id FROM assets WHERE group_id IS NOT NULL
    AND (status = 'discovered' OR (status = 'unique' AND inspected_at IS NULL AND batch_id IS NULL))))
GROUP BY group_key ORDER BY first_taken, MIN(COALESCE(origin_path, path)), MIN(id)
""").bindparams(bindparam("root_ids", expanding=True))

#: The plus keeps the index of batches out of it: those that have ended hold nearly the whole library.
LEAVE_ENDED = """
UPDATE assets SET batch_id = NULL, updated_at = ? WHERE status IN ('discovered', 'unique')
AND +batch_id IN (SELECT id FROM batches WHERE status IN ('SORTED', 'CANCELLED'))
"""


@dataclass(frozen=True)
class WaitingGroup:
    """A group that is ready: `key` is its id, or minus the id of an asset that has no group."""

    key: int
    first_taken: str | None
    file_count: int
    size_bytes: int


def list_groups(conn: Connection, root_ids: Sequence[int]) -> Iterator[WaitingGroup]:
    """Every group under these roots that is ready to be batched, in capture order, streamed."""
    for row in conn.execute(GROUPS, {"root_ids": list(root_ids)}):
        yield WaitingGroup(*row)


def list_members(conn: Connection, keys: Sequence[int]) -> list[list[Asset]]:
    """The assets of these groups that are ready, group by group in the order of `keys`, members in id order."""
    members: dict[int, list[Asset]] = {key: [] for key in keys}
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        query = (
            select(*columns_for(assets, Asset))
            .where(
                or_(
                    assets.c.group_id.in_([key for key in part if key >= 0]),
                    assets.c.id.in_([-key for key in part if key < 0]) & assets.c.group_id.is_(None),
                )
            )
            .where(unindexed(assets.c.status) == AssetStatus.UNIQUE, unindexed(assets.c.batch_id).is_(None))
            .order_by(assets.c.id)
        )
        for row in conn.execute(query).all():
            asset = build(Asset, row, CONVERTERS)
            members[asset.group_id if asset.group_id is not None else -asset.id].append(asset)
    return list(members.values())


def leave_ended_batches(conn: Connection) -> None:
    """What waits and still has the number of a batch that has ended may be taken by the next one."""
    conn.exec_driver_sql(LEAVE_ENDED, (now(),))


def count_under(conn: Connection, root_ids: Sequence[int]) -> dict[int, int]:
    """How many discovered and unique assets lie under each of these roots, without those that have none."""
    waiting = assets.c.status.in_([AssetStatus.DISCOVERED, AssetStatus.UNIQUE])
    query = select(assets.c.root_id, func.count()).where(assets.c.root_id.in_(root_ids), waiting)
    return {row[0]: row[1] for row in conn.execute(query.group_by(assets.c.root_id))} if root_ids else {}
