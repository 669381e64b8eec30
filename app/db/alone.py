"""Groups of files that a person parted from those of their name; their keys say which group they left.

The keys of names hold no NUL, so nothing that comes later gets there by its name alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from app.db.groups import ALONE, CHUNK, ensure
from app.db.tables import assets, groups


def part(conn: Connection, group_id: int, asset_id: int) -> int:
    """The group of a file that leaves this one."""
    root_id, folder, stem = conn.exec_driver_sql(
        "SELECT root_id, folder, stem FROM groups WHERE id = ?", (group_id,)
    ).one()
    key = (folder, b"%b%b%d\0%d" % (stem.partition(b"\0")[0], ALONE, group_id, asset_id))
    return ensure(conn, root_id, [key])[key]


def list_left(conn: Connection, group_ids: Iterable[int | None]) -> dict[int, int]:
    """Of these groups those that a person parted, each with the one that it left."""
    wanted = sorted({group_id for group_id in group_ids if group_id is not None})
    found: dict[int, int] = {}
    for start in range(0, len(wanted), CHUNK):
        query = select(groups.c.id, groups.c.stem).where(groups.c.id.in_(wanted[start : start + CHUNK]))
        parted = ((group_id, stem.partition(ALONE)[2]) for group_id, stem in conn.execute(query))
        found.update({group_id: int(left.partition(b"\0")[0]) for group_id, left in parted if left})
    return found


def list_member_ids(conn: Connection, group_ids: Sequence[int]) -> list[int]:
    """The ids of all that is in these groups, whatever its status."""
    c, found = assets.c, list[int]()
    for start in range(0, len(group_ids), CHUNK):
        query = select(c.id).where(c.group_id.in_(group_ids[start : start + CHUNK])).order_by(c.id)
        found += [row[0] for row in conn.execute(query)]
    return found
