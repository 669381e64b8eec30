"""What dedup asks of the assets table: which files have no digest, which groups have no verdict, and against whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Connection, exists, or_, select, text

from app.db.assets import CHUNK, CONVERTERS
from app.db.plans import unindexed
from app.db.rows import build, columns_for
from app.db.tables import assets, batches, deliveries
from app.db.unread import LACKS
from app.model import GONE_ON_PURPOSE, Asset, AssetStatus
from app.model.original_order import DEFAULT_ORDER, order_in_sql

#: The states that an original may be in; a gone one must be kept by a peer, one set aside must lie in the archive,
#: or in ingest again because its batch was taken back.
POSSIBLE_ORIGINALS = (
    AssetStatus.ARCHIVED,
    AssetStatus.DELIVERED,
    AssetStatus.BATCHED,
    AssetStatus.UNIQUE,
    AssetStatus.GONE,
    AssetStatus.SET_ASIDE,
)

#: Those that a batch has taken.
GONE_ON = (AssetStatus.BATCHED, AssetStatus.DELIVERED, AssetStatus.ARCHIVED)

#: A group waits until all its members can be compared; of groups alike, the one with the oldest file is the original.
GROUPS = f"""
SELECT COALESCE(a.group_id, -a.id) AS group_key FROM assets AS a WHERE a.status = 'discovered'
GROUP BY group_key HAVING TOTAL({LACKS}) = 0
"""

#: Labels whose original does not stand for their content any more: it has other content now, it failed or was set
#: aside on its way, it became a duplicate itself, or it is gone and no peer keeps it.
ORPHANED = """
SELECT label.id FROM assets AS label JOIN assets AS original ON original.id = label.original_id
WHERE label.status IN ('duplicate', 'set_aside') AND (
  CASE WHEN original.sha256 IS NULL OR label.sha256 IS NULL
    THEN COALESCE(original.digest, '') <> COALESCE(label.digest, '') ELSE original.sha256 <> label.sha256 END
  OR original.status IN ('discovered', 'duplicate', 'failed')
  OR (original.status = 'set_aside' AND original.root_id NOT IN (
    SELECT id FROM roots WHERE kind = 'archive' OR (kind = 'ingest' AND original.batch_id IS NOT NULL)))
  OR (original.status = 'gone' AND NOT (:remembers_removed AND COALESCE(original.reason, '') = :gone_on_purpose)
    AND NOT EXISTS (SELECT 1 FROM deliveries JOIN batches ON batches.id = deliveries.batch_id
      WHERE deliveries.asset_id = original.id AND batches.peer_policy = 'keep' AND batches.released_at IS NULL)))
