"""The left_in_place table: what the scan saw under a root and does not touch, with the reason."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from app.db.tables import left_in_place


def note(conn: Connection, root_id: int, left: Sequence[tuple[bytes, str]], seen_at: str) -> None:
    """Write what was left (path, reason) in the scan that began at `seen_at`."""
    if left:
        conn.exec_driver_sql(
            "INSERT INTO left_in_place (root_id, path, reason, seen_at) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (root_id, path) DO UPDATE SET reason = excluded.reason, seen_at = excluded.seen_at",
            [(root_id, path, reason, seen_at) for path, reason in left],
        )


def forget_before(conn: Connection, root_id: int, seen_at: str) -> None:
    """Drop what the scan that began at `seen_at` did not see again."""
    conn.execute(left_in_place.delete().where(left_in_place.c.root_id == root_id, left_in_place.c.seen_at < seen_at))


def forget(conn: Connection, root_id: int, paths: Sequence[bytes]) -> None:
    """Drop what was noted of these names."""
    marks = [(root_id, path) for path in paths]
    if marks:
        conn.exec_driver_sql("DELETE FROM left_in_place WHERE root_id = ? AND path = ?", marks)


def count_under(conn: Connection, root_ids: Sequence[int]) -> int:
    """How many names are left in place under these roots."""
    c = left_in_place.c
    return int(conn.execute(select(func.count()).where(c.root_id.in_(root_ids))).scalar_one())


def list_under(conn: Connection, root_ids: Sequence[int], limit: int) -> list[tuple[bytes, str]]:
    """(path, reason) under these roots, the first by path."""
    c = left_in_place.c
    query = select(c.path, c.reason).where(c.root_id.in_(root_ids)).order_by(c.path).limit(limit)
    return [(row[0], row[1]) for row in conn.execute(query)]


def paths_of(conn: Connection, root_id: int) -> set[bytes]:
    """Every path noted under a root."""
    return set(conn.execute(select(left_in_place.c.path).where(left_in_place.c.root_id == root_id)).scalars())


def list_page(conn: Connection, after_id: int = 0, limit: int = 100) -> list[tuple[int, int, bytes, str]]:
    """(id, root id, path, reason) in id order, those after `after_id`."""
    c = left_in_place.c
    query = select(c.id, c.root_id, c.path, c.reason).where(c.id > after_id).order_by(c.id).limit(limit)
    return [(row[0], row[1], row[2], row[3]) for row in conn.execute(query)]


def count(conn: Connection) -> int:
    """How many names are left in place."""
    return int(conn.execute(select(func.count()).select_from(left_in_place)).scalar_one())


def reasons_at(conn: Connection, root_id: int, paths: Sequence[bytes]) -> dict[bytes, str]:
    """The reason noted for each of these paths that has one."""
    c = left_in_place.c
    query = select(c.path, c.reason).where(c.root_id == root_id, c.path.in_(paths))
    return {row[0]: row[1] for row in conn.execute(query)}


def count_by_reason(conn: Connection, most: int) -> dict[str, int]:
    """How often each reason is given among the first so many names."""
    c = left_in_place.c
    part = select(c.reason).order_by(c.id).limit(most).subquery()
    query = select(part.c.reason, func.count()).group_by(part.c.reason)
    return {row[0]: row[1] for row in conn.execute(query)}
