"""What inspect asks of the assets table: which groups have members whose capture time was not read yet."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, select

from app.db.assets import CONVERTERS
from app.db.rows import build, columns_for
from app.db.tables import assets
from app.model import Asset, AssetStatus

GROUPS = """
SELECT COALESCE(group_id, -id) AS group_key FROM assets
WHERE status = 'unique' AND inspected_at IS NULL AND batch_id IS NULL
GROUP BY group_key ORDER BY MIN(id)
"""

#: Members of a group that have gone on before; a sidecar that comes later takes its date from them.
GONE_ON = (AssetStatus.BATCHED, AssetStatus.DELIVERED, AssetStatus.ARCHIVED)


def list_groups(conn: Connection) -> Iterator[int]:
    """The keys of these groups: a group's id, or minus the id of an asset without a group."""
    for row in conn.exec_driver_sql(GROUPS):
        yield row[0]


def list_gone_on(conn: Connection, group_id: int) -> list[Asset]:
    """The members of a group that have left the ingest folder with a capture time, the newest row first."""
    c = assets.c
    query = select(*columns_for(assets, Asset)).where(
        c.group_id == group_id, c.status.in_(GONE_ON), c.taken_local.is_not(None)
    )
    return [build(Asset, row, CONVERTERS) for row in conn.execute(query.order_by(c.id.desc()))]
