"""Verdicts that the database can give by itself: on files that are like no other one, and on plain copies.

Both leave out every group in which anything else may have to be weighed; app/pipeline/verdicts.py is for these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import Connection

from app.db import totals
from app.db.clock import now
from app.db.unread import LACKS
from app.model import AssetStatus, Signature

#: Nothing else holds what this file holds: it was compared with all that has its size, its ends or its digest.
UNLIKE = f"""CASE WHEN a.digest IS NULL THEN NOT {LACKS}
  ELSE NOT EXISTS (SELECT 1 FROM assets AS b WHERE b.digest = a.digest AND b.id <> a.id)
    AND NOT EXISTS (SELECT 1 FROM reference_files AS r WHERE r.sha256 = a.sha256)
    AND (a.sha256 IS NOT NULL OR NOT EXISTS (SELECT 1 FROM reference_files AS r
      WHERE r.size_bytes = a.size_bytes AND r.head_digest = a.head_digest)) END"""

#: Groups of which something new is like another file; those with a label, which may have to go; and those of which
#: a batch took something, whose name may have come again.
ENTANGLED = f"""
SELECT COALESCE(a.group_id, -a.id) FROM assets AS a WHERE a.status = 'discovered' AND NOT ({UNLIKE})
UNION SELECT a.group_id FROM assets AS a WHERE a.status = 'discovered' AND a.group_id IS NOT NULL
  AND EXISTS (SELECT 1 FROM assets AS b WHERE b.group_id = a.group_id AND (
    b.status IN ('duplicate', 'batched', 'delivered', 'archived')
    OR b.status = 'set_aside' AND b.batch_id IS NOT NULL))
"""

PAGE = (
    "SELECT id, COALESCE(group_id, -id), size_bytes FROM assets WHERE status = 'discovered' AND id > ? "
    "ORDER BY id LIMIT ?"
)
#: Copies of one content that are fetched at once.
MANY = 1_000

#: A file that was not read for its verdict may still be one that cannot be: how often that was tried stays.
MARK = (
    "UPDATE assets SET status = ?, original_id = ?, attempts = CASE WHEN sha256 IS NULL THEN attempts ELSE 0 END, "
    "reason = NULL, updated_at = ? WHERE id = ? AND status = 'discovered'"
)

#: New files of these contents, when nothing but new files that are alone in their groups has them.
COPIES = """
WITH wanted (digest) AS (VALUES {marks})
SELECT a.digest, a.id, a.root_id, a.path, a.device, a.inode, a.size_bytes, a.mtime_ns, a.ctime_ns,
  a.status = 'discovered' AND NOT EXISTS (SELECT 1 FROM assets AS b WHERE b.group_id = a.group_id AND b.id <> a.id)
    AND NOT EXISTS (SELECT 1 FROM reference_files AS r WHERE r.sha256 = a.sha256)
FROM wanted JOIN assets AS a ON a.digest = wanted.digest
"""


class Copy(NamedTuple):
    """One of several files that hold the same; `is_plain` when it is new, and alone in its group."""

    digest: str
    id: int
    root_id: int
    path: bytes
    signature: Signature
    is_plain: bool


def list_entangled(conn: Connection) -> Iterator[int]:
    """The keys of groups that need to be weighed: a group's id, or minus the id of an asset without a group."""
    for row in conn.exec_driver_sql(ENTANGLED):
        yield row[0]


def list_discovered(conn: Connection, after_id: int, limit: int) -> list[tuple[int, int, int]]:
    """(asset id, group key, bytes) of new files, in id order after an id."""
    return [(row[0], row[1], row[2]) for row in conn.exec_driver_sql(PAGE, (after_id, limit))]


def list_copied(conn: Connection) -> list[str]:
    """Digests that several new files have, but not so many that their rows would fill the memory."""
    sql = (
        "SELECT digest FROM assets WHERE status = 'discovered' AND digest IS NOT NULL "
        "GROUP BY digest HAVING COUNT(*) BETWEEN 2 AND ?"
    )
    return [row[0] for row in conn.exec_driver_sql(sql, (MANY,))]


def list_copies(conn: Connection, digests: Sequence[str]) -> list[Copy]:
    """Every file that has one of these digests."""
    sql = COPIES.format(marks=", ".join(["(?)"] * len(digests)))
    rows = conn.exec_driver_sql(sql, tuple(digests)).all() if digests else []
    return [Copy(row[0], row[1], row[2], row[3], Signature(*row[4:9]), bool(row[9])) for row in rows]


def mark(conn: Connection, verdicts: Sequence[tuple[int, int | None, int]]) -> None:
    """Write verdicts on new files, with the totals: (asset id, id of the original or None for a unique one, bytes)."""
    at = now()
    # In the order of the table each of its pages is fetched once, also where very many do not fit into memory.
    rows = [
        ("unique" if original_id is None else "duplicate", original_id, at, asset_id)
        for asset_id, original_id, _ in sorted(verdicts, key=itemgetter(0))
    ]
    if not rows:
        return
    conn.exec_driver_sql(MARK, rows)
    duplicates = [size for _, original_id, size in verdicts if original_id is not None]
    uniques = [size for _, original_id, size in verdicts if original_id is None]
    totals.add(conn, {
        AssetStatus.DISCOVERED: (-len(rows), -sum(uniques) - sum(duplicates)),
        AssetStatus.UNIQUE: (len(uniques), sum(uniques)),
        AssetStatus.DUPLICATE: (len(duplicates), sum(duplicates)),
    })  # fmt: skip