"""


def list_without_digest(conn: Connection, after_id: int, limit: int) -> list[Asset]:
    """Discovered assets that have not been read yet, in id order, those after `after_id`."""
    c = assets.c
    query = (
        select(*columns_for(assets, Asset))
        .where(c.status == AssetStatus.DISCOVERED, c.digest.is_(None), c.id > after_id)
        .order_by(c.id)
        .limit(limit)
    )
    return [build(Asset, row, CONVERTERS) for row in conn.execute(query).all()]


def list_groups(conn: Connection, order: Sequence[str] = DEFAULT_ORDER) -> Iterator[int]:
    """The keys of the groups that wait for a verdict, first the one that would be the original: a group's id,
    or minus the id of an asset without a group."""
    for row in conn.exec_driver_sql(f"{GROUPS} ORDER BY {order_in_sql(order)}"):
        yield row[0]


def list_members(conn: Connection, keys: Sequence[int]) -> dict[int, list[Asset]]:
    """Every asset of these groups that stands before a batch, by group key, in id order; not those that a batch took
    to the archive, where they wait for a review."""
    members: dict[int, list[Asset]] = {key: [] for key in keys}
    status = unindexed(assets.c.status)
    is_waiting = or_(status != AssetStatus.SET_ASIDE, assets.c.batch_id.is_(None))
    before_batch = (AssetStatus.DISCOVERED, AssetStatus.UNIQUE, AssetStatus.DUPLICATE, AssetStatus.SET_ASIDE)
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        here = or_(
            assets.c.group_id.in_([key for key in part if key >= 0]),
            assets.c.id.in_([-key for key in part if key < 0]) & assets.c.group_id.is_(None),
        )
        query = select(*columns_for(assets, Asset)).where(here, status.in_(before_batch), is_waiting)
        for row in conn.execute(query.order_by(assets.c.id)).all():
            asset = build(Asset, row, CONVERTERS)
            members[asset.group_id if asset.group_id is not None else -asset.id].append(asset)
    return members


def list_gone_on(conn: Connection, keys: Sequence[int]) -> dict[int, list[Asset]]:
    """The members of these groups that a batch has taken and that are accounted for, by group, in id order."""
    c = assets.c
    status = unindexed(c.status)
    has_left = status.in_(GONE_ON) | ((status == AssetStatus.SET_ASIDE) & c.batch_id.is_not(None))
    groups = [key for key in keys if key >= 0]
    found: dict[int, list[Asset]] = {}
    for start in range(0, len(groups), CHUNK):
        query = select(*columns_for(assets, Asset)).where(c.group_id.in_(groups[start : start + CHUNK]), has_left)
        for row in conn.execute(query.order_by(c.id)):
            asset = build(Asset, row, CONVERTERS)
            found.setdefault(asset.group_id or 0, []).append(asset)
    return found


def list_aside_in(conn: Connection, group_ids: Sequence[int]) -> list[Asset]:
    """The members of these groups that were set aside before a batch had taken them, in id order."""
    c = assets.c
    found: list[Asset] = []
    for start in range(0, len(group_ids), CHUNK):
        here = c.group_id.in_(group_ids[start : start + CHUNK])
        found += _set_aside(conn, here)
    return found


def list_accounted_in(conn: Connection, group_ids: Sequence[int]) -> list[Asset]:
    """The members of these groups, in id order, but for those that a person took away before a batch had them."""
    c = assets.c
    is_there = or_(unindexed(c.status) != AssetStatus.GONE, c.batch_id.is_not(None))
    found: list[Asset] = []
    for start in range(0, len(group_ids), CHUNK):
        here = (c.group_id.in_(group_ids[start : start + CHUNK]), is_there)
        query = select(*columns_for(assets, Asset)).where(*here).order_by(c.id)
        found += [build(Asset, row, CONVERTERS) for row in conn.execute(query)]
    return found


def list_aside_because(conn: Connection, reason: str) -> list[Asset]:
    """What was set aside before a batch had taken it, for a reason that begins so, in id order."""
    return _set_aside(conn, assets.c.reason.startswith(reason, autoescape=True))


def _set_aside(conn: Connection, condition: ColumnElement[bool]) -> list[Asset]:
    c = assets.c
    here = (c.status == AssetStatus.SET_ASIDE, c.batch_id.is_(None), condition)
    query = select(*columns_for(assets, Asset)).where(*here)
    return [build(Asset, row, CONVERTERS) for row in conn.execute(query.order_by(c.id))]


def list_possible_originals(conn: Connection, digests: Sequence[str]) -> list[Asset]:
    """Assets with one of these digests that may be originals by their status."""
    found: list[Asset] = []
    for start in range(0, len(digests), CHUNK):
        same = assets.c.digest.in_(digests[start : start + CHUNK])
        query = select(*columns_for(assets, Asset)).where(same, assets.c.status.in_(POSSIBLE_ORIGINALS))
        found += [build(Asset, row, CONVERTERS) for row in conn.execute(query)]
    return found


def has_other_algorithm(conn: Connection, algorithm: str) -> bool:
    """Whether any digest was made by another algorithm than the present one; reads the whole table once."""
    return conn.execute(select(exists().where(assets.c.digest_algorithm != algorithm))).scalar() is True


def list_of_other_algorithm(conn: Connection, algorithm: str, sizes: Sequence[int]) -> list[Asset]:
    """Assets of these sizes whose digest was made by another algorithm than the present one."""
    is_other = assets.c.digest_algorithm != algorithm
    found: list[Asset] = []
    for start in range(0, len(sizes), CHUNK):
        of_size = assets.c.size_bytes.in_(sizes[start : start + CHUNK])
        query = select(*columns_for(assets, Asset)).where(is_other, of_size)
        found += [build(Asset, row, CONVERTERS) for row in conn.execute(query)]
    return found


def list_orphaned_labels(conn: Connection, remembers_removed: bool) -> list[int]:
    """Ids of duplicates and second names whose content their original does not stand for any more; what a person
    removed on purpose stands for it as long as it is to be remembered."""
    values = {"remembers_removed": remembers_removed, "gone_on_purpose": GONE_ON_PURPOSE}
    return [row[0] for row in conn.execute(text(ORPHANED), values)]


def list_kept_by_peer(conn: Connection, ids: Sequence[int]) -> set[int]:
    """Those of these assets that were proven to have arrived at a peer that keeps them: with `mirror` its copy goes
    when the files leave the batch folder, and what was released nobody keeps for us."""
    joined = deliveries.join(batches, batches.c.id == deliveries.c.batch_id)
    is_kept = (batches.c.peer_policy == "keep", batches.c.released_at.is_(None))
    found: set[int] = set()
    for start in range(0, len(ids), CHUNK):
        here = deliveries.c.asset_id.in_(ids[start : start + CHUNK])
        query = select(deliveries.c.asset_id).select_from(joined).where(here, *is_kept)
        found.update(row[0] for row in conn.execute(query))
    return found
