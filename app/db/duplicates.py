"""Duplicates as sets: an original with the assets that name it as theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, select, text

from app.db.assets import CONVERTERS
from app.db.rows import build, columns_for
from app.db.tables import assets
from app.model import Asset

#: The next original, again and again: however many duplicates one has, its index entries are passed over.
ORIGINALS = text(
    "WITH RECURSIVE found (id) AS ("
    "SELECT MIN(original_id) FROM assets WHERE original_id > :after_id "
    "UNION ALL SELECT (SELECT MIN(original_id) FROM assets WHERE original_id > found.id) FROM found "
    "WHERE found.id IS NOT NULL) SELECT id FROM found WHERE id IS NOT NULL LIMIT :limit"
)


def list_original_ids(conn: Connection, after_id: int, limit: int) -> list[int]:
    """The ids of assets that others are duplicates of, in id order, those after `after_id`."""
    return list(conn.execute(ORIGINALS, {"after_id": after_id, "limit": limit}).scalars())


def count_of(conn: Connection, original_ids: Sequence[int]) -> dict[int, int]:
    """How many assets name each of these as their original."""
    c = assets.c
    query = select(c.original_id, func.count()).where(c.original_id.in_(original_ids)).group_by(c.original_id)
    return {row[0]: row[1] for row in conn.execute(query)}


def list_of(conn: Connection, original_id: int, limit: int) -> list[Asset]:
    """The first duplicates of an original, in id order."""
    query = select(*columns_for(assets, Asset)).where(assets.c.original_id == original_id)
    return [build(Asset, row, CONVERTERS) for row in conn.execute(query.order_by(assets.c.id).limit(limit))]


def list_by_ids(conn: Connection, ids: Sequence[int]) -> dict[int, Asset]:
    """These assets by id."""
    query = select(*columns_for(assets, Asset)).where(assets.c.id.in_(ids))
    return {asset.id: asset for asset in (build(Asset, row, CONVERTERS) for row in conn.execute(query))}


#: Every original with its duplicates, those with an asset as their original first; both in the order of the original.
SETS = """
SELECT 0 AS kind, original.id, original.root_id, original.path, original.size_bytes, a.id, a.root_id, a.path
FROM assets AS a JOIN assets AS original ON original.id = a.original_id
WHERE a.status = 'duplicate' AND a.original_id IS NOT NULL
UNION ALL
SELECT 1, r.id, r.root_id, r.path, r.size_bytes, a.id, a.root_id, a.path
FROM reference_labels AS l JOIN assets AS a ON a.id = l.asset_id JOIN reference_files AS r ON r.id = l.reference_id
WHERE a.status = 'duplicate' AND a.original_id IS NULL
ORDER BY 1, 2, 6
"""


class Copied(NamedTuple):
    """One duplicate with its original; `is_reference` when that lies in a reference folder."""

    is_reference: bool
    original_id: int
    original_place: tuple[int, bytes]
    size_bytes: int
    id: int
    place: tuple[int, bytes]


def list_copied(conn: Connection) -> Iterator[Copied]:
    """Every duplicate, those of one original together, streamed."""
    for row in conn.exec_driver_sql(SETS):
        yield Copied(bool(row[0]), row[1], (row[2], row[3]), row[4], row[5], (row[6], row[7]))
