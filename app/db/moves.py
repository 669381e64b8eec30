"""The moves table: the journal of intents that makes a move survive a crash, and the history of every file's path."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from app.db import confirmation
from app.db.clock import now
from app.db.rows import build, columns_for
from app.db.tables import moves
from app.model import AssetStatus, MoveState

#: SQLite takes at most 32,766 variables in a statement; lists are cut well below that.
CHUNK = 5_000

OPEN = "state IN ('PLANNED', 'PLACED')"

INSERT = (
    "INSERT INTO moves (id, purpose, state, run_id, batch_id, asset_id, is_directory, keep_source, places_asset, "
    "src_root_id, src_path, dst_root_id, dst_path, tmp_name, digest, digest_algorithm, size_bytes, src_device, "
    "src_inode, src_mtime_ns, method, status_after, boot_id, created_at, updated_at) "
    "VALUES (?, ?, 'PLANNED', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True)
class MoveRow:
    """One row of the journal, as recovery and clean-up read it."""

    id: int
    purpose: str
    state: MoveState
    run_id: int | None
    batch_id: int | None
    asset_id: int | None
    is_directory: bool
    keep_source: bool
    places_asset: bool
    src_root_id: int
    src_path: bytes
    dst_root_id: int
    dst_path: bytes
    tmp_name: bytes | None
    trash_root_id: int | None
    trash_path: bytes | None
    trashed_at: str | None
    digest: str | None
    digest_algorithm: str | None
    size_bytes: int
    src_device: int | None
    src_inode: int | None
    src_mtime_ns: int | None
    dst_inode: int | None
    method: str | None
    status_after: str | None
    updated_at: str


class Intent(NamedTuple):
    """What is about to be done to one file or folder; in the order of INSERT."""

    purpose: str
    run_id: int | None
    batch_id: int | None
    asset_id: int | None
    is_directory: bool
    keep_source: bool
    places_asset: bool
    src_root_id: int
    src_path: bytes
    dst_root_id: int
    dst_path: bytes
    tmp_name: bytes | None
    digest: str | None
    digest_algorithm: str | None
    size_bytes: int
    src_device: int
    src_inode: int
    src_mtime_ns: int
    method: str | None
    status_after: str | None


@dataclass(frozen=True)
class Ending:
    """How a row is closed."""

    id: int
    state: MoveState
    method: str | None
    dst_inode: int | None
    trashed: bool
    note: str | None


def plan(conn: Connection, intents: Sequence[Intent], boot_id: str) -> list[int]:
    """Write the intents as PLANNED rows; returns their ids in order. Raises Conflict before a rebuild is confirmed."""
    confirmation.refuse_move(conn)
    first = int(conn.execute(select(func.coalesce(func.max(moves.c.id), 0))).scalar_one()) + 1
    at = now()
    rows = [(first + n, *intent, boot_id, at, at) for n, intent in enumerate(intents)]
    if rows:
        conn.exec_driver_sql(INSERT, rows)
    return [row[0] for row in rows]


def note_method(conn: Connection, noted: Sequence[tuple[int, str, int | None]]) -> None:
    """Write (id, method, inode of our placeholder) before a method is tried that recovery must know of."""
    at = now()
    conn.exec_driver_sql(
        "UPDATE moves SET method = ?, dst_inode = ?, updated_at = ? WHERE id = ?",
        [(method, inode, at, move_id) for move_id, method, inode in noted],
    )


def mark_placed(conn: Connection, placed: Sequence[tuple[int, str, int, int | None, bytes | None]]) -> None:
    """Write (id, method, inode at the target, trash root id, trash path): the target is durable, the source may go."""
    at = now()
    conn.exec_driver_sql(
        "UPDATE moves SET state = 'PLACED', method = ?, dst_inode = ?, trash_root_id = ?, trash_path = ?, "
        "updated_at = ? WHERE id = ?",
        [(method, inode, root_id, path, at, move_id) for move_id, method, inode, root_id, path in placed],
    )


def close(conn: Connection, endings: Sequence[Ending]) -> None:
    """Write DONE, ABORTED or QUARANTINE."""
    at = now()
    if endings:
        conn.exec_driver_sql(
            "UPDATE moves SET state = ?, method = ?, dst_inode = ?, trashed_at = ?, note = ?, updated_at = ? "
            "WHERE id = ?",
            [(e.state.value, e.method, e.dst_inode, at if e.trashed else None, e.note, at, e.id) for e in endings],
        )


def has_open(conn: Connection) -> bool:
    """Whether a move was begun and not ended."""
    return conn.exec_driver_sql(f"SELECT 1 FROM moves WHERE {OPEN} LIMIT 1").first() is not None


def list_open(conn: Connection) -> list[MoveRow]:
    """Every move begun and not ended, in the order in which they were planned."""
    return _rows(conn, moves.c.state.in_((MoveState.PLANNED.value, MoveState.PLACED.value)))


def list_quarantined(conn: Connection) -> list[MoveRow]:
    """Every move whose facts did not fit: a person has to look."""
    return _rows(conn, moves.c.state == MoveState.QUARANTINE.value)


def list_trash(conn: Connection, before: str, after_id: int = 0, limit: int = 500) -> list[MoveRow]:
    """Moves whose source has lain in the trash since before this instant, in id order."""
    due = (moves.c.trashed_at.is_not(None), moves.c.trash_dropped_at.is_(None), moves.c.trashed_at < before)
    query = select(*columns_for(moves, MoveRow)).where(*due, moves.c.state == MoveState.DONE.value)
    query = query.where(moves.c.id > after_id).order_by(moves.c.id).limit(limit)
    return [build(MoveRow, row, {"state": MoveState}) for row in conn.execute(query)]


def note_in_trash(conn: Connection, asset_ids: Sequence[int], purpose: str) -> int:
    """Note that what moves for this purpose have brought to the trash is kept there only for some days; returns how
    many files that is true of."""
    noted = [
        conn.exec_driver_sql(
            "UPDATE moves SET trash_root_id = dst_root_id, trash_path = dst_path, trashed_at = ? "
            "WHERE asset_id = ? AND purpose = ? AND state = 'DONE' AND trashed_at IS NULL",
            (now(), asset_id, purpose),
        ).rowcount
        for asset_id in asset_ids
    ]
    return sum(noted)


def _rows(conn: Connection, where: Any) -> list[MoveRow]:
    query = select(*columns_for(moves, MoveRow)).where(where).order_by(moves.c.id)
    return [build(MoveRow, row, {"state": MoveState}) for row in conn.execute(query)]


def mark_dropped(conn: Connection, ids: Sequence[int]) -> None:
    """Note that these sources are out of the trash for good."""
    at = now()
    if ids:
        conn.exec_driver_sql("UPDATE moves SET trash_dropped_at = ? WHERE id = ?", [(at, i) for i in ids])


def closed_temps(conn: Connection, names: Sequence[bytes], before: str) -> set[bytes]:
    """Those of our temporary names whose move ended, well or badly but not in quarantine, before this instant."""
    found: set[bytes] = set()
    for start in range(0, len(names), 500):
        query = select(moves.c.tmp_name).where(
            moves.c.tmp_name.in_(names[start : start + 500]),
            moves.c.state.in_((MoveState.DONE.value, MoveState.ABORTED.value)),
            moves.c.updated_at < before,
        )
        found.update(conn.execute(query).scalars())
    return found


def list_left(conn: Connection, batch_id: int, purpose: str) -> dict[int, set[bytes]]:
    """The folders, by root id, that files of a batch have left by moves for this purpose."""
    query = select(moves.c.src_root_id, moves.c.src_path).where(
        moves.c.batch_id == batch_id, moves.c.purpose == purpose, moves.c.state == MoveState.DONE.value
    )
    left: dict[int, set[bytes]] = {}
    for root_id, path in conn.execute(query):
        left.setdefault(root_id, set()).add(path.rpartition(b"/")[0])
    return left


def list_targets(conn: Connection, batch_id: int, purpose: str, root_id: int) -> set[bytes]:
    """Where files of a batch were moved under a root for this purpose."""
    m = moves.c
    done = (m.batch_id == batch_id, m.purpose == purpose, m.dst_root_id == root_id, m.state == MoveState.DONE.value)
    return set(conn.execute(select(m.dst_path).where(*done)).scalars())


WAYS = (
    "SELECT asset_id, src_path, dst_path FROM moves WHERE run_id = ? AND purpose = ? AND state = 'DONE' "
    "AND src_root_id = ? AND dst_root_id = ?"
)


def list_ways(conn: Connection, run_id: int, purpose: str, root_id: int) -> dict[int, tuple[bytes, bytes]]:
    """By asset id, where under a root a run found the files that it moved there for a purpose, and where it left them;
    without those that it brought back itself."""
    return _ways(conn.exec_driver_sql(f"{WAYS} ORDER BY id", (run_id, purpose, root_id, root_id)))


def list_ways_of(
    conn: Connection, run_id: int, purpose: str, root_id: int, asset_ids: Sequence[int]
) -> dict[int, tuple[bytes, bytes]]:
    """The same of these assets only."""
    found: dict[int, tuple[bytes, bytes]] = {}
    for start in range(0, len(asset_ids), CHUNK):
        part = asset_ids[start : start + CHUNK]
        sql = f"{WAYS} AND asset_id IN ({_marks(part)}) ORDER BY id"
        found |= _ways(conn.exec_driver_sql(sql, (run_id, purpose, root_id, root_id, *part)))
    return found


def _ways(rows: Iterable[Any]) -> dict[int, tuple[bytes, bytes]]:
    ways: dict[int, tuple[bytes, bytes]] = {}
    for asset_id, source, target in rows:
        ways[asset_id] = (ways.get(asset_id, (source, target))[0], target)
    return {asset_id: way for asset_id, way in ways.items() if way[0] != way[1]}


class Met(NamedTuple):
    """A file that was at an asset's place before it: where, and where the source lies in the trash, if it does."""

    root_id: int
    path: bytes
    trash_root_id: int | None
    trash_path: bytes | None
    src_mtime_ns: int | None


