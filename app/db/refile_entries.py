"""The refile_entries table: what plans for filing the archive anew say, and what became of it, file by file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from app.db.tables import refile_entries

#: States of an entry: to be moved, moved, tried in vain; cannot move, and is not tried.
PLANNED, DONE, FAILED, STAYS = "planned", "done", "failed", "stays"
#: So many plans and runs can still be looked through.
KEPT = 3


class Entry(NamedTuple):
    """One file: from where to where under the archive, and what it is afterwards. `reason` says why it stays or failed;
    `suffixed` whether its name got a number there because another file has the name."""

    asset_id: int
    group_key: int
    size_bytes: int
    from_folder: bytes
    from_path: bytes
    to_folder: bytes | None
    to_path: bytes | None
    suffixed: int
    status_after: str | None
    state: str
    reason: str | None = None


class Counts(NamedTuple):
    """Entries of one state."""

    files: int = 0
    groups: int = 0
    size_bytes: int = 0
    folders: int = 0
    suffixed: int = 0


_c = refile_entries.c
COLUMNS = [_c[name] for name in Entry._fields]
NAMES = ", ".join(Entry._fields)
INSERT = (
    f"INSERT OR REPLACE INTO refile_entries (run_id, {NAMES}) VALUES (?, {', '.join('?' * len(Entry._fields))})"
)
#: A move that recovery finished after a crash told nobody here.
CATCH_UP = (
    "UPDATE refile_entries SET state = 'done' WHERE run_id = ? AND state = 'planned' AND EXISTS (SELECT 1 FROM assets "
    "WHERE assets.id = refile_entries.asset_id AND assets.root_id = ? AND assets.path = refile_entries.to_path)"
)
COUNTS = (
    "SELECT state, COUNT(*), COUNT(DISTINCT group_key), COALESCE(SUM(size_bytes), 0), COUNT(DISTINCT to_folder), "
    "SUM(suffixed) FROM refile_entries WHERE run_id = ? GROUP BY state"
)
FOLDERS = (
    "SELECT from_folder, to_folder, COUNT(*), SUM(size_bytes) FROM refile_entries WHERE run_id = ? "
    "AND state IN ('planned', 'done', 'failed') GROUP BY from_folder, to_folder ORDER BY 3 DESC, 1, 2 LIMIT ?"
)
#: One group waits for another to leave a place.
BLOCKED = (
    "SELECT DISTINCT a.group_key, b.group_key FROM refile_entries AS a JOIN refile_entries AS b "
    "ON b.run_id = a.run_id AND b.from_path = a.to_path AND b.state = 'planned' "
    "WHERE a.run_id = ? AND a.state = 'planned'"
)
#: Planned once, and planned otherwise or no more.
DIFFERING = (
    "SELECT COUNT(*) FROM refile_entries AS a WHERE a.run_id = ? AND a.state IN ('planned', 'done', 'failed') AND NOT "
    "EXISTS (SELECT 1 FROM refile_entries AS b WHERE b.run_id = ? AND b.asset_id = a.asset_id "
    "AND b.to_path = a.to_path AND b.state IN ('planned', 'done', 'failed'))"
)


def begin(conn: Connection, run_id: int, archive_id: int) -> None:
    """Forget what this run had planned and not done, and old plans of others."""
    conn.exec_driver_sql(CATCH_UP, (run_id, archive_id))
    conn.execute(refile_entries.delete().where(_c.run_id == run_id, _c.state != DONE))
    others = select(_c.run_id).distinct().where(_c.run_id != run_id).order_by(_c.run_id.desc()).offset(KEPT - 1)
    for old in conn.execute(others.limit(-1)).scalars().all():
        conn.execute(refile_entries.delete().where(_c.run_id == old))


def add(conn: Connection, run_id: int, entries: Iterable[Entry]) -> None:
    """Write entries of a run."""
    rows = [(run_id, *entry) for entry in entries]
    if rows:
        conn.exec_driver_sql(INSERT, rows)


def count(conn: Connection, run_id: int) -> dict[str, Counts]:
    """By state; all of them are there."""
    found = {row[0]: Counts(*row[1:]) for row in conn.exec_driver_sql(COUNTS, (run_id,))}
    return {state: found.get(state, Counts()) for state in (PLANNED, DONE, FAILED, STAYS)}


def list_folders(conn: Connection, run_id: int, limit: int) -> list[tuple[bytes, bytes, int, int]]:
    """(from, to, files, bytes) by folders, those with most files first."""
    return [(row[0], row[1], row[2], row[3]) for row in conn.exec_driver_sql(FOLDERS, (run_id, limit))]


def list_page(conn: Connection, run_id: int, state: str | None, after_id: int, limit: int) -> list[Entry]:
    """Entries in the order of asset ids."""
    query = select(*COLUMNS).where(_c.run_id == run_id, _c.asset_id > after_id)
    query = query.where(_c.state == state) if state is not None else query
    return [Entry(*row) for row in conn.execute(query.order_by(_c.asset_id).limit(limit))]


def list_groups(conn: Connection, run_id: int, after_group: int | None, groups: int) -> list[Entry]:
    """The planned entries of the next so many groups, in the order of group keys."""
    planned = (_c.run_id == run_id, _c.state == PLANNED)
    keys = select(_c.group_key).distinct().where(*planned).order_by(_c.group_key).limit(groups)
    keys = keys.where(_c.group_key > after_group) if after_group is not None else keys
    return list_of_groups(conn, run_id, list(conn.execute(keys).scalars()))


def list_of_groups(conn: Connection, run_id: int, group_keys: Sequence[int]) -> list[Entry]:
    """The planned entries of these groups, a few hundred at most, group by group."""
    query = select(*COLUMNS).where(_c.run_id == run_id, _c.state == PLANNED, _c.group_key.in_(group_keys))
    return [Entry(*row) for row in conn.execute(query.order_by(_c.group_key, _c.asset_id))]


def list_blocked(conn: Connection, run_id: int) -> list[tuple[int, int]]:
    """(group, group in whose present place a file of it is to go); the two may be one."""
    return [(row[0], row[1]) for row in conn.exec_driver_sql(BLOCKED, (run_id,))]


def list_targets(conn: Connection, run_id: int, paths: Sequence[bytes]) -> set[bytes]:
    """Those of these paths that a planned entry is to get."""
    query = select(_c.to_path).where(_c.run_id == run_id, _c.to_path.in_(paths), _c.state == PLANNED)
    return {path for path in conn.execute(query).scalars() if path is not None}


def list_left(conn: Connection) -> set[bytes]:
    """The folders that files have left, or were to leave, also by the runs before: some may have been cut off."""
    query = select(_c.from_folder).distinct().where(_c.state != STAYS)
    return set(conn.execute(query).scalars())


def set_states(conn: Connection, run_id: int, rows: Sequence[tuple[int, str, str | None]]) -> None:
    """Write (asset id, state, reason)."""
    if rows:
        conn.exec_driver_sql(
            "UPDATE refile_entries SET state = ?, reason = ? WHERE run_id = ? AND asset_id = ?",
            [(state, reason, run_id, asset_id) for asset_id, state, reason in rows],
        )


def set_places(conn: Connection, run_id: int, rows: Sequence[tuple[int, bytes]]) -> None:
    """These files lie at another path of their folder for now."""
    if rows:
        conn.exec_driver_sql(
            "UPDATE refile_entries SET from_path = ? WHERE run_id = ? AND asset_id = ?",
            [(path, run_id, asset_id) for asset_id, path in rows],
        )


def count_differing(conn: Connection, run_id: int, other_run_id: int) -> int | None:
    """How many files one of two plans moves otherwise than the other; None when nothing of the other is kept."""
    if conn.execute(select(_c.run_id).where(_c.run_id == other_run_id).limit(1)).first() is None:
        return None
    ways = ((run_id, other_run_id), (other_run_id, run_id))
    only = [int(conn.exec_driver_sql(DIFFERING, way).scalar_one()) for way in ways]
    return max(only)
