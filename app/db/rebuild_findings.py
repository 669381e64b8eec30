"""What verifications have found, after a rebuild has seen every file: what is right again is open no longer."""

from __future__ import annotations

from sqlalchemy import Connection

#: A file about which something was found is not taken for what an earlier look has read there.
READ_AGAIN = """
UPDATE rebuild_files SET digest = NULL, digest_algorithm = NULL, sha256 = NULL
WHERE EXISTS (SELECT 1 FROM findings f WHERE f.root_id = rebuild_files.root_id AND f.path = rebuild_files.path)
"""

#: The place holds what the asset should hold, and is its place or that of a copy that was kept of it.
INTACT = """
SELECT f.id FROM findings f JOIN assets a ON a.id = f.asset_id
JOIN rebuild_files s ON s.root_id = f.root_id AND s.path = f.path AND s.sha256 = a.sha256
WHERE a.status != 'gone'
"""

#: The asset is gone, or has its place elsewhere; and no copy of it is kept where this was found.
PLACED_ELSEWHERE = """
SELECT f.id FROM findings f JOIN assets a ON a.id = f.asset_id
WHERE (a.status = 'gone' OR a.root_id != f.root_id OR a.path != f.path)
  AND NOT EXISTS (SELECT 1 FROM kept_copies k WHERE k.asset_id = a.id AND k.root_id = f.root_id AND k.path = f.path)
"""

#: What nobody knew has an owner now, or does not lie there any more. A person's word to ignore it stands while it lies.
KNOWN_OR_NOT_THERE = """
SELECT f.id FROM findings f LEFT JOIN rebuild_files s ON s.root_id = f.root_id AND s.path = f.path
WHERE f.asset_id IS NULL AND (s.id IS NULL OR s.asset_id IS NOT NULL OR s.finding = 'kept_copy')
"""


def have_read_again(conn: Connection) -> None:
    """Forget what was read at every place about which something was found, so that it is read now."""
    conn.exec_driver_sql(READ_AGAIN)


def drop_settled(conn: Connection, root_ids: list[int]) -> int:
    """Forget what was found at places under these roots that are right now; returns how many."""
    marks = ", ".join("?" * len(root_ids))
    settled = f"{INTACT} UNION {PLACED_ELSEWHERE} UNION {KNOWN_OR_NOT_THERE}"
    drop = f"DELETE FROM findings WHERE root_id IN ({marks}) AND id IN ({settled})"
    return conn.exec_driver_sql(drop, tuple(root_ids)).rowcount
