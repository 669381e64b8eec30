"""Writing assets and batches as a rebuild found them, past the rules for changes: the disk is the truth here.

Totals are not kept meanwhile; `totals.recount` ends a rebuild.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, or_, select

from app.db import capture_records, present_names
from app.db.assets import CHUNK, CONVERTERS, NOT_GONE
from app.db.clock import now
from app.db.names import name_key
from app.db.rows import build, columns_for
from app.db.tables import assets, batches, deliveries, moves, rebuild_files, roots, runs
from app.model import Asset, AssetStatus, BatchStatus, MoveState, RunStatus

#: Why a row is gone that a rebuild put aside; found again, it is the same asset.
DISPLACED = "Another file lies in its place."
NOT_FOUND = "The rebuild found its file nowhere."


class AssetRow(NamedTuple):
    """A whole row of the assets table, in the order of UPSERT."""

    id: int
    root_id: int
    path: bytes
    name: bytes
    status: str
    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    device: int
    inode: int
    digest: str | None
    digest_algorithm: str | None
    sha256: str | None
    original_id: int | None
    group_id: int | None
    batch_id: int | None
    taken_at: str | None
    taken_local: str | None
    taken_from: str | None
    content_identifier: str | None
    inspected_at: str | None
    origin_root_id: int | None
    origin_path: bytes | None
    attempts: int
    reason: str | None
    first_seen_at: str
    updated_at: str


_COLUMNS = AssetRow._fields
UPSERT = (
    f"INSERT INTO assets ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in _COLUMNS if c != 'id')}"
)


def list_by_content(conn: Connection, contents: Sequence[str]) -> list[Asset]:
    """Every asset with one of these contents, unless it is gone; also those that a rebuild itself put aside."""
    c = assets.c
    is_there = or_(NOT_GONE, c.reason.in_([DISPLACED, NOT_FOUND]))
    query = select(*columns_for(assets, Asset)).where(c.sha256.in_(contents), is_there).order_by(c.id)
    return [build(Asset, row, CONVERTERS) for row in conn.execute(query).all()]


def list_by_id(conn: Connection, ids: Sequence[int]) -> dict[int, Asset]:
    """The assets with these ids."""
    found: dict[int, Asset] = {}
    for start in range(0, len(ids), CHUNK):
        query = select(*columns_for(assets, Asset)).where(assets.c.id.in_(ids[start : start + CHUNK]))
        found.update({row[0]: build(Asset, row, CONVERTERS) for row in conn.execute(query).all()})
    return found


def write(conn: Connection, rows: Iterable[AssetRow]) -> None:
    """Insert these assets, or overwrite those with their ids; another asset at one of the places gives way."""
    written = list(rows)
    if not written:
        return
    present = [row for row in written if row.status != AssetStatus.GONE]
    conn.exec_driver_sql(
        f"UPDATE assets SET status = 'gone', reason = '{DISPLACED}' "
        "WHERE root_id = ? AND path = ? AND status != 'gone' AND id != ?",
        [(row.root_id, row.path, row.id) for row in present] or [(0, b"", 0)],
    )
    capture_records.drop_of_other_content(conn, [(row.id, row.sha256) for row in written])
    conn.exec_driver_sql(UPSERT, [tuple(row) for row in written])
    present_names.write(conn, [(row.id, name_key(row.path)) for row in written])


def list_unseen(conn: Connection, root_id: int) -> Iterator[tuple[bytes, int]]:
    """(path, device) of every asset under a root at whose place the rebuild has seen no file; folder by folder."""
    c, f = assets.c, rebuild_files.c
    seen = select(f.id).where(f.root_id == c.root_id, f.path == c.path).exists()
    query = select(c.path, c.device).where(NOT_GONE, c.root_id == root_id, c.device != 0, ~seen).order_by(c.path)
    for row in conn.execute(query):
        yield row[0], row[1]


def give_up_unfound(conn: Connection, root_ids: Sequence[int]) -> int:
    """Mark as gone every asset under these roots whose file the rebuild did not find; returns how many. That they,
    and those that gave way, were delivered is forgotten: nothing may be a duplicate of a file that is nowhere."""
    c, f = assets.c, rebuild_files.c
    found = select(f.id).where(f.asset_id == c.id).exists()
    unfound = assets.update().where(NOT_GONE, c.root_id.in_(root_ids), ~found)
    many = conn.execute(unfound.values(status=AssetStatus.GONE.value, reason=NOT_FOUND, updated_at=now())).rowcount
    lost = select(c.id).where(c.status == AssetStatus.GONE.value, c.reason.in_([DISPLACED, NOT_FOUND]))
    conn.execute(deliveries.delete().where(deliveries.c.asset_id.in_(lost)))
    return many


def put_batch(conn: Connection, batch_id: int, values: dict[str, Any]) -> None:
    """Insert a batch under its id, or overwrite these columns of it."""
    known = conn.execute(select(batches.c.id).where(batches.c.id == batch_id)).first()
    if known is None:
        conn.execute(batches.insert().values(id=batch_id, **values))
    else:
        conn.execute(batches.update().where(batches.c.id == batch_id).values(**values))


def count_batch(conn: Connection, batch_id: int, statuses: Sequence[AssetStatus]) -> None:
    """Write into a batch how many of its assets have one of these statuses, and their bytes."""
    c = assets.c
    query = select(func.count(), func.coalesce(func.sum(c.size_bytes), 0)).where(
        c.batch_id == batch_id, c.status.in_(statuses)
    )
    files, size = conn.execute(query).one()
    conn.execute(batches.update().where(batches.c.id == batch_id).values(file_count=files, size_bytes=size))


def drop_empty_reservations(conn: Connection) -> None:
    """Remove batches that were reserved and never got a file: nobody fills them any more."""
    c = batches.c
    has_assets = select(assets.c.id).where(assets.c.batch_id == c.id).exists()
    empty = select(c.id).where(
        c.status == BatchStatus.PENDING.value, c.file_count == 0, c.published_at.is_(None), ~has_assets
    )
    ids = list(conn.execute(empty).scalars())
    conn.execute(runs.update().where(runs.c.batch_id.in_(ids)).values(batch_id=None))
    conn.execute(batches.delete().where(c.id.in_(ids)))


def end_unfinished_work(conn: Connection, why: str) -> None:
    """End runs that wait or are in flight, and moves that were begun: what became of them, the disk says now."""
    at = now()
    for status in (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.WAITING):
        conn.exec_driver_sql(
            "UPDATE runs SET status = 'cancelled', slot = NULL, wish = NULL, error = ?, ended_at = ? WHERE status = ?",
            (why, at, status.value),
        )
    conn.exec_driver_sql(
        "UPDATE steps SET status = 'cancelled', ended_at = ?, error = ? WHERE status = 'running'", (at, why)
    )
    conn.exec_driver_sql(
        # Without its temporary name: what lies there may be all that is left of a file, and is looked at by itself.
        "UPDATE moves SET state = 'ABORTED', tmp_name = NULL, note = ?, updated_at = ? "
        "WHERE state IN ('PLANNED', 'PLACED')",
        (why, at),
    )


class TrashRow(NamedTuple):
    """A source in our trash: whose it was, and what it holds."""

    asset_id: int
    root_id: int
    path: bytes
    digest: str
    digest_algorithm: str
    size_bytes: int
    inode: int
    mtime_ns: int
    device: int


def note_trash(conn: Connection, found: Sequence[TrashRow], purpose: str) -> None:
    """Make the journal's row again for sources in the trash, so that they are dropped when their time has come."""
    at = now()
    for row in found:
        m = moves.c
        known = select(m.id).where(
            m.trash_root_id == row.root_id, m.trash_path == row.path, m.trash_dropped_at.is_(None)
        )
        if conn.execute(known).first() is None:
            conn.execute(moves.insert().values(**_trash_values(row, purpose, at)))


