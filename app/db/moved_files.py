"""Files that lie elsewhere in the ingest folders than their rows say: the rows that may be theirs, and what is written
when they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from app.db import findings
from app.db.clock import now
from app.db.names import name_key
from app.model import AssetStatus, Signature

#: Sizes asked for in one statement.
CHUNK = 5_000
#: Why a row is gone whose file nobody of us has taken.
VANISHED = "no longer in the ingest folder"

FORMER = """
SELECT id, root_id, path, status, size_bytes, mtime_ns, inode, sha256, digest IS NOT NULL OR head_digest IS NOT NULL
FROM assets WHERE size_bytes IN ({sizes}) AND root_id IN ({roots}) AND (
  status || '' IN ('discovered', 'unique', 'duplicate', 'failed', 'set_aside')
  OR (status || '' = 'gone' AND batch_id IS NULL AND reason = ?))
"""

MOVE = (
    "UPDATE assets SET root_id = ?, path = ?, device = ?, inode = ?, mtime_ns = ?, ctime_ns = ?, origin_root_id = ?, "
    "origin_path = ?, name = ?, group_id = ?, inspected_at = NULL, updated_at = ? WHERE id = ?"
)


class Former(NamedTuple):
    """A row whose file may lie elsewhere now; `was_read` when something is known of what it holds."""

    id: int
    root_id: int
    path: bytes
    status: AssetStatus
    size_bytes: int
    mtime_ns: int
    inode: int
    sha256: str | None
    was_read: bool


class Moved(NamedTuple):
    """Where an asset lies now, and its group there."""

    asset_id: int
    root_id: int
    path: bytes
    signature: Signature
    group_id: int


def list_former(conn: Connection, root_ids: Sequence[int], sizes: Sequence[int]) -> Iterator[Former]:
    """The rows of files of these sizes that wait in these ingest folders, or have vanished there; streamed."""
    for start in range(0, len(sizes), CHUNK):
        part = sizes[start : start + CHUNK]
        sql = FORMER.format(sizes=", ".join("?" * len(part)), roots=", ".join("?" * len(root_ids)))
        for row in conn.exec_driver_sql(sql, (*part, *root_ids, VANISHED)):
            yield Former(row[0], row[1], row[2], AssetStatus(row[3]), row[4], row[5], row[6], row[7], bool(row[8]))


def list_members(conn: Connection, group_ids: Sequence[int]) -> dict[int, set[int]]:
    """The ids of all members of these groups that are not gone."""
    found: dict[int, set[int]] = {}
    for part in _parts(group_ids):
        sql = f"SELECT group_id, id FROM assets WHERE group_id IN ({_marks(part)}) AND status || '' != 'gone'"
        for group_id, asset_id in conn.exec_driver_sql(sql, tuple(part)):
            found.setdefault(group_id, set()).add(asset_id)
    return found


def list_stems(conn: Connection, group_ids: Sequence[int]) -> dict[int, bytes]:
    """What the members of these groups are called together."""
    found: dict[int, bytes] = {}
    for part in _parts(group_ids):
        rows = conn.exec_driver_sql(f"SELECT id, stem FROM groups WHERE id IN ({_marks(part)})", tuple(part))
        found.update((row[0], row[1]) for row in rows)
    return found


def move_groups(conn: Connection, root_id: int, wanted: Mapping[int, tuple[bytes, bytes]]) -> set[int]:
    """Give groups another folder and stem, as far as no group is known by these; returns which have got them."""
    sql = (
        "UPDATE groups SET root_id = ?, folder = ?, stem = ? WHERE id = ? AND NOT EXISTS ("
        "SELECT 1 FROM groups AS g WHERE g.root_id = ? AND g.folder = ? AND g.stem = ?)"
    )
    placed = {key: (root_id, *place) for key, place in wanted.items()}
    return {key for key, place in placed.items() if conn.exec_driver_sql(sql, (*place, key, *place)).rowcount}


def write(conn: Connection, moved: Sequence[Moved]) -> None:
    """Write where assets lie now, as if they had come there; they are inspected again."""
    at = now()
    rows = [
        (
            one.root_id, one.path, one.signature.device, one.signature.inode, one.signature.mtime_ns,
            one.signature.ctime_ns, one.root_id, one.path, name_key(one.path), one.group_id, at, one.asset_id,
        )
        for one in moved
    ]  # fmt: skip
    if not rows:
        return
    ids = [one.asset_id for one in moved]
    conn.exec_driver_sql(MOVE, rows)
    conn.exec_driver_sql("DELETE FROM present_names WHERE asset_id = ?", [(asset_id,) for asset_id in ids])
    findings.drop_of_assets(conn, ids)


def _parts(ids: Iterable[int]) -> Iterator[list[int]]:
    wanted = list(ids)
    return (wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK))


def _marks(values: Collection[int]) -> str:
    return ", ".join("?" * len(values))
