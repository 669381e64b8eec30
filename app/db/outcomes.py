"""The outcomes table: what a preview found would become of each file. It exists only in the copies of previews."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Index, Integer, LargeBinary, MetaData, Table, Text, or_, select

from app.db import facts
from app.db.assets import CHUNK, CONVERTERS
from app.db.rows import build, columns_for
from app.db.tables import assets, batches, moves
from app.model import OPEN_BATCH, Asset, Batch, BatchStatus

metadata = MetaData()

#: The fact that says since when the rows of a copy are imagined.
BEGAN_AT = "rehearsal_began_at"

outcomes = Table(
    "outcomes",
    metadata,
    Column("asset_id", Integer, primary_key=True),
    Column("status_now", Text),
    Column("now_root_id", Integer, nullable=False),
    Column("now_path", LargeBinary, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("original_id", Integer),
    Column("original_root_id", Integer),
    Column("original_path", LargeBinary),
    Column("batch_id", Integer),
    Column("path_in_batch", LargeBinary),
    Column("target_root_id", Integer, nullable=False),
    Column("target_path", LargeBinary, nullable=False),
    Column("folder", LargeBinary),
    Column("taken_local", Text),
    Column("taken_from", Text),
    Column("is_weak", Integer, nullable=False),
    Column("why", Text),
    Column("outcome", Text, nullable=False),
    Index("ix_outcomes_status", "status", "asset_id"),
    Index("ix_outcomes_batch", "batch_id", "asset_id"),
    Index("ix_outcomes_folder", "folder"),
)

doubts = Table(
    "doubts",
    metadata,
    Column("asset_id", Integer, primary_key=True),
    Column("reason", Text, nullable=False),
)


class Outcome(NamedTuple):
    """One row; `now` is where the file lies, `target` where it would lie, `why` explains its date and folder."""

    asset_id: int
    status_now: str | None
    now_root_id: int
    now_path: bytes
    size_bytes: int
    status: str
    original_id: int | None
    original_root_id: int | None
    original_path: bytes | None
    batch_id: int | None
    path_in_batch: bytes | None
    target_root_id: int
    target_path: bytes
    folder: bytes | None
    taken_local: str | None
    taken_from: str | None
    is_weak: bool
    why: str | None
    outcome: str


INSERT = f"INSERT INTO outcomes ({', '.join(Outcome._fields)}) VALUES ({', '.join('?' * len(Outcome._fields))})"
#: Why a date is doubtful is forgotten when the file moves on, so it is noted as soon as it is known.
NOTE_DOUBTS = (
    "INSERT INTO doubts SELECT id, reason FROM assets WHERE status = 'unique' AND taken_from = 'mtime' "
    "AND reason IS NOT NULL ON CONFLICT DO NOTHING"
)


def make_tables(conn: Connection) -> None:
    """Make the tables of a preview in its copy."""
    metadata.create_all(conn)


def note_doubts(conn: Connection) -> None:
    """Write down why files that wait have no date of their own."""
    conn.exec_driver_sql(NOTE_DOUBTS)


def add(conn: Connection, rows: Sequence[Outcome]) -> None:
    """Write outcomes."""
    if rows:
        conn.exec_driver_sql(INSERT, [tuple(row) for row in rows])


def list_concerned(
    conn: Connection, since: str, root_ids: Sequence[int], after_id: int, limit: int
) -> list[Asset]:
    """Assets that were changed since an instant, or lie under one of these roots, in id order."""
    c = assets.c
    query = select(*columns_for(assets, Asset)).where(
        c.id > after_id, or_(c.updated_at >= since, c.root_id.in_(root_ids) & (c.status != "gone"))
    )
    return [build(Asset, row, CONVERTERS) for row in conn.execute(query.order_by(c.id).limit(limit))]


def by_id(conn: Connection, ids: Iterable[int]) -> dict[int, Asset]:
    """Those of these assets that there are."""
    wanted = list(ids)
    found: dict[int, Asset] = {}
    for start in range(0, len(wanted), CHUNK):
        query = select(*columns_for(assets, Asset)).where(assets.c.id.in_(wanted[start : start + CHUNK]))
        found.update({row[0]: build(Asset, row, CONVERTERS) for row in conn.execute(query)})
    return found


def paths_in_batches(conn: Connection, run_id: int, ids: Sequence[int]) -> dict[int, bytes]:
    """By asset id, the path below the staging folder that this run would give a file, its batch's name first."""
    m = moves.c
    query = select(m.asset_id, m.dst_path).where(m.asset_id.in_(ids), m.run_id == run_id, m.purpose == "batch")
    return {row[0]: row[1] for row in conn.execute(query.where(m.state == "DONE").order_by(m.id))}


