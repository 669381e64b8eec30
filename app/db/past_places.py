"""Which assets were once at a place: they came from there, vanished from there, or were moved from or to it.

Moves have no index of paths, which would cost every file twice. The name leads there: a file keeps the name that it
came with, or gets a number behind its stem.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from app.db import present_names
from app.db.names import name_key
from app.db.tables import assets, moves

#: So many files of one name are looked through, the newest first.
NAMESAKES = 2_000
NUMBERED = re.compile(rb"_\d+(?=\.|$)")


def list_named(conn: Connection, name: bytes, limit: int = NAMESAKES) -> list[int]:
    """The ids of assets that came with this name, letter case aside, the newest first."""
    query = select(assets.c.id).where(assets.c.name == name_key(name)).order_by(assets.c.id.desc()).limit(limit)
    return list(conn.execute(query).scalars())


def list_called(conn: Connection, name: bytes, limit: int) -> list[int]:
    """The ids of assets with this name, letter case aside: those that are called exactly so now, those that are called
    so now, those that came so exactly, those that came so; the newest of each first."""
    ids = _of_any_name(conn, name)
    query = select(assets.c.id, assets.c.path, assets.c.origin_path, assets.c.name).where(assets.c.id.in_(ids))
    ranked = [(rank, -row.id) for row in conn.execute(query) if (rank := _rank(name, row)) is not None]
    return [-key for _, key in sorted(ranked)][:limit]


def _rank(name: bytes, row: Any) -> int | None:
    now, first = row.path.rpartition(b"/")[2], (row.origin_path or row.path).rpartition(b"/")[2]
    wanted = name_key(name)
    found = (now == name, name_key(now) == wanted, first == name, wanted in (row.name, name_key(first)))
    return next((rank for rank, fits in enumerate(found) if fits), None)


def list_once_at(conn: Connection, root_id: int, path: bytes) -> list[int]:
    """The ids of assets that were once at this place, the newest first."""
    ids = _of_any_name(conn, path.rpartition(b"/")[2])
    there = _came_or_moved(conn, ids, root_id, path) if ids else set()
    return [asset_id for asset_id in ids if asset_id in there]


def _of_any_name(conn: Connection, name: bytes) -> list[int]:
    """Assets that came with this name or have it now, or came with it and were given a number since; the newest
    first."""
    names = dict.fromkeys([name, NUMBERED.sub(b"", name, count=1), _without_last_number(name)])
    came = {asset_id for one in names for asset_id in list_named(conn, one)}
    return sorted({*came, *present_names.list_called(conn, name, NAMESAKES)}, reverse=True)


def _without_last_number(name: bytes) -> bytes:
    found = list(NUMBERED.finditer(name))
    return name[: found[-1].start()] + name[found[-1].end() :] if found else name


def _came_or_moved(conn: Connection, ids: list[int], root_id: int, path: bytes) -> set[int]:
    a, m = assets.c, moves.c
    was = or_(and_(a.origin_root_id == root_id, a.origin_path == path), and_(a.root_id == root_id, a.path == path))
    here = or_(and_(m.src_root_id == root_id, m.src_path == path), and_(m.dst_root_id == root_id, m.dst_path == path))
    came = conn.execute(select(a.id).where(a.id.in_(ids), was)).scalars()
    moved = conn.execute(select(m.asset_id).where(m.asset_id.in_(ids), here)).scalars()
    return {*came, *moved}
