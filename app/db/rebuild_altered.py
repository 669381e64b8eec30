"""Files that lie at the very place of a living row and hold something else: damaged or edited, and not a new file."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from app.db.assets import CHUNK
from app.db.rebuild_files import Sighting
from app.db.rebuild_rows import DISPLACED, NOT_FOUND, list_by_id
from app.db.rows import build, columns_for
from app.db.tables import rebuild_files
from app.model import Asset

#: A file that was moved by hand onto the place of another one has not damaged that one: it is known by its own row or
#: by a manifest. Nor is a row altered whose own content lies, as nobody's, where files go on to.
ALTERED = f"""
SELECT f.id, a.id FROM rebuild_files f JOIN assets a ON a.root_id = f.root_id AND a.path = f.path
WHERE a.status != 'gone' AND a.sha256 IS NOT NULL AND f.sha256 IS NOT NULL AND f.sha256 != a.sha256
  AND f.area IN ('archive', 'review', 'batch', 'staging', 'duplicates')
  AND NOT EXISTS (
    SELECT 1 FROM rebuild_files o WHERE o.sha256 = a.sha256 AND o.area IN ('archive', 'review', 'batch', 'staging')
      AND NOT EXISTS (SELECT 1 FROM kept_copies k WHERE k.root_id = o.root_id AND k.path = o.path)
      AND NOT EXISTS (SELECT 1 FROM assets h WHERE h.root_id = o.root_id AND h.path = o.path
        AND h.status != 'gone' AND h.sha256 = o.sha256))
  AND NOT EXISTS (
    SELECT 1 FROM assets b WHERE b.sha256 = f.sha256 AND b.id != a.id
      AND (b.status != 'gone' OR b.reason IN ('{DISPLACED}', '{NOT_FOUND}'))
      AND NOT EXISTS (SELECT 1 FROM rebuild_files p WHERE p.root_id = b.root_id AND p.path = b.path
        AND p.sha256 = b.sha256))
  AND NOT EXISTS (
    SELECT 1 FROM rebuild_entries e WHERE e.sha256 = f.sha256
      AND NOT EXISTS (SELECT 1 FROM assets b WHERE b.id = e.asset_id AND b.sha256 = e.sha256 AND b.status != 'gone'))
ORDER BY f.id
"""


def list_altered(conn: Connection) -> list[tuple[Sighting, Asset]]:
    """What was seen, and the row whose place that is, in the order of the sightings."""
    pairs = [(row[0], row[1]) for row in conn.exec_driver_sql(ALTERED)]
    seen = _sightings(conn, [file_id for file_id, _ in pairs])
    known = list_by_id(conn, [asset_id for _, asset_id in pairs])
    return [(seen[file_id], known[asset_id]) for file_id, asset_id in pairs]


def _sightings(conn: Connection, ids: Sequence[int]) -> dict[int, Sighting]:
    found: dict[int, Sighting] = {}
    for start in range(0, len(ids), CHUNK):
        part = rebuild_files.c.id.in_(ids[start : start + CHUNK])
        query = select(*columns_for(rebuild_files, Sighting)).where(part)
        found.update({row[0]: build(Sighting, row, {}) for row in conn.execute(query).all()})
    return found