def doubts_of(conn: Connection, ids: Sequence[int]) -> dict[int, str]:
    """Why these have no date of their own, where that was noted."""
    query = select(doubts.c.asset_id, doubts.c.reason).where(doubts.c.asset_id.in_(ids))
    return {row[0]: row[1] for row in conn.execute(query)}


def leads_of(conn: Connection, group_ids: Sequence[int]) -> dict[tuple[int, str], bytes]:
    """By group and capture time, the path under which the file came in that has this time by itself."""
    c = assets.c
    query = select(c.group_id, c.taken_local, c.origin_path, c.path).where(
        c.group_id.in_(group_ids), c.taken_local.is_not(None), c.taken_from != "sibling"
    )
    return {(row[0], row[1]): row[2] or row[3] for row in conn.execute(query.order_by(c.id.desc()))}


def count_by_status(conn: Connection) -> dict[str, tuple[int, int]]:
    """(files, bytes) by what they would be."""
    query = "SELECT status, COUNT(*), SUM(size_bytes) FROM outcomes GROUP BY status ORDER BY status"
    rows = conn.exec_driver_sql(query)
    return {row[0]: (row[1], row[2]) for row in rows}


def count_where(conn: Connection, condition: str) -> tuple[int, int]:
    """(files, bytes) for a condition of ours."""
    query = f"SELECT COUNT(*), COALESCE(SUM(size_bytes), 0) FROM outcomes WHERE {condition}"
    row: Any = conn.exec_driver_sql(query).one()
    return int(row[0]), int(row[1])


def list_folders(conn: Connection, limit: int = -1) -> list[tuple[bytes, int, int]]:
    """(folder of the archive, files, bytes) that would go there, in the order of their names; only so many if given."""
    query = (
        "SELECT folder, COUNT(*), SUM(size_bytes) FROM outcomes WHERE folder IS NOT NULL "
        "AND status_now IS NOT 'archived' GROUP BY folder ORDER BY folder LIMIT ?"
    )
    return [(row[0], row[1], row[2]) for row in conn.exec_driver_sql(query, (limit,))]


def list_page(
    conn: Connection,
    *,
    status: str | None = None,
    batch_id: int | None = None,
    only_weak: bool = False,
    after_id: int = 0,
    limit: int,
) -> list[Outcome]:
    """Outcomes in id order after `after_id`; of one status, of one batch, with a doubtful date, each if asked."""
    query = select(outcomes).where(outcomes.c.asset_id > after_id)
    if status is not None:
        query = query.where(outcomes.c.status == status)
    if batch_id is not None:
        query = query.where(outcomes.c.batch_id == batch_id)
    if only_weak:
        query = query.where(outcomes.c.is_weak == 1, outcomes.c.batch_id.is_not(None))
    return [Outcome(*row) for row in conn.execute(query.order_by(outcomes.c.asset_id).limit(limit))]


def list_by_folder(
    conn: Connection, *, after_id: int = 0, begin: Sequence[bytes] = (), limit: int
) -> list[Outcome]:
    """Files that would go to the archive, by folder and then by id: after a file, or from a folder on, else from the
    first one. `begin` may name the folder in several spellings."""
    c = outcomes.c
    query = select(outcomes).where(c.folder.is_not(None), c.status_now.is_distinct_from("archived"))
    last = conn.execute(select(c.folder).where(c.asset_id == after_id)).scalar() if after_id else None
    if last is not None:
        query = query.where(c.folder >= last, or_(c.folder > last, c.asset_id > after_id))
    elif begin:
        known = conn.execute(select(c.folder).where(c.folder.in_(begin)).limit(1)).scalar()
        query = query.where(c.folder >= (known if known is not None else begin[0]))
    return [Outcome(*row) for row in conn.execute(query.order_by(c.folder, c.asset_id).limit(limit))]


def list_batches(conn: Connection, after_id: int, limit: int) -> list[Batch]:
    """The batches that the run would make or carry on, in id order after `after_id`, as it would leave them."""
    c = batches.c
    began_at = facts.find(conn, BEGAN_AT) or ""
    carried = or_(c.status.in_(OPEN_BATCH), c.created_at >= began_at, c.synced_at >= began_at, c.sorted_at >= began_at)
    query = select(*columns_for(batches, Batch)).where(carried, c.id > after_id).order_by(c.id).limit(limit)
    return [build(Batch, row, {"status": BatchStatus}) for row in conn.execute(query)]


def is_new(conn: Connection, batch: Batch) -> bool:
    """Whether the batch does not exist yet."""
    return batch.created_at >= (facts.find(conn, BEGAN_AT) or "")


def batch_name(conn: Connection, batch_id: int) -> str:
    """The name of a batch."""
    return str(conn.execute(select(batches.c.name).where(batches.c.id == batch_id)).scalar_one())
