"""What inspect asks of the assets table: which groups have members whose capture time was not read yet."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

GROUPS = """
SELECT COALESCE(group_id, -id) AS group_key, COUNT(*) FROM assets
WHERE status = 'unique' AND inspected_at IS NULL AND batch_id IS NULL
GROUP BY group_key ORDER BY MIN(id)
"""


def list_groups(conn: Connection) -> Iterator[tuple[int, int]]:
    """The keys of these groups, a group's id, or minus the id of an asset without a group; and how many such members
    each has."""
    for row in conn.exec_driver_sql(GROUPS):
        yield row[0], row[1]
