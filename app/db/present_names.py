"""The names of files that are called otherwise than when they came: renamed by hand, or given a number by us.

`assets.name` is the name that a file came with. Here is the one that it has now, only where that is another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, or_, select

from app.db.names import name_key
from app.db.paging import Condition
from app.db.tables import assets, present_names

WRITE = "INSERT INTO present_names (asset_id, name) SELECT id, ? FROM assets WHERE id = ? AND name <> ?"


def note(conn: Connection, placed: Sequence[tuple[int, bytes, bytes]]) -> None:
    """Note what files are called after they got another place: (asset id, path before, path now)."""
    renamed = [(asset_id, name_key(now)) for asset_id, before, now in placed if name_key(before) != name_key(now)]
    if renamed:
        write(conn, renamed)


def write(conn: Connection, named: Sequence[tuple[int, bytes]]) -> None:
    """Write what files are called now: (asset id, name as `name_key` makes it)."""
    if named:
        conn.exec_driver_sql("DELETE FROM present_names WHERE asset_id = ?", [(asset_id,) for asset_id, _ in named])
        conn.exec_driver_sql(WRITE, [(name, asset_id, name) for asset_id, name in named])


def list_called(conn: Connection, name: bytes, limit: int) -> list[int]:
    """The ids of assets that are called so now and came under another name, letter case aside, the newest first."""
    c = present_names.c
    query = select(c.asset_id).where(c.name == name_key(name)).order_by(c.asset_id.desc()).limit(limit)
    return list(conn.execute(query).scalars())


def list_within(conn: Connection, condition: Condition, most: int) -> list[int] | None:
    """The ids of assets whose present name alone fits a condition on `name`; None when more than `most` are called
    so."""
    c = present_names.c
    part = select(c.asset_id).where(condition(c)).limit(most + 1).subquery()
    query = select(part.c.asset_id, condition(assets.c)).join(assets, assets.c.id == part.c.asset_id)
    rows = conn.execute(query).all()
    return None if len(rows) > most else [row[0] for row in rows if not row[1]]


def fits(condition: Condition) -> Condition:
    """The condition on `name` as one on assets that holds for the present name as well."""
    c = present_names.c

    def either(columns: Any) -> Any:
        of_this = select(c.asset_id).where(c.asset_id == columns.id, condition(c))
        return or_(condition(columns), of_this.exists())

    return either