def _trash_values(row: TrashRow, purpose: str, at: str) -> dict[str, Any]:
    return {
        "purpose": purpose,
        "state": MoveState.DONE.value,
        "asset_id": row.asset_id,
        "src_root_id": row.root_id,
        "src_path": row.path,
        "dst_root_id": row.root_id,
        "dst_path": row.path,
        "trash_root_id": row.root_id,
        "trash_path": row.path,
        "trashed_at": at,
        "digest": row.digest,
        "digest_algorithm": row.digest_algorithm,
        "size_bytes": row.size_bytes,
        "src_device": row.device,
        "src_inode": row.inode,
        "src_mtime_ns": row.mtime_ns,
        "method": "copy",
        "note": "Written by a rebuild, which found the file in the trash.",
        "created_at": at,
        "updated_at": at,
    }


def note_begun_copy(conn: Connection, source: tuple[int, bytes], temp: tuple[int, bytes], content: Content) -> bool:
    """Make the journal's row again for a copy that was cut off: recovery then removes what it left, if its source
    still holds that content. True also when there is such a row; False when another one for the same source is
    unfinished, and this leftover stays for now."""
    name = temp[1].rpartition(b"/")[2]
    m = moves.c
    open_ = m.state.in_((MoveState.PLANNED.value, MoveState.PLACED.value))
    same_source = (m.src_root_id == source[0]) & (m.src_path == source[1])
    same_copy = (m.dst_root_id == temp[0]) & (m.tmp_name == name)
    known = conn.execute(select(same_copy).where(open_, or_(m.tmp_name == name, same_source))).scalars().all()
    if known:
        return any(known)
    at = now()
    conn.execute(
        moves.insert().values(
            purpose="rebuild", state=MoveState.PLANNED.value, keep_source=True, places_asset=False,
            src_root_id=source[0], src_path=source[1], dst_root_id=temp[0], dst_path=temp[1] + b".target",
            tmp_name=name, digest=content.digest, digest_algorithm=content.digest_algorithm,
            size_bytes=content.size_bytes, method="copy", created_at=at, updated_at=at,
            note="Written by a rebuild, which found an unfinished copy.",
        )
    )  # fmt: skip
    return True


class Content(NamedTuple):
    """What a file holds."""

    digest: str
    digest_algorithm: str
    size_bytes: int


def add_root(conn: Connection, kind: str, path: bytes, marker_id: str) -> None:
    """Insert a root under the identity that its marker gives it."""
    conn.execute(roots.insert().values(kind=kind, label="", path=path, marker_id=marker_id, created_at=now()))