def list_met(conn: Connection, batch_id: int) -> dict[int, Met]:
    """By asset id of a batch: its last move met its very content at the target, which is not ours to take away."""
    sql = (
        "SELECT asset_id, dst_root_id, dst_path, CASE WHEN trash_dropped_at IS NULL AND trashed_at IS NOT NULL THEN "
        "trash_root_id END, trash_path, src_mtime_ns FROM moves WHERE batch_id = ? AND state = 'DONE' "
        "AND method = 'same_content' AND purpose IN ('archive', 'duplicate') ORDER BY id"
    )
    return {row[0]: Met(*row[1:6]) for row in conn.exec_driver_sql(sql, (batch_id,))}


def holders(conn: Connection, root_id: int, paths: Sequence[bytes]) -> dict[bytes, int]:
    """Which asset is recorded at each of these places of a root, if one is."""
    found: dict[bytes, int] = {}
    for start in range(0, len(paths), CHUNK):
        part = paths[start : start + CHUNK]
        # The status is spelled out, not bound: only so does SQLite take the partial index on places.
        sql = f"SELECT path, id FROM assets WHERE status != 'gone' AND root_id = ? AND path IN ({_marks(part)})"
        found.update((row[0], row[1]) for row in conn.exec_driver_sql(sql, (root_id, *part)).all())
    return found


def standing(conn: Connection, ids: Sequence[int]) -> dict[int, tuple[AssetStatus, int, bytes]]:
    """(status, root id, path) of these assets as they are now."""
    found: dict[int, tuple[AssetStatus, int, bytes]] = {}
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        sql = f"SELECT id, status, root_id, path FROM assets WHERE id IN ({_marks(part)})"
        rows = conn.exec_driver_sql(sql, tuple(part)).all()
        found.update((row[0], (AssetStatus(row[1]), row[2], row[3])) for row in rows)
    return found


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))
